/* Saving: the model with the best weights so far, and the whole run with its place. Both replace
 * the older file only when the new one is complete.
 */
#include <stddef.h>

#include "../common/console.h"
#include "../common/system.h"
#include "train.h"

/* The numbers of run_place under their names in a checkpoint. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"epoch", offsetof(run_place, epoch)},
    {"update", offsetof(run_place, update)},
    {"batch", offsetof(run_place, batch)},
    {"epoch_loss", offsetof(run_place, epoch_loss)},
    {"epoch_words", offsetof(run_place, epoch_words)},
    {"interval_loss", offsetof(run_place, interval_loss)},
    {"interval_words", offsetof(run_place, interval_words)},
    {"shown_loss", offsetof(run_place, shown_loss)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best_loss", offsetof(run_place, best_loss)},
    {"best_train_loss", offsetof(run_place, best_train_loss)},
    {"seconds", offsetof(run_place, seconds)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

int train_save_model(trainer *run)
{
    rnnkit_model *model = run->net.model;

    if (record_curves(&settings_record, model, &run->train_curve, &run->valid_curve) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_model_save(model, run->options->model));
}

int train_save_run(trainer *run)
{
    rnnkit_checkpoint *checkpoint = run->checkpoint;
    run_place place = run->place;

    place.seconds = train_seconds(run);
    if (record_curves(&settings_record, run->net.model, &run->train_curve, &run->valid_curve) !=
        OUTCOME_OK)
        return OUTCOME_FAILED;
    for (int i = 0; i < NUMBERS; i++) {
        const double *value = (const void *)((const char *)&place + numbers[i].offset);

        if (failed(rnnkit_checkpoint_set_number(checkpoint, numbers[i].name, *value)))
            return OUTCOME_FAILED;
    }
    run->saved = system_clock();
    return failed(rnnkit_checkpoint_save(checkpoint, run->checkpoint_path));
}

/* The order of batches depends on the number of shuffles alone. */
static int find_batch(trainer *run)
{
    double shuffles = run->place.epoch + (run->place.batch > 0);

    if (!(run->place.epoch >= 0 && run->place.epoch <= (double)run->options->epochs &&
            run->place.batch >= 0 && run->place.batch <= (double)run->epoch_updates))
        return fail("%s is damaged: there is no batch %g in epoch %g", run->checkpoint_path,
            run->place.batch, run->place.epoch);
    for (double k = 0; k < shuffles; k++)
        buckets_shuffle(&run->from.order);
    run->from.order.next = (size_t)run->place.batch;
    return OUTCOME_OK;
}

int train_load_run(trainer *run)
{
    rnnkit_checkpoint *checkpoint = run->checkpoint;

    if (rnnkit_checkpoint_load(checkpoint, run->checkpoint_path) < 0)
        return fail("%s: %s", run->checkpoint_path, rnnkit_error_message());
    for (int i = 0; i < NUMBERS; i++) {
        double *value = (void *)((char *)&run->place + numbers[i].offset);

        if (failed(rnnkit_checkpoint_number(checkpoint, numbers[i].name, value)))
            return OUTCOME_FAILED;
    }
    return find_batch(run);
}
