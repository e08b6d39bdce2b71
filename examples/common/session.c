/* See session.h. */
#include "session.h"

#include <stdlib.h>

#include "console.h"
#include "output.h"
#include "system.h"

static int check_output(
    const session *self, const char *name, const char *path, const char *const *inputs)
{
    if (output_check(name, path) != OUTCOME_OK) return OUTCOME_FAILED;
    for (; inputs[0] != NULL; inputs += 2)
        if (output_check_apart(name, path, inputs[0], inputs[1]) != OUTCOME_OK)
            return OUTCOME_FAILED;
    if (path == self->model) return OUTCOME_OK;
    return output_check_apart(name, path, "model", self->model);
}

int session_begin(session *self, const char *const *inputs)
{
    self->path = resume_path(self->checkpoint, self->model);
    if (self->path == NULL || check_output(self, "model", self->model, inputs) != OUTCOME_OK ||
        check_output(self, "checkpoint", self->path, inputs) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (self->plot[0] != '\0' &&
        (check_output(self, "plot", self->plot, inputs) != OUTCOME_OK ||
            output_check_apart("plot", self->plot, "checkpoint", self->path) != OUTCOME_OK))
        return OUTCOME_FAILED;
    if (!self->resume) return OUTCOME_OK;
    if (record_read(&self->earlier, self->kind, self->path) != OUTCOME_OK ||
        record_apply(&self->earlier, self->parsed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    self->train_curve = self->earlier.train;
    self->valid_curve = self->earlier.valid;
    self->earlier.train = self->earlier.valid = (curve){0};
    return OUTCOME_OK;
}

void session_close(session *self)
{
    curve_free(&self->train_curve);
    curve_free(&self->valid_curve);
    record_free(&self->earlier);
    free(self->path);
}

void session_settle(session *self, int64_t *threads)
{
    const arguments *parsed = self->parsed;

    if (*threads == 0) *threads = system_processors();
    parsed->given[arguments_find(parsed, "threads")] = 1;
    parsed->given[arguments_find(parsed, "seed")] = 1;
}

int session_check_data(const session *self, uint64_t fingerprint)
{
    return self->resume ? record_check_data(&self->earlier, fingerprint) : OUTCOME_OK;
}

int session_load(session *self, void *place)
{
    if (!self->resume) return OUTCOME_OK;
    if (resume_load(self->run, self->path, self->numbers, self->number_count, place) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_number(self->run, "seconds", &self->seconds));
}

int session_record(session *self, uint64_t fingerprint, int has_model)
{
    if (record_options(self->kind, self->network, self->parsed, fingerprint) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return has_model ? record_check_model(&self->earlier, self->model) : OUTCOME_OK;
}

void session_start(session *self)
{
    self->began = self->told = self->saved = system_clock();
}

double session_seconds(const session *self)
{
    return self->seconds + system_clock() - self->began;
}

int session_save_model(session *self, int with_curves)
{
    if (record_curves(self->kind, self->network, with_curves ? &self->train_curve : NULL,
            with_curves ? &self->valid_curve : NULL) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_model_save(self->network, self->model));
}

int session_save(session *self, const void *place)
{
    if (record_curves(self->kind, self->network, &self->train_curve, &self->valid_curve) !=
            OUTCOME_OK ||
        failed(rnnkit_checkpoint_set_number(self->run, "seconds", session_seconds(self))))
        return OUTCOME_FAILED;
    self->saved = system_clock();
    return resume_save(self->run, self->path, self->numbers, self->number_count, place);
}

int session_save_when_due(session *self, const void *place)
{
    double wait = 60.0 * self->checkpoint_minutes;

    if (self->checkpoint[0] == '\0' || wait <= 0 || system_clock() - self->saved < wait)
        return OUTCOME_OK;
    return session_save(self, place);
}

int session_stop(session *self, const void *place, int64_t update, int64_t updates)
{
    if (session_save(self, place) != OUTCOME_OK) return OUTCOME_FAILED;
    return resume_tell(self->parsed, self->json, update, updates, self->path);
}
