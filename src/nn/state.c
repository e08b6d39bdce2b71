/* States of recurrent layers, and streaming: one step at a time, without a tape. */
#include "nn/layers.h"

int64_t rki_state_count(const rnnkit_state *state)
{
    return 2 * state->rnn->settings.layers * state->batch * state->rnn->layer.sizes[1];
}

void *rki_state_part(const rnnkit_state *state, int64_t l, int64_t part)
{
    const rki_device *device = state->model->context->device;
    size_t bytes = rki_device_bytes(device, state->batch * state->rnn->layer.sizes[1]);
    return (char *)state->values + (size_t)(2 * l + part) * bytes;
}

/* Life. */

static rki_recurrent step_layer(const rki_rnn_layer *rnn, int64_t l, int64_t batch)
{
    return (rki_recurrent){.cell = RKI_CELL_LSTM,
        .steps = 1,
        .batch = batch,
        .input = rki_rnn_inputs(rnn, l),
        .hidden = rnn->layer.sizes[1],
        .output = rnn->layer.sizes[1]};
}

static size_t step_scratch(const rki_device *device, const rki_rnn_layer *rnn, int64_t batch)
{
    size_t most = 0;
    for (int64_t l = 0; l < rnn->settings.layers; l++) {
        rki_recurrent layer = step_layer(rnn, l, batch);
        size_t bytes = device->ops->recurrent_step_scratch(device->self, &layer);
        if (bytes > most) most = bytes;
    }
    return most;
}

static int32_t allocate_arrays(rnnkit_state *state)
{
    const rki_device *device = state->model->context->device;
    const int64_t *sizes = state->rnn->layer.sizes;
    const int64_t values[4] = {state->rnn->settings.layers, 2, state->batch, sizes[1]};
    const int64_t input[2] = {state->batch, sizes[0]};
    rki_shape shape;
    RKI_TRY(rki_shape_make(values, 4, &shape));
    RKI_TRY(rki_device_allocate(device, rki_shape_count(&shape), &state->values));
    RKI_TRY(rki_shape_make(input, 2, &shape));
    RKI_TRY(rki_device_allocate(device, rki_shape_count(&shape), &state->input));
    size_t bytes = step_scratch(device, state->rnn, state->batch);
    return bytes == 0 ? RNNKIT_OK : device->ops->allocate(device->self, bytes, &state->scratch);
}

int32_t rki_state_new(
    rnnkit_model *model, const rki_rnn_layer *rnn, int64_t batch, rnnkit_state **out)
{
    void *block;
    RKI_TRY(rki_allocate(&model->context->memory, 1, sizeof(rnnkit_state), "a state", &block));
    rnnkit_state *state = block;
    rki_object_init(&state->object, RKI_KIND_STATE);
    state->model = model;
    state->rnn = rnn;
    state->batch = batch;
    rki_model_retain(model);
    int32_t status = allocate_arrays(state);
    if (status < 0)
        rki_state_release(state);
    else
        *out = state;
    return status;
}

void rki_state_release(rnnkit_state *state)
{
    if (!rki_object_release(&state->object)) return;
    rnnkit_model *model = state->model;
    rki_device_release(model->context->device, state->values);
    rki_device_release(model->context->device, state->input);
    rki_device_release(model->context->device, state->scratch);
    rki_release(&model->context->memory, state);
    rki_model_release(model);
}

static int32_t create(rnnkit_rnn *rnn, int64_t batch, rnnkit_state **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    if (batch < 1) return rki_fail(RNNKIT_E_ARGUMENT, "batch is %lld, below 1", (long long)batch);
    return rki_state_new(rnn->handle.model, rki_rnn_of(rnn), batch, out);
}

int32_t rnnkit_state_create(rnnkit_rnn *rnn, int64_t batch, rnnkit_state **out)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rnn->handle.model->context, __func__, create(rnn, batch, out));
}

void rnnkit_state_destroy(rnnkit_state *state)
{
    if (state != NULL && rki_check(state, RKI_KIND_STATE, "state") >= 0) rki_state_release(state);
}

/* Values. */

static int32_t reset(rnnkit_state *state, int64_t row)
{
    const rki_device *device = state->model->context->device;
    int64_t layers = state->rnn->settings.layers, hidden = state->rnn->layer.sizes[1];
    size_t bytes = rki_device_bytes(device, hidden);
    if (row == -1)
        return device->ops->zero(
            device->self, state->values, rki_device_bytes(device, rki_state_count(state)));
    if (row < 0 || row >= state->batch)
        return rki_fail(RNNKIT_E_ARGUMENT, "row is %lld, expected 0 to %lld, or -1 for all",
            (long long)row, (long long)state->batch - 1);
    for (int64_t part = 0; part < 2 * layers; part++) {
        char *values = rki_state_part(state, 0, part);
        RKI_TRY(device->ops->zero(device->self, values + (size_t)row * bytes, bytes));
    }
    return RNNKIT_OK;
}

