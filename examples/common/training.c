/* See training.h; saving is in training_save.c, what it says in training_report.c. */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "interrupt.h"
#include "output.h"
#include "plot.h"
#include "resume.h"
#include "system.h"
#include "training_parts.h"

static int check_output(
    const training *self, const char *name, const char *path, const char *const *inputs)
{
    if (output_check(name, path) != OUTCOME_OK) return OUTCOME_FAILED;
    for (; inputs[0] != NULL; inputs += 2)
        if (output_check_apart(name, path, inputs[0], inputs[1]) != OUTCOME_OK)
            return OUTCOME_FAILED;
    if (path == self->model) return OUTCOME_OK;
    return output_check_apart(name, path, "model", self->model);
}

int training_begin(training *self, const char *const *inputs)
{
    self->run_path = resume_path(self->checkpoint, self->model);
    if (self->run_path == NULL || check_output(self, "model", self->model, inputs) != OUTCOME_OK ||
        check_output(self, "checkpoint", self->run_path, inputs) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (self->plot[0] != '\0' &&
        (check_output(self, "plot", self->plot, inputs) != OUTCOME_OK ||
            output_check_apart("plot", self->plot, "checkpoint", self->run_path) != OUTCOME_OK))
        return OUTCOME_FAILED;
    if (!self->resume) return OUTCOME_OK;
    if (record_read(&self->earlier, self->kind, self->run_path) != OUTCOME_OK ||
        record_apply(&self->earlier, self->parsed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    self->train_curve = self->earlier.train;
    self->valid_curve = self->earlier.valid;
    self->earlier.train = self->earlier.valid = (curve){0};
    return OUTCOME_OK;
}

static int open_machine(training *self)
{
    char text[80];

    self->updates = (int64_t)self->order->count * self->epochs;
    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", self->lr, self->clip);
    if (failed(rnnkit_tape_create(self->context, "train=1", &self->tape)) ||
        failed(rnnkit_optimizer_create(self->network, "adam", text, &self->optimizer)) ||
        failed(rnnkit_schedule_create(
            self->optimizer, "cosine", self->updates, NULL, &self->schedule)) ||
        failed(rnnkit_checkpoint_create(self->network, &self->run)) ||
        failed(rnnkit_checkpoint_add_optimizer(self->run, "optimizer", self->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(self->run, "schedule", self->schedule)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(self->run, "tape", self->tape));
}

static int prepare(training *self)
{
    int outcome = OUTCOME_OK;

    self->place.epoch = 1;
    if (self->resume) outcome = record_check_data(&self->earlier, self->fingerprint);
    if (outcome == OUTCOME_OK) outcome = open_machine(self);
    if (outcome == OUTCOME_OK && self->resume) outcome = training_load(self);
    if (outcome == OUTCOME_OK)
        outcome = record_options(self->kind, self->network, self->parsed, self->fingerprint);
    if (outcome == OUTCOME_OK && self->resume && self->place.best_epoch > 0)
        outcome = record_check_model(&self->earlier, self->model);
    return outcome;
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
    if (status == RNNKIT_E_DIVERGED)
        return fail("training diverged in epoch %.0f; try a smaller --lr", place->epoch);
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
    double wait = self->json ? 1 : console_is_terminal() ? 0.2 : 10, now = system_clock();

    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (self->checkpoint[0] != '\0' && self->checkpoint_minutes > 0 &&
        now - self->saved >= 60.0 * self->checkpoint_minutes && training_save(self) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (now - self->told < wait) return OUTCOME_OK;
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

static int keep_best(training *self, const training_result *valid, int *best)
{
    training_place *place = &self->place;

    if (!isfinite(valid->loss))
        return fail("training diverged in epoch %.0f; try a smaller --lr", place->epoch);
    *best = place->best_epoch == 0 || valid->loss < place->best_loss;
    if (!*best) return OUTCOME_OK;
    place->best_loss = valid->loss;
    place->best_figure = valid->figure;
    place->best_epoch = place->epoch;
    return training_save_model(self);
}

static int finish_epoch(training *self)
{
    training_result valid = {NAN, 0};
    int best = 0, outcome = self->steps->validate(self->user, &valid);

    if (outcome == OUTCOME_OK) outcome = keep_best(self, &valid, &best);
    if (outcome == OUTCOME_OK) outcome = training_tell_epoch(self, &valid, best);
    if (outcome != OUTCOME_OK) return outcome;
    self->place.epoch++;
    self->place.within = 0;
    self->order->next = 0;
    if (self->plot[0] != '\0' && plot_write(self->plot, &self->train_curve, &self->valid_curve,
                                     self->updates, self->unit, 0) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (console_is_broken()) return OUTCOME_FAILED;
    return self->checkpoint[0] != '\0' ? training_save(self) : OUTCOME_OK;
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

int training_run(training *self)
{
    int outcome;

    self->began = self->told = self->saved = system_clock();
    outcome = prepare(self);
    while (outcome == OUTCOME_OK && goes_on(self)) {
        outcome = run_epoch(self);
        if (outcome == OUTCOME_OK) outcome = finish_epoch(self);
    }
    if (outcome == OUTCOME_OK) return training_tell_done(self);
    if (outcome != OUTCOME_INTERRUPTED) return outcome;
    if (training_save(self) != OUTCOME_OK) return OUTCOME_FAILED;
    return resume_tell(
        self->parsed, self->json, (int64_t)self->place.update, self->updates, self->run_path);
}

void training_close(training *self)
{
    rnnkit_checkpoint_destroy(self->run);
    rnnkit_schedule_destroy(self->schedule);
    rnnkit_optimizer_destroy(self->optimizer);
    rnnkit_tape_destroy(self->tape);
    curve_free(&self->train_curve);
    curve_free(&self->valid_curve);
    record_free(&self->earlier);
    free(self->run_path);
}
