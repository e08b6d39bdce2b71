/* Saving a training run: both files replace the older ones only when they are complete. The loss
 * curves, which depend on the clock, are in the checkpoint alone.
 */
#include <stddef.h>

#include "console.h"
#include "resume.h"
#include "system.h"
#include "training_parts.h"

static const resume_number numbers[] = {
    {"update", offsetof(training_place, update)},
    {"epoch", offsetof(training_place, epoch)},
    {"within", offsetof(training_place, within)},
    {"next", offsetof(training_place, next)},
    {"epoch_loss", offsetof(training_place, epoch_loss)},
    {"epoch_weight", offsetof(training_place, epoch_weight)},
    {"interval_loss", offsetof(training_place, interval_loss)},
    {"interval_weight", offsetof(training_place, interval_weight)},
    {"best_epoch", offsetof(training_place, best_epoch)},
    {"best_loss", offsetof(training_place, best_loss)},
    {"best_figure", offsetof(training_place, best_figure)},
    {"seconds", offsetof(training_place, seconds)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

double training_seconds(const training *self)
{
    return self->place.seconds + system_clock() - self->began;
}

int training_save_model(training *self)
{
    if (record_curves(self->kind, self->network, NULL, NULL) != OUTCOME_OK) return OUTCOME_FAILED;
    return failed(rnnkit_model_save(self->network, self->model));
}

int training_save(training *self)
{
    training_place place = self->place;

    place.next = (double)self->order->next;
    place.seconds = training_seconds(self);
    if (record_curves(self->kind, self->network, &self->train_curve, &self->valid_curve) !=
        OUTCOME_OK)
        return OUTCOME_FAILED;
    self->saved = system_clock();
    return resume_save(self->run, self->run_path, numbers, NUMBERS, &place);
}

/* The order of the batches is that of the epochs so far, drawn again. */
int training_load(training *self)
{
    training_place *place = &self->place;
    int outcome = resume_load(self->run, self->run_path, numbers, NUMBERS, place);

    if (outcome != OUTCOME_OK) return outcome;
    if (place->update >= 0 && place->update < 1e15 &&
        buckets_resume(self->order, place->epoch - 1 + (place->within > 0), place->next))
        return OUTCOME_OK;
    return fail("%s: the place in the epoch is damaged", self->run_path);
}