int32_t rnnkit_state_reset(rnnkit_state *state, int64_t row)
{
    int32_t status = rki_check(state, RKI_KIND_STATE, "state");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(state->model->context, __func__, reset(state, row));
}

static int32_t copy(rnnkit_state *target, const rnnkit_state *source)
{
    RKI_TRY(rki_check(source, RKI_KIND_STATE, "source"));
    const rki_device *device = target->model->context->device;
    if (target->rnn != source->rnn || target->batch != source->batch)
        return rki_fail(RNNKIT_E_SHAPE,
            "target has %lld rows for layer \"%s\", source %lld for \"%s\": they must be of the "
            "same layer and size",
            (long long)target->batch, target->rnn->layer.name, (long long)source->batch,
            source->rnn->layer.name);
    if (target == source) return RNNKIT_OK;
    return device->ops->copy(device->self, target->values, source->values,
        rki_device_bytes(device, rki_state_count(target)));
}

int32_t rnnkit_state_copy(rnnkit_state *target, const rnnkit_state *source)
{
    int32_t status = rki_check(target, RKI_KIND_STATE, "target");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(target->model->context, __func__, copy(target, source));
}

static int32_t check_values(const rnnkit_state *state, const float *values, int64_t count)
{
    RKI_TRY(rki_check_pointer(values, "values"));
    if (count == rki_state_count(state)) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "values holds %lld numbers, the state [%lld, 2, %lld, %lld]",
        (long long)count, (long long)state->rnn->settings.layers, (long long)state->batch,
        (long long)state->rnn->layer.sizes[1]);
}

int32_t rnnkit_state_read(const rnnkit_state *state, float *values, int64_t count)
{
    int32_t status = rki_check(state, RKI_KIND_STATE, "state");
    if (status < 0) return rki_leave(NULL, __func__, status);
    rnnkit_context *context = state->model->context;
    status = check_values(state, values, count);
    if (status >= 0)
        status = rki_device_read(context->device, &context->memory, state->values, values, count);
    return rki_leave(context, __func__, status);
}

int32_t rnnkit_state_write(rnnkit_state *state, const float *values, int64_t count)
{
    int32_t status = rki_check(state, RKI_KIND_STATE, "state");
    if (status < 0) return rki_leave(NULL, __func__, status);
    rnnkit_context *context = state->model->context;
    status = check_values(state, values, count);
    if (status >= 0)
        status = rki_device_write(context->device, &context->memory, state->values, values, count);
    return rki_leave(context, __func__, status);
}

/* Streaming. */

int32_t rki_state_step(rnnkit_state *state)
{
    const rki_device *device = state->model->context->device;
    const void *x = state->input;
    for (int64_t l = 0; l < state->rnn->settings.layers; l++) {
        rki_recurrent_step call = {.layer = step_layer(state->rnn, l, state->batch),
            .weights = rki_rnn_operands(&state->rnn->weights[l]),
            .x = x,
            .h = rki_state_part(state, l, 0),
            .c = rki_state_part(state, l, 1),
            .scratch = state->scratch};
        RKI_TRY(device->ops->recurrent_step(device->self, &call));
        x = call.h;
    }
    return RNNKIT_OK;
}

static int32_t check_step(const rki_rnn_layer *rnn, const rnnkit_state *state, const float *x,
    int64_t x_count, const float *y, int64_t y_count)
{
    RKI_TRY(rki_check(state, RKI_KIND_STATE, "state"));
    RKI_TRY(rki_check_pointer(x, "x"));
    RKI_TRY(rki_check_pointer(y, "y"));
    if (state->rnn != rnn)
        return rki_fail(
            RNNKIT_E_SHAPE, "state belongs to another layer than \"%s\"", rnn->layer.name);
    int64_t x_wanted = state->batch * rnn->layer.sizes[0];
    int64_t y_wanted = state->batch * rnn->layer.sizes[1];
    if (x_count != x_wanted || y_count != y_wanted)
        return rki_fail(RNNKIT_E_SHAPE,
            "x has %lld and y %lld numbers, expected %lld and %lld for %lld rows",
            (long long)x_count, (long long)y_count, (long long)x_wanted, (long long)y_wanted,
            (long long)state->batch);
    return RNNKIT_OK;
}

static int32_t step(const rki_rnn_layer *rnn, rnnkit_state *state, const float *x, int64_t x_count,
    float *y, int64_t y_count)
{
    RKI_TRY(check_step(rnn, state, x, x_count, y, y_count));
    const rnnkit_context *context = state->model->context;
    RKI_TRY(rki_device_write(context->device, &context->memory, state->input, x, x_count));
    RKI_TRY(rki_state_step(state));
    return rki_device_read(context->device, &context->memory,
        rki_state_part(state, rnn->settings.layers - 1, 0), y, y_count);
}

int32_t rnnkit_rnn_step(rnnkit_rnn *rnn, rnnkit_state *state, const float *x, int64_t x_count,
    float *y, int64_t y_count)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = step(rki_rnn_of(rnn), state, x, x_count, y, y_count);
    return rki_leave(rnn->handle.model->context, __func__, status);
}
