/* Saving a training run. The loss curves, which depend on the clock, are in the checkpoint alone. */
#include <stddef.h>

#include "console.h"
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
};

int training_begin(training *self, const char *const *inputs)
{
    self->files.numbers = numbers;
    self->files.number_count = sizeof numbers / sizeof *numbers;
    return session_begin(&self->files, inputs);
}

static training_place place_of(const training *self)
{
    training_place place = self->place;

    place.next = (double)self->order->next;
    return place;
}

int training_save(training *self)
{
    training_place place = place_of(self);

    return session_save(&self->files, &place);
}

int training_save_when_due(training *self)
{
    training_place place = place_of(self);

    return self->trial != NULL ? OUTCOME_OK : session_save_when_due(&self->files, &place);
}

int training_stop(training *self)
{
    training_place place = place_of(self);

    return session_stop(&self->files, &place, (int64_t)place.update, self->updates);
}

/* The order of the batches is that of the epochs so far, drawn again. */
int training_load(training *self)
{
    training_place *place = &self->place;

    if (session_load(&self->files, place) != OUTCOME_OK) return OUTCOME_FAILED;
    if (!self->files.resume) return OUTCOME_OK;
    if (place->update >= 0 && place->update < 1e15 &&
        buckets_resume(self->order, place->epoch - 1 + (place->within > 0), place->next))
        return OUTCOME_OK;
    return fail("%s: the place in the epoch is damaged", self->files.path);
}
