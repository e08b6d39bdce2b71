/* What a checkpoint keeps of each kind of object, and attaching them. See checkpoint.h. */
#include "nn/checkpoint_kinds.h"

#include <math.h>
#include <stdio.h>

#include "nn/layers.h"
#include "nn/optimizer.h"
#include "text/batches.h"

static const rki_device *device_of_model(const rnnkit_model *model)
{
    return model->context->device;
}

static int32_t refuse(const char *what)
{
    return rki_fail(RNNKIT_E_FORMAT, "%s is out of range in the checkpoint", what);
}

/* Optimisers: updates done; rate, norm; moments by parameter. */

static int32_t optimizer_setup(const void *object, const rki_memory *memory, char **out)
{
    return rki_optimizer_setup(object, memory, out);
}

static void optimizer_get(const void *object, int64_t *integers, double *values)
{
    const rnnkit_optimizer *self = object;
    integers[0] = self->steps;
    values[0] = self->rate;
    values[1] = self->norm;
}

static int32_t optimizer_set(void *object, const int64_t *integers, const double *values)
{
    rnnkit_optimizer *self = object;
    if (integers[0] < 0) return refuse("the number of updates");
    if (!(values[0] >= 0 && isfinite(values[0]))) return refuse("the learning rate");
    self->steps = integers[0];
    self->rate = values[0];
    self->norm = values[1];
    return RNNKIT_OK;
}

static const rki_device *optimizer_device(const void *object)
{
    return device_of_model(((const rnnkit_optimizer *)object)->model);
}

/* Index 2 i is the first, 2 i + 1 the second moment of parameter i; a rule that keeps only one of
 * them keeps it of every parameter. */
static int optimizer_array(const void *object, int64_t index, rki_part_array *out)
{
    const rnnkit_optimizer *self = object;
    if (self->parameter_count == 0) return 0;
    int has_first = self->moments[0].first != NULL, has_second = self->moments[0].second != NULL;
    int64_t each = has_first + has_second;
    if (each == 0 || index >= each * self->parameter_count) return 0;
    int64_t i = index / each;
    int second = !has_first || index % each == 1;
    *out = (rki_part_array){.what = second ? "second" : "first",
        .name = self->model->parameters[i]->name,
        .shape = self->model->parameters[i]->shape,
        .values = second ? self->moments[i].second : self->moments[i].first};
    return 1;
}

static void optimizer_release(void *object)
{
    rki_optimizer_release(object);
}

static const rki_part_kind optimizer_kind = {"optimizer", 1, 2, optimizer_setup, optimizer_get,
    optimizer_set, optimizer_device, optimizer_array, optimizer_release};

/* Schedules: updates and bad losses; best loss, reduction, peak. */

static int32_t schedule_setup(const void *object, const rki_memory *memory, char **out)
{
    return rki_schedule_setup(object, memory, out);
}

static void schedule_get(const void *object, int64_t *integers, double *values)
{
    const rnnkit_schedule *self = object;
    integers[0] = self->done;
    integers[1] = self->bad;
    values[0] = self->best;
    values[1] = self->reduction;
    values[2] = self->peak;
}

static int32_t schedule_set(void *object, const int64_t *integers, const double *values)
{
    rnnkit_schedule *self = object;
    if (integers[0] < 0 || integers[1] < 0) return refuse("a counter");
    if (isnan(values[0]) || !(values[1] >= 0 && values[1] <= 1)) return refuse("the reduction");
    if (!(values[2] >= 0 && isfinite(values[2]))) return refuse("the peak rate");
    self->done = integers[0];
    self->bad = integers[1];
    self->best = values[0];
    self->reduction = values[1];
    self->peak = values[2];
    return RNNKIT_OK;
}

static void schedule_release(void *object)
{
    rki_schedule_release(object);
}

static const rki_part_kind schedule_kind = {
    "schedule", 2, 3, schedule_setup, schedule_get, schedule_set, NULL, NULL, schedule_release};

/* States: their values. */

static int32_t state_setup(const void *object, const rki_memory *memory, char **out)
{
    const rnnkit_state *self = object;
    char sizes[96];
    snprintf(sizes, sizeof sizes, "batch=%lld width=%lld", (long long)self->batch,
        (long long)rki_rnn_state_width(self->rnn));
    return rki_setup_join(memory, self->rnn->layer.name, sizes, out);
}

static void state_get(const void *object, int64_t *integers, double *values)
{
    (void)object;
    (void)integers;
    (void)values;
}

