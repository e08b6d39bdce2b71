/* See training.h; saving is in training_save.c, what it says in training_report.c. */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "console.h"
#include "interrupt.h"
#include "plot.h"
#include "system.h"
#include "training_parts.h"

static int open_machine(training *self)
{
    session *files = &self->files;
    const char *schedule = self->constant ? "constant" : "cosine";
    char text[80];

    self->updates = (int64_t)self->order->count * self->epochs;
    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", self->lr, self->clip);
    if (failed(rnnkit_tape_create(self->context, "train=1", &self->tape)) ||
        failed(rnnkit_optimizer_create(files->network, "adam", text, &self->optimizer)) ||
        failed(rnnkit_schedule_create(self->optimizer, schedule, self->constant ? 1 : self->updates,
            NULL, &self->schedule)) ||
        failed(rnnkit_checkpoint_create(files->network, &files->run)) ||
        failed(rnnkit_checkpoint_add_optimizer(files->run, "optimizer", self->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(files->run, "schedule", self->schedule)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(files->run, "tape", self->tape));
}

static int prepare(training *self)
{
    int outcome = session_check_data(&self->files, self->fingerprint);

    self->place.epoch = 1;
    if (outcome == OUTCOME_OK) outcome = open_machine(self);
    if (outcome == OUTCOME_OK) outcome = training_load(self);
    if (outcome == OUTCOME_OK)
        outcome = session_record(&self->files, self->fingerprint, self->place.best_epoch > 0);
    return outcome;
}

static int fail_diverged(const training *self)
{
    if (self->trial != NULL) return OUTCOME_DIVERGED;
    return fail("training diverged in epoch %.0f; try a smaller --lr", self->place.epoch);
}

static int update(training *self)
{
    training_place *place = &self->place;
    double loss = NAN, weight = 0;
    int32_t status;
    int outcome;

    if (failed(rnnkit_tape_clear(self->tape))) return OUTCOME_FAILED;
    outcome = self->steps->update(self->user, (int64_t)place->update, self->tape, &loss, &weight);
    if (outcome != OUTCOME_OK) return outcome;
    status = rnnkit_optimizer_step(self->optimizer);
    if (status == RNNKIT_E_DIVERGED) return fail_diverged(self);
    if (failed(status) || failed(rnnkit_schedule_step(self->schedule))) return OUTCOME_FAILED;
    place->update++;
    place->epoch_loss += loss * weight;
    place->epoch_weight += weight;
    place->interval_loss += loss * weight;
    place->interval_weight += weight;
    return OUTCOME_OK;
}

/* What may be due after an update. */
static int look_around(training *self)
{
    double wait = self->files.json ? 1 : console_is_terminal() ? 0.2 : 10;

    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (training_save_when_due(self) != OUTCOME_OK) return OUTCOME_FAILED;
    if (system_clock() - self->files.told < wait) return OUTCOME_OK;
    if (training_tell_progress(self) != OUTCOME_OK) return OUTCOME_FAILED;
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

static int run_epoch(training *self)
{
    training_place *place = &self->place;

    if (place->within == 0) {
        buckets_shuffle(self->order);
        place->epoch_loss = place->epoch_weight = 0;
        place->within = 1;
    }
    while (self->order->next < self->order->count) {
        int outcome = update(self);

        if (outcome == OUTCOME_OK) outcome = look_around(self);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

/* Keeps the weights of an epoch that is the best so far, of a search too. */
static int keep_best(training *self, const training_result *valid, int *best)
{
    training_place *place = &self->place;

    if (!isfinite(valid->loss)) return fail_diverged(self);
    *best = place->best_epoch == 0 || valid->loss < place->best_loss;
    if (!*best) return OUTCOME_OK;
    place->best_loss = valid->loss;
    place->best_figure = valid->figure;
    place->best_epoch = place->epoch;
    if (self->trial != NULL && !(valid->loss < self->trial->to_beat)) return OUTCOME_OK;
    return session_save_model(&self->files, 0);
}

static int finish_epoch(training *self)
{
    const session *files = &self->files;
    training_result valid = {NAN, 0};
    int best = 0, outcome = self->steps->validate(self->user, &valid);

    if (outcome == OUTCOME_OK) outcome = keep_best(self, &valid, &best);
    if (outcome == OUTCOME_OK) outcome = training_tell_epoch(self, &valid, best);
    if (outcome != OUTCOME_OK) return outcome;
    self->place.epoch++;
    self->place.within = 0;
    self->order->next = 0;
    if (files->plot[0] != '\0' && plot_write(files->plot, &files->train_curve, &files->valid_curve,
                                      self->updates, self->unit, 0) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (console_is_broken()) return OUTCOME_FAILED;
    return files->checkpoint[0] != '\0' ? training_save(self) : OUTCOME_OK;
}

/* 0 after the last epoch, or when the best one is too long ago. */
static int goes_on(const training *self)
{
    const training_place *place = &self->place;
    double last = place->epoch - 1;

    if (place->within > 0) return 1;
    return last < (double)self->epochs &&
           (last == 0 || last - place->best_epoch < (double)self->patience);
}

static int run_epochs(training *self)
{
    while (goes_on(self)) {
        int outcome = run_epoch(self);

        if (outcome == OUTCOME_OK) outcome = finish_epoch(self);
        if (outcome != OUTCOME_OK) return outcome;
        if (self->trial != NULL && system_clock() > self->trial->deadline) {
            self->trial->cut = self->place.epoch <= (double)self->epochs;
            break;
        }
    }
    return OUTCOME_OK;
}

int training_run(training *self)
{
    const training_place *place = &self->place;
    int outcome = prepare(self);

    if (outcome != OUTCOME_OK) return outcome;
    outcome = run_epochs(self);
    if (self->trial != NULL) {
        self->trial->loss = place->best_epoch > 0 ? place->best_loss : NAN;
        self->trial->epoch = (int64_t)place->best_epoch;
        return outcome == OUTCOME_DIVERGED ? OUTCOME_OK : outcome;
    }
    if (outcome == OUTCOME_INTERRUPTED) return training_stop(self);
    return outcome == OUTCOME_OK ? training_tell_done(self) : outcome;
}

void training_close(training *self)
{
    rnnkit_checkpoint_destroy(self->files.run);
    rnnkit_schedule_destroy(self->schedule);
    rnnkit_optimizer_destroy(self->optimizer);
    rnnkit_tape_destroy(self->tape);
    session_close(&self->files);
}
