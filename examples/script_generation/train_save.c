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
    {"epoch_loss", offsetof(run_place, epoch_loss)},
    {"epoch_targets", offsetof(run_place, epoch_targets)},
    {"interval_loss", offsetof(run_place, interval_loss)},
    {"interval_targets", offsetof(run_place, interval_targets)},
    {"shown_loss", offsetof(run_place, shown_loss)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best_loss", offsetof(run_place, best_loss)},
    {"best_train_loss", offsetof(run_place, best_train_loss)},
    {"seconds", offsetof(run_place, seconds)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

int train_save_model(trainer *run)
{
    rnnkit_model *model = run->parts.net.model;

    if (record_curves(&settings_record, model, &run->train_curve, &run->valid_curve) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_model_save(model, run->options->model));
}

int train_save_run(trainer *run)
{
    rnnkit_checkpoint *checkpoint = run->parts.checkpoint;
    run_place place = run->place;

    place.seconds = train_seconds(run);
    if (record_curves(&settings_record, run->parts.net.model, &run->train_curve,
            &run->valid_curve) != OUTCOME_OK)
        return OUTCOME_FAILED;
    run->saved = system_clock();
    return resume_save(checkpoint, run->checkpoint_path, numbers, NUMBERS, &place);
}

int train_load_run(trainer *run)
{
    return resume_load(run->parts.checkpoint, run->checkpoint_path, numbers, NUMBERS, &run->place);
}
