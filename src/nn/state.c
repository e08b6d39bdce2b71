/* States of recurrent layers, and streaming: one step at a time, without a tape. */
#include "nn/rnn.h"

int64_t rki_state_count(const rnnkit_state *state)
{
    return state->batch * rki_rnn_state_width(state->rnn);
}

void *rki_state_part(const rnnkit_state *state, int64_t part, int cell)
{
    int64_t place = rki_rnn_state_place(state->rnn, part, cell) * state->batch;
    return (char *)state->values + rki_device_bytes(state->model->context->device, place);
}

void *rki_state_output(const rnnkit_state *state)
{
    return rki_state_part(state, state->rnn->layers - 1, 0);
}

/* Every array of the state: part by part, h and then c. */
typedef struct state_array {
    int64_t width;
    char *values;               /* [batch][width] */
    const rki_parameter *start; /* what a row of it starts from, or NULL: zeros */
} state_array;

static int64_t array_count(const rki_rnn_layer *rnn)
{
    return rnn->layers * rnn->directions * (rnn->cell == RKI_CELL_LSTM ? 2 : 1);
}

static state_array array_at(const rnnkit_state *state, int64_t index)
{
    const rki_rnn_layer *rnn = state->rnn;
    int lstm = rnn->cell == RKI_CELL_LSTM, cell = lstm && index % 2 > 0;
    int64_t part = lstm ? index / 2 : index, l = part / rnn->directions;
    const rki_rnn_weights *weights = &rnn->weights[part];
    return (state_array){.width = cell ? rnn->hidden[l] : rki_rnn_output(rnn, l),
        .values = rki_state_part(state, part, cell),
        .start = cell ? weights->c0 : weights->h0};
}

/* Life. */

static rki_recurrent step_operation(const rki_rnn_layer *rnn, int64_t part, int64_t batch)
{
    rki_recurrent operation = rki_rnn_operation(rnn, part);
    operation.steps = 1;
    operation.batch = batch;
    return operation;
}

static size_t step_scratch(const rki_device *device, const rki_rnn_layer *rnn, int64_t batch)
{
    size_t most = 0;
    for (int64_t part = 0; part < rnn->layers && rnn->directions == 1; part++) {
        rki_recurrent operation = step_operation(rnn, part, batch);
        size_t bytes = device->ops->recurrent_step_scratch(device->self, &operation);
        if (bytes > most) most = bytes;
    }
    return most;
}

static int32_t reset_row(const rnnkit_state *state, int64_t row)
{
    const rki_device *device = state->model->context->device;
    for (int64_t i = 0; i < array_count(state->rnn); i++) {
        state_array array = array_at(state, i);
        size_t bytes = rki_device_bytes(device, array.width);
        char *values = array.values + (size_t)row * bytes;
        if (array.start == NULL)
            RKI_TRY(device->ops->zero(device->self, values, bytes));
        else
            RKI_TRY(device->ops->copy(device->self, values, array.start->value, bytes));
    }
    return RNNKIT_OK;
}

static int32_t reset_all(const rnnkit_state *state)
{
    const rki_device *device = state->model->context->device;
    if (state->rnn->settings.initial != RKI_RNN_LEARNED)
        return device->ops->zero(
            device->self, state->values, rki_device_bytes(device, rki_state_count(state)));
    for (int64_t row = 0; row < state->batch; row++)
        RKI_TRY(reset_row(state, row));
    return RNNKIT_OK;
}

