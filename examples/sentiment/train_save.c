/* Saving: the model with the best weights so far, and the whole run with its place. Both replace the
 * older file only when the new one is complete. The loss curves, which depend on the clock, are in the
 * checkpoint alone.
 */
#include <stddef.h>

#include "../common/console.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "train.h"

static const resume_number numbers[] = {
    {"update", offsetof(run_place, update)},
    {"epoch", offsetof(run_place, epoch)},
    {"within", offsetof(run_place, within)},
    {"next", offsetof(run_place, next)},
    {"epoch_loss", offsetof(run_place, epoch_loss)},
    {"epoch_count", offsetof(run_place, epoch_count)},
    {"interval_loss", offsetof(run_place, interval_loss)},
    {"interval_count", offsetof(run_place, interval_count)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best_loss", offsetof(run_place, best_loss)},
    {"best_accuracy", offsetof(run_place, best_accuracy)},
    {"seconds", offsetof(run_place, seconds)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

double train_seconds(const trainer *run)
{
    return run->place.seconds + system_clock() - run->began;
}

uint64_t train_fingerprint(const reviews *data)
{
    uint64_t hash = RECORD_HASH;

    for (size_t i = 0; i < data->count; i++) {
        const review *one = &data->items[i];

        hash = record_hash(hash, &one->label, sizeof one->label);
        hash = record_hash(hash, &one->length, sizeof one->length);
        hash = record_hash(hash, one->text, (size_t)one->length);
    }
    return hash;
}

int train_save_model(trainer *run)
{
    rnnkit_model *model = run->net.model;

    if (record_curves(&settings_record, model, NULL, NULL) != OUTCOME_OK) return OUTCOME_FAILED;
    return failed(rnnkit_model_save(model, run->options->model));
}

int train_save_run(trainer *run)
{
    run_place place = run->place;

    place.next = (double)run->from.order.next;
    place.seconds = train_seconds(run);
    if (record_curves(&settings_record, run->net.model, &run->train_curve, &run->valid_curve) !=
        OUTCOME_OK)
        return OUTCOME_FAILED;
    run->saved = system_clock();
    return resume_save(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, &place);
}

/* The order of the batches is that of the epochs so far, drawn again. */
int train_load_run(trainer *run)
{
    run_place *place = &run->place;
    int outcome = resume_load(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, place);

    if (outcome != OUTCOME_OK) return outcome;
    if (buckets_resume(&run->from.order, place->epoch - 1 + (place->within > 0), place->next))
        return OUTCOME_OK;
    return fail("%s: the place in the epoch is damaged", run->checkpoint_path);
}
