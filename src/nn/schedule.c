/* Schedules: the learning rate as a function of the updates done, n = 0, 1, ..., W = warmup.
 *
 *   n < W     peak (n + 1) / W
 *   else, with p = min(1, (n - W) / (steps - W)):
 *   constant  peak
 *   linear    peak + (floor - peak) p
 *   cosine    floor + (peak - floor) (1 + cos(pi p)) / 2
 *   step      peak factor^floor((n - W) / every)
 *   plateau   peak factor^r, r the number of reductions: one whenever more than `patience`
 *             observations in a row were not below best (1 - threshold)
 * and never below floor.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/optimizer.h"

#define FIELD(name) offsetof(rki_schedule_settings, name)

static const rki_option rows[] = {
    {"warmup", RKI_OPTION_INTEGER, FIELD(warmup), 0, 9007199254740992.0, "0", NULL, "0.1",
        "updates over which the rate rises from 0"},
    {"floor", RKI_OPTION_NUMBER, FIELD(floor), 0, 1e6, "0", NULL, "0.1",
        "the least that the rate becomes"},
    {"factor", RKI_OPTION_NUMBER, FIELD(factor), 0, 1, "0.1", NULL, "0.1",
        "what the rate is multiplied by; step and plateau"},
    {"every", RKI_OPTION_INTEGER, FIELD(every), 1, 9007199254740992.0, "1000", NULL, "0.1",
        "updates from one reduction to the next; step"},
    {"patience", RKI_OPTION_INTEGER, FIELD(patience), 0, 9007199254740992.0, "10", NULL, "0.1",
        "losses without improvement that are put up with; plateau"},
    {"threshold", RKI_OPTION_NUMBER, FIELD(threshold), 0, 0.999, "0.0001", NULL, "0.1",
        "share by which a loss must be lower to count as better; plateau"},
};
const rki_option_table rki_schedule_options = {"schedule", rows, sizeof rows / sizeof *rows};

/* In the order of rki_schedule_shape. */
static const char *const shapes[] = {"constant", "linear", "cosine", "step", "plateau"};

static int32_t find_shape(const char *name, rki_schedule_shape *out)
{
    RKI_TRY(rki_check_pointer(name, "shape"));
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(shapes[i], name) != 0) continue;
        *out = (rki_schedule_shape)i;
        return RNNKIT_OK;
    }
    return rki_fail(RNNKIT_E_ARGUMENT,
        "shape is '%.40s', expected constant, linear, cosine, step or plateau", name);
}

static double rate_now(const rnnkit_schedule *self)
{
    const rki_schedule_settings *settings = &self->settings;
    int64_t past = self->done - settings->warmup;
    double share = (double)past / (double)(self->steps - settings->warmup);
    double rate = self->peak;
    if (past < 0) return self->peak * (double)(self->done + 1) / (double)settings->warmup;
    if (share > 1) share = 1;
    switch (self->shape) {
    case RKI_SCHEDULE_CONSTANT: break;
    case RKI_SCHEDULE_LINEAR: rate += (settings->floor - self->peak) * share; break;
    case RKI_SCHEDULE_COSINE:
        rate = settings->floor +
               (self->peak - settings->floor) * (1 + cos(3.14159265358979323846 * share)) / 2;
        break;
    case RKI_SCHEDULE_STEP: rate *= pow(settings->factor, (double)(past / settings->every)); break;
    case RKI_SCHEDULE_PLATEAU: rate *= self->reduction; break;
    }
    return rate < settings->floor ? settings->floor : rate;
}

/* Life. */