static int32_t allocate_arrays(rnnkit_state *state)
{
    const rki_device *device = state->model->context->device;
    const int64_t values[2] = {state->batch, rki_rnn_state_width(state->rnn)};
    const int64_t input[2] = {state->batch, state->rnn->layer.sizes[0]};
    rki_shape shape;
    RKI_TRY(rki_shape_make(values, 2, &shape));
    RKI_TRY(rki_device_allocate(device, rki_shape_count(&shape), &state->values));
    RKI_TRY(rki_shape_make(input, 2, &shape));
    RKI_TRY(rki_device_allocate(device, rki_shape_count(&shape), &state->input));
    size_t bytes = step_scratch(device, state->rnn, state->batch);
    if (bytes > 0) RKI_TRY(device->ops->allocate(device->self, bytes, &state->scratch));
    return reset_all(state);
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
    if (row == -1) return reset_all(state);
    if (row < 0 || row >= state->batch)
        return rki_fail(RNNKIT_E_ARGUMENT, "row is %lld, expected 0 to %lld, or -1 for all",
            (long long)row, (long long)state->batch - 1);
    return reset_row(state, row);
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
    return rki_fail(RNNKIT_E_SHAPE, "values holds %lld numbers, the state %lld: %lld rows of %lld",
        (long long)count, (long long)rki_state_count(state), (long long)state->batch,
        (long long)rki_rnn_state_width(state->rnn));
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

int32_t rki_rnn_check_step(const rki_rnn_layer *rnn)
{
    if (rnn->directions == 1) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT,
        "layer \"%s\" is bidirectional: its reverse direction has to see the end first",
        rnn->layer.name);
}

int32_t rki_state_step(rnnkit_state *state)
{
    const rki_device *device = state->model->context->device;
    const void *x = state->input;
    for (int64_t l = 0; l < state->rnn->layers; l++) {
        rki_recurrent_step call = {.layer = step_operation(state->rnn, l, state->batch),
            .weights = rki_rnn_operands(&state->rnn->weights[l]),
            .x = x,
            .h = rki_state_part(state, l, 0),
            .scratch = state->scratch,
            .back = state->back};
        if (state->rnn->cell == RKI_CELL_LSTM) call.c = rki_state_part(state, l, 1);
        RKI_TRY(device->ops->recurrent_step(device->self, &call));
        x = call.h;
    }
    state->back = !state->back;
    return RNNKIT_OK;
}

/* *frames is how many steps x and y hold. */
static int32_t check_step(const rki_rnn_layer *rnn, const rnnkit_state *state, const float *x,
    int64_t x_count, const float *y, int64_t y_count, int64_t *frames)
{
    RKI_TRY(rki_check(state, RKI_KIND_STATE, "state"));
    RKI_TRY(rki_check_pointer(x, "x"));
    RKI_TRY(rki_check_pointer(y, "y"));
    if (state->rnn != rnn)
        return rki_fail(
            RNNKIT_E_SHAPE, "state belongs to another layer than \"%s\"", rnn->layer.name);
    RKI_TRY(rki_rnn_check_step(rnn));
    int64_t x_frame = state->batch * rnn->layer.sizes[0];
    int64_t y_frame = state->batch * rki_rnn_outputs(rnn, rnn->layers - 1);
    *frames = x_count / x_frame;
    if (x_count < 1 || x_count % x_frame != 0 || y_count % y_frame != 0 ||
        y_count / y_frame != *frames)
        return rki_fail(RNNKIT_E_SHAPE,
            "x has %lld and y %lld numbers, expected %lld and %lld for each step of %lld rows",
            (long long)x_count, (long long)y_count, (long long)x_frame, (long long)y_frame,
            (long long)state->batch);
    return RNNKIT_OK;
}

static int32_t step(const rki_rnn_layer *rnn, rnnkit_state *state, const float *x, int64_t x_count,
    float *y, int64_t y_count)
{
    int64_t frames = 1;
    RKI_TRY(check_step(rnn, state, x, x_count, y, y_count, &frames));
    const rnnkit_context *context = state->model->context;
    const rki_memory *memory = &context->memory;
    int64_t x_frame = x_count / frames, y_frame = y_count / frames;
    for (int64_t i = 0; i < frames; i++) {
        RKI_TRY(rki_device_write(context->device, memory, state->input, x + i * x_frame, x_frame));
        RKI_TRY(rki_state_step(state));
        RKI_TRY(rki_device_read(
            context->device, memory, rki_state_output(state), y + i * y_frame, y_frame));
    }
    return RNNKIT_OK;
}

int32_t rnnkit_rnn_step(rnnkit_rnn *rnn, rnnkit_state *state, const float *x, int64_t x_count,
    float *y, int64_t y_count)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = step(rki_rnn_of(rnn), state, x, x_count, y, y_count);
    return rki_leave(rnn->handle.model->context, __func__, status);
}
