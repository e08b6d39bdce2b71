/* See training.h; what it says is in training_report.c. */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "interrupt.h"
#include "output.h"
#include "system.h"
#include "training_report.h"

int training_check(const char *model, const char *plot, const char *const *inputs)
{
    if (output_check("model", model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (plot[0] != '\0' && (output_check("plot", plot) != OUTCOME_OK ||
                               output_check_apart("plot", plot, "model", model) != OUTCOME_OK))
        return OUTCOME_FAILED;
    for (; inputs[0] != NULL; inputs += 2)
        if (output_check_apart("model", model, inputs[0], inputs[1]) != OUTCOME_OK ||
            (plot[0] != '\0' &&
                output_check_apart("plot", plot, inputs[0], inputs[1]) != OUTCOME_OK))
            return OUTCOME_FAILED;
    return OUTCOME_OK;
}

static int prepare(training *self)
{
    char text[80];

    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", self->lr, self->clip);
    if (failed(rnnkit_tape_create(self->context, "train=1", &self->tape)) ||
        failed(rnnkit_optimizer_create(self->network, "adam", text, &self->optimizer)))
        return OUTCOME_FAILED;
    return failed(rnnkit_schedule_create(
        self->optimizer, "cosine", self->epoch_updates * self->epochs, NULL, &self->schedule));
}

static int update(training *self)
{
    double loss = NAN, weight = 0;
    int32_t status;
    int outcome;

    if (failed(rnnkit_tape_clear(self->tape))) return OUTCOME_FAILED;
    outcome = self->steps->update(self->user, self->tape, &loss, &weight);
    if (outcome != OUTCOME_OK) return outcome;
    status = rnnkit_optimizer_step(self->optimizer);
    if (status == RNNKIT_E_DIVERGED)
        return fail("training diverged in epoch %" PRId64 "; try a smaller --lr", self->epoch);
    if (failed(status) || failed(rnnkit_schedule_step(self->schedule))) return OUTCOME_FAILED;
    self->update++;
    self->epoch_loss += loss * weight;
    self->epoch_weight += weight;
    self->interval_loss += loss * weight;
    self->interval_weight += weight;
    return OUTCOME_OK;
}

static int run_epoch(training *self)
{
    double wait = self->json ? 1 : console_is_terminal() ? 0.2 : 10;
    int outcome = self->steps->begin_epoch(self->user);

    self->epoch_loss = self->epoch_weight = 0;
    for (int64_t i = 0; i < self->epoch_updates && outcome == OUTCOME_OK; i++) {
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        outcome = update(self);
        if (outcome != OUTCOME_OK || system_clock() - self->told < wait) continue;
        outcome = training_tell_progress(self);
        if (console_is_broken()) return OUTCOME_FAILED;
    }
    return outcome;
}

static int finish_epoch(training *self)
{
    training_result valid = {NAN, NAN};
    int outcome = self->steps->validate(self->user, &valid), best;

    if (outcome != OUTCOME_OK) return outcome;
    if (!isfinite(valid.loss))
        return fail("training diverged in epoch %" PRId64 "; try a smaller --lr", self->epoch);
    best = self->best_epoch == 0 || valid.loss < self->best.loss;
    if (best) {
        if (failed(rnnkit_model_save(self->network, self->model))) return OUTCOME_FAILED;
        self->best = valid;
        self->best_epoch = self->epoch;
    }
    return training_tell_epoch(self, &valid, best);
}

static int run_epochs(training *self)
{
    for (self->epoch = 1; self->epoch <= self->epochs; self->epoch++) {
        int outcome = run_epoch(self);

        if (outcome == OUTCOME_OK) outcome = finish_epoch(self);
        if (outcome != OUTCOME_OK) return outcome;
        if (console_is_broken()) return OUTCOME_FAILED;
        if (self->epoch - self->best_epoch >= self->patience) break;
    }
    return OUTCOME_OK;
}

int training_run(training *self)
{
    int outcome = prepare(self);

    self->began = self->told = system_clock();
    if (outcome == OUTCOME_OK) outcome = run_epochs(self);
    if (outcome == OUTCOME_INTERRUPTED)
        console_note("interrupted after update %" PRId64 "; %s %s", self->update, self->model,
            self->best_epoch > 0 ? "holds the best weights so far" : "was not written");
    return outcome == OUTCOME_OK ? training_tell_done(self) : outcome;
}

void training_close(training *self)
{
    rnnkit_schedule_destroy(self->schedule);
    rnnkit_optimizer_destroy(self->optimizer);
    rnnkit_tape_destroy(self->tape);
    free(self->train_curve.x);
    free(self->train_curve.y);
    free(self->valid_curve.x);
    free(self->valid_curve.y);
}
