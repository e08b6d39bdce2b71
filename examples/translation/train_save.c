/* Saving: the model with the best weights so far, and the whole run with its place. Both replace
 * the older file only when the new one is complete.
 */
#include <stddef.h>

#include "../common/console.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "train.h"

/* The numbers of run_place under their names in a checkpoint. */
static const resume_number numbers[] = {
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
    run_place place = run->place;

    place.seconds = train_seconds(run);
    if (record_curves(&settings_record, run->net.model, &run->train_curve, &run->valid_curve) !=
        OUTCOME_OK)
        return OUTCOME_FAILED;
    run->saved = system_clock();
    return resume_save(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, &place);
}

int train_load_run(trainer *run)
{
    run_place *place = &run->place;
    int outcome = resume_load(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, place);

    if (outcome != OUTCOME_OK) return outcome;
    if (buckets_resume(&run->from.order, place->epoch + (place->batch > 0), place->batch))
        return OUTCOME_OK;
    return fail("%s: the place in the epoch is damaged", run->checkpoint_path);
}