static int32_t check_settings(const rnnkit_schedule *self)
{
    int falls = self->shape == RKI_SCHEDULE_LINEAR || self->shape == RKI_SCHEDULE_COSINE;
    if (self->steps < 1)
        return rki_fail(RNNKIT_E_ARGUMENT, "steps is %lld, below 1", (long long)self->steps);
    if (falls && self->settings.warmup >= self->steps)
        return rki_fail(RNNKIT_E_OPTION, "option warmup is %lld, expected less than steps = %lld",
            (long long)self->settings.warmup, (long long)self->steps);
    if (self->settings.floor > self->peak)
        return rki_fail(RNNKIT_E_OPTION, "option floor is %g, above the learning rate %g",
            self->settings.floor, self->peak);
    return RNNKIT_OK;
}

static int32_t create(rnnkit_optimizer *optimizer, const char *shape, int64_t steps,
    const char *options, rnnkit_schedule **out)
{
    rnnkit_schedule made = {.optimizer = optimizer,
        .steps = steps,
        .peak = optimizer->rate,
        .best = INFINITY,
        .reduction = 1};
    void *block;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(find_shape(shape, &made.shape));
    RKI_TRY(rki_options_parse(&rki_schedule_options, options, &made.settings));
    RKI_TRY(check_settings(&made));
    RKI_TRY(rki_allocate(&optimizer->model->context->memory, 1, sizeof made, "a schedule", &block));
    rnnkit_schedule *self = block;
    memcpy(self, &made, sizeof made);
    rki_object_init(&self->object, RKI_KIND_SCHEDULE);
    rki_object_retain(&optimizer->object);
    optimizer->rate = rate_now(self);
    *out = self;
    return RNNKIT_OK;
}

int32_t rnnkit_schedule_create(rnnkit_optimizer *optimizer, const char *shape, int64_t steps,
    const char *options, rnnkit_schedule **out)
{
    int32_t status = rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = create(optimizer, shape, steps, options, out);
    return rki_leave(optimizer->model->context, __func__, status);
}

void rki_schedule_release(rnnkit_schedule *self)
{
    if (!rki_object_release(&self->object)) return;
    rnnkit_optimizer *optimizer = self->optimizer;
    rki_release(&optimizer->model->context->memory, self);
    rki_optimizer_release(optimizer);
}

void rnnkit_schedule_destroy(rnnkit_schedule *schedule)
{
    if (schedule != NULL && rki_check(schedule, RKI_KIND_SCHEDULE, "schedule") >= 0)
        rki_schedule_release(schedule);
}

int32_t rki_schedule_setup(const rnnkit_schedule *self, const rki_memory *memory, char **out)
{
    char head[96], *options;
    snprintf(head, sizeof head, "%s steps=%lld", shapes[self->shape], (long long)self->steps);
    RKI_TRY(rki_options_format(&rki_schedule_options, &self->settings, memory, &options));
    int32_t status = rki_setup_join(memory, head, options, out);
    rki_release(memory, options);
    return status;
}

/* Moving on. */

int32_t rnnkit_schedule_step(rnnkit_schedule *schedule)
{
    int32_t status = rki_check(schedule, RKI_KIND_SCHEDULE, "schedule");
    if (status < 0) return rki_leave(NULL, __func__, status);
    schedule->done++;
    schedule->optimizer->rate = rate_now(schedule);
    return RNNKIT_OK;
}

static int32_t observe(rnnkit_schedule *self, double loss)
{
    if (isnan(loss)) return rki_fail(RNNKIT_E_ARGUMENT, "loss is not a number");
    if (self->shape != RKI_SCHEDULE_PLATEAU) return RNNKIT_OK;
    if (loss < self->best - fabs(self->best) * self->settings.threshold || isinf(self->best)) {
        self->best = loss;
        self->bad = 0;
    } else if (++self->bad > self->settings.patience) {
        self->bad = 0;
        self->reduction *= self->settings.factor;
        self->optimizer->rate = rate_now(self);
    }
    return RNNKIT_OK;
}

int32_t rnnkit_schedule_observe(rnnkit_schedule *schedule, double loss)
{
    int32_t status = rki_check(schedule, RKI_KIND_SCHEDULE, "schedule");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(schedule->optimizer->model->context, __func__, observe(schedule, loss));
}