static int32_t state_set(void *object, const int64_t *integers, const double *values)
{
    (void)object;
    (void)integers;
    (void)values;
    return RNNKIT_OK;
}

static const rki_device *state_device(const void *object)
{
    return device_of_model(((const rnnkit_state *)object)->model);
}

static int state_array(const void *object, int64_t index, rki_part_array *out)
{
    const rnnkit_state *self = object;
    if (index > 0) return 0;
    *out = (rki_part_array){
        .what = "state", .shape = {1, {rki_state_count(self)}}, .values = self->values};
    return 1;
}

static void state_release(void *object)
{
    rki_state_release(object);
}

static const rki_part_kind state_kind = {
    "state", 0, 0, state_setup, state_get, state_set, state_device, state_array, state_release};

/* Tapes: the step that dropout draws from. */

static int32_t tape_setup(const void *object, const rki_memory *memory, char **out)
{
    const rnnkit_tape *self = object;
    char seed[32];
    snprintf(seed, sizeof seed, "seed=%lld", (long long)self->context->seed);
    return rki_setup_join(memory, self->train ? "train=1" : "train=0", seed, out);
}

static void tape_get(const void *object, int64_t *integers, double *values)
{
    (void)values;
    integers[0] = (int64_t)rki_tape_step(object);
}

static int32_t tape_set(void *object, const int64_t *integers, const double *values)
{
    (void)values;
    if (integers[0] < 0) return refuse("the step");
    rki_tape_set_step(object, (uint64_t)integers[0]);
    return RNNKIT_OK;
}

static void tape_release(void *object)
{
    rnnkit_tape_destroy(object);
}

static const rki_part_kind tape_kind = {
    "tape", 1, 0, tape_setup, tape_get, tape_set, NULL, NULL, tape_release};

/* Batches: their cursor. */

static int32_t batches_setup(const void *object, const rki_memory *memory, char **out)
{
    const rnnkit_batches *self = object;
    return rki_options_format(&rki_batches_options_table, &self->settings, memory, out);
}

static void batches_get(const void *object, int64_t *integers, double *values)
{
    (void)values;
    rki_batches_cursor(object, integers);
}

static int32_t batches_set(void *object, const int64_t *integers, const double *values)
{
    (void)values;
    return rki_batches_set_cursor(object, integers);
}

static void batches_release(void *object)
{
    rnnkit_batches_destroy(object);
}

static const rki_part_kind batches_kind = {"batches", RKI_BATCHES_CURSOR, 0, batches_setup,
    batches_get, batches_set, NULL, NULL, batches_release};

/* Attaching. */

static int32_t attach(rnnkit_checkpoint *checkpoint, const char *name, const rki_part_kind *kind,
    rki_kind handle, void *object)
{
    RKI_TRY(rki_check(object, handle, kind->name));
    return rki_checkpoint_add(checkpoint, name, kind, object);
}

static int32_t leave(rnnkit_checkpoint *checkpoint, const char *call, int32_t status)
{
    return rki_leave(checkpoint->model->context, call, status);
}

static int32_t add_optimizer(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_optimizer *optimizer)
{
    RKI_TRY(rki_check(optimizer, RKI_KIND_OPTIMIZER, "optimizer"));
    if (optimizer->model != checkpoint->model)
        return rki_fail(RNNKIT_E_ARGUMENT, "the optimizer is one for another model");
    return rki_checkpoint_add(checkpoint, name, &optimizer_kind, optimizer);
}

int32_t rnnkit_checkpoint_add_optimizer(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_optimizer *optimizer)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return leave(checkpoint, __func__, add_optimizer(checkpoint, name, optimizer));
}

int32_t rnnkit_checkpoint_add_schedule(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_schedule *schedule)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = attach(checkpoint, name, &schedule_kind, RKI_KIND_SCHEDULE, schedule);
    return leave(checkpoint, __func__, status);
}

int32_t rnnkit_checkpoint_add_state(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_state *state)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return leave(
        checkpoint, __func__, attach(checkpoint, name, &state_kind, RKI_KIND_STATE, state));
}

int32_t rnnkit_checkpoint_add_tape(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_tape *tape)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return leave(checkpoint, __func__, attach(checkpoint, name, &tape_kind, RKI_KIND_TAPE, tape));
}

int32_t rnnkit_checkpoint_add_batches(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_batches *batches)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return leave(
        checkpoint, __func__, attach(checkpoint, name, &batches_kind, RKI_KIND_BATCHES, batches));
}
