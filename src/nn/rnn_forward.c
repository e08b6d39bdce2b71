/* A recurrent layer over a whole sequence, on a tape: one node per layer, one operation per
 * direction, dropout between layers. A state is read at the start and written when all went well; no
 * gradient flows into it (truncated back-propagation through time). Into a start that is a tensor it
 * does, and from an end that is one it comes: both are laid out as a state is.
 *
 * Weight drop (Merity, Keskar and Socher 2018) is dropout of weight_hh, once for the sequence; a
 * learned first state is a table of one row that every row of the batch takes.
 */
#include "nn/rnn_run.h"

#include <string.h>

#include "autodiff/dropout.h"

/* A sequence on its way through the layers. */
typedef struct run {
    rnnkit_tape *tape;
    rnnkit_model *model;
    const rki_rnn_layer *rnn;
    const int32_t *lengths, *starts; /* the tape's copies, or NULL */
    const int32_t *zeros;            /* [batch], for a learned first state */
    const rnnkit_state *state;
    rki_rnn_ends *tensors; /* or NULL */
    int64_t steps, batch;
    void *ends; /* the state afterwards */
} run;

void *rki_rnn_part_of(const rnnkit_tape *tape, const rki_rnn_layer *rnn, void *array, int64_t part,
    int cell, int64_t batch)
{
    if (array == NULL) return NULL;
    int64_t place = rki_rnn_state_place(rnn, part, cell) * batch;
    return (char *)array + rki_device_bytes(tape->device, place);
}

/* h0 or c0: from the start or the state, from the layer's own parameter, or zeros. */
static int32_t take_start(const run *r, int64_t part, int cell, rki_rnn_direction *d, void **out)
{
    const rki_device *device = r->tape->device;
    const rki_parameter *own = cell ? d->weights->c0 : d->weights->h0;
    int64_t width = cell ? d->layer.hidden : d->layer.output;
    size_t bytes = rki_device_bytes(device, r->batch * width);
    if (r->tensors != NULL && r->tensors->start != NULL) {
        *out = rki_rnn_part_of(r->tape, r->rnn, r->tensors->start->data, part, cell, r->batch);
        return RNNKIT_OK;
    }
    RKI_TRY(rki_tape_device(r->tape, r->batch * width, out));
    if (r->state != NULL)
        return device->ops->copy(device->self, *out, rki_state_part(r->state, part, cell), bytes);
    if (own == NULL) return device->ops->zero(device->self, *out, bytes);
    d->learned = r->zeros;
    rki_gather call = {
        .count = r->batch, .width = width, .ids = r->zeros, .table = own->value, .out = *out};
    return device->ops->gather(device->self, &call);
}

static int32_t drop_weight(const run *r, rki_rnn_direction *d)
{
    rnnkit_tape *tape = r->tape;
    const rki_parameter *weight = d->weights->weight_hh;
    double rate = r->rnn->settings.weight_drop;
    if (!tape->train || rate == 0) return RNNKIT_OK;
    d->drop = (rki_dropout){.count = rki_shape_count(&weight->shape),
        .rate = rate,
        .random = {(uint64_t)tape->context->seed, RKI_PURPOSE_DROPOUT, tape->dropouts},
        .step = tape->step};
    RKI_TRY(rki_tape_device(tape, d->drop.count, &d->dropped));
    tape->dropouts++;
    rki_dropout call = d->drop;
    call.x = weight->value;
    call.y = d->dropped;
    return tape->device->ops->dropout(tape->device->self, &call);
}

static int32_t run_operation(
    const run *r, int64_t part, const rki_rnn_node *self, const rki_rnn_direction *d)
{
    const rki_device *device = r->tape->device;
    int64_t output = d->layer.output;
    size_t at = rki_device_bytes(device, part % self->directions * output);
    rki_recurrent_forward call = {.layer = d->layer,
        .weights = rki_rnn_operands(d->weights),
        .x = self->x->data,
        .h0 = d->h0,
        .c0 = d->c0,
        .y = (char *)self->y->data + at,
        .ldy = self->directions * output,
        .hn = rki_rnn_part_of(r->tape, r->rnn, r->ends, part, 0, r->batch),
        .cn = d->c0 ? rki_rnn_part_of(r->tape, r->rnn, r->ends, part, 1, r->batch) : NULL,
        .stash = d->stash};
    if (d->dropped) call.weights.weight_hh = d->dropped;
    rki_arena_mark mark = rki_arena_here(&r->tape->device_arena);
    size_t bytes = device->ops->recurrent_forward_scratch(device->self, &d->layer);
    RKI_TRY(rki_tape_device_bytes(r->tape, bytes, &call.scratch));
    int32_t status = device->ops->recurrent_forward(device->self, &call);
    rki_arena_rewind(&r->tape->device_arena, mark);
    return status;
}

static int32_t run_direction(const run *r, int64_t part, rki_rnn_node *self, rki_rnn_direction *d)
{
    rnnkit_tape *tape = r->tape;
    d->weights = &r->rnn->weights[part];
    d->layer = rki_rnn_operation(r->rnn, part);
    d->layer.steps = r->steps;
    d->layer.batch = r->batch;
    d->layer.training = tape->train;
    d->layer.lengths = r->lengths;
    d->layer.starts = r->starts;
    if (tape->train && (d->layer.zoneout_h > 0 || d->layer.zoneout_c > 0)) {
        d->layer.random =
            (rki_random){(uint64_t)tape->context->seed, RKI_PURPOSE_DROPOUT, tape->dropouts};
        d->layer.random_step = tape->step;
        tape->dropouts += 2; /* h and c */
    }
    RKI_TRY(take_start(r, part, 0, d, &d->h0));
    if (r->rnn->cell == RKI_CELL_LSTM) RKI_TRY(take_start(r, part, 1, d, &d->c0));
    RKI_TRY(drop_weight(r, d));
    if (tape->train) {
        size_t bytes = tape->device->ops->recurrent_stash(tape->device->self, &d->layer);
        RKI_TRY(rki_tape_device_bytes(tape, bytes, &d->stash));
    }
    return run_operation(r, part, self, d);
}

static int32_t run_layer(const run *r, int64_t l, rnnkit_tensor *x, rnnkit_tensor **out)
{
    rnnkit_tape *tape = r->tape;
    rki_node *node;
    rki_shape shape;
    const int64_t dims[3] = {r->steps, r->batch, rki_rnn_outputs(r->rnn, l)};
    RKI_TRY(rki_shape_make(dims, 3, &shape));
    RKI_TRY(rki_tape_node(tape, sizeof(rki_rnn_node), rki_rnn_backward, &node));
    rki_rnn_node *self = (rki_rnn_node *)node;
    self->model = r->model;
    self->rnn = r->rnn;
    self->layer = l;
    self->x = x;
    self->ends = r->tensors;
    self->directions = r->rnn->directions;
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &self->y));
    for (int64_t i = 0; i < self->directions; i++)
        RKI_TRY(run_direction(r, l * self->directions + i, self, &self->directed[i]));
    if (tape->train) rki_tape_record(tape, node);
    *out = self->y;
    return RNNKIT_OK;
}

static int32_t run_layers(run *r, rnnkit_tensor *x, rnnkit_tensor **out)
{
    const rki_rnn_settings *settings = &r->rnn->settings;
    if (r->tensors != NULL && r->tensors->end != NULL)
        r->ends = r->tensors->end->data;
    else
        RKI_TRY(rki_tape_device(r->tape, r->batch * rki_rnn_state_width(r->rnn), &r->ends));
    for (int64_t l = 0; l < r->rnn->layers; l++) {
        int64_t period = settings->locked && l > 0 ? r->batch * rki_rnn_inputs(r->rnn, l) : 0;
        if (l > 0) RKI_TRY(rki_dropout_apply(r->tape, x, settings->dropout, period, &x));
        RKI_TRY(run_layer(r, l, x, &x));
    }
    *out = x;
    return RNNKIT_OK;
}

/* Checks. */

static int32_t check_input(const rki_rnn_layer *rnn, rnnkit_tape *tape, const rnnkit_tensor *x)
{
    char text[RKI_SHAPE_TEXT];
    int64_t inputs = rnn->layer.sizes[0];
    RKI_TRY(rki_tape_check(tape, x, "x"));
    if (x->shape.rank != 3)
        return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, expected [steps, batch, %lld]",
            rki_shape_text(&x->shape, text), (long long)inputs);
    if (x->shape.dims[2] != inputs)
        return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, the last dimension must be inputs = %lld",
            rki_shape_text(&x->shape, text), (long long)inputs);
    return RNNKIT_OK;
}

static int32_t check_state(const rnnkit_state *state, const rki_rnn_layer *rnn, int64_t batch)
{
    if (state == NULL) return RNNKIT_OK;
    RKI_TRY(rki_check(state, RKI_KIND_STATE, "state"));
    if (state->rnn != rnn)
        return rki_fail(RNNKIT_E_SHAPE,
            "state belongs to layer \"%s\" of another place, not to \"%s\"", state->rnn->layer.name,
            rnn->layer.name);
    if (state->batch != batch)
        return rki_fail(RNNKIT_E_SHAPE, "state has %lld rows, but x has %lld",
            (long long)state->batch, (long long)batch);
    return RNNKIT_OK;
}

int32_t rki_rnn_copy_lengths(rnnkit_tape *tape, const rki_rnn_layer *rnn, const int32_t *lengths,
    int64_t steps, int64_t batch, const int32_t **out, const int32_t **starts)
{
    void *copy, *first;
    *out = *starts = NULL;
    if (lengths == NULL) return RNNKIT_OK;
    for (int64_t b = 0; b < batch; b++)
        if (lengths[b] < 0 || lengths[b] > steps)
            return rki_fail(RNNKIT_E_ARGUMENT, "lengths[%lld] is %d, expected 0 to %lld",
                (long long)b, (int)lengths[b], (long long)steps);
    RKI_TRY(rki_tape_host(tape, batch, sizeof *lengths, &copy));
    memcpy(copy, lengths, (size_t)batch * sizeof *lengths);
    *out = copy;
    if (rnn->settings.padding != RKI_RNN_LEFT) return RNNKIT_OK;
    RKI_TRY(rki_tape_host(tape, batch, sizeof *lengths, &first));
    for (int64_t b = 0; b < batch; b++)
        ((int32_t *)first)[b] = (int32_t)steps - lengths[b];
    *starts = first;
    return RNNKIT_OK;
}

static int32_t make_zeros(run *r)
{
    void *block;
    if (r->rnn->settings.initial != RKI_RNN_LEARNED) return RNNKIT_OK;
    RKI_TRY(rki_tape_host(r->tape, r->batch, sizeof *r->zeros, &block));
    memset(block, 0, (size_t)r->batch * sizeof *r->zeros);
    r->zeros = block;
    return RNNKIT_OK;
}

/* What both ways of running a layer check and prepare. */
static int32_t begin(rnnkit_rnn *handle, rnnkit_tape *tape, const rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_tensor **out, run *r)
{
    const rki_rnn_layer *rnn = rki_rnn_of(handle);
    rnnkit_model *model = handle->handle.model;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, model->context->device));
    RKI_TRY(check_input(rnn, tape, x));
    RKI_TRY(rki_check_pointer(out, "out"));
    *r = (run){.tape = tape,
        .model = model,
        .rnn = rnn,
        .steps = x->shape.dims[0],
        .batch = x->shape.dims[1]};
    if (lengths != NULL && r->steps > INT32_MAX)
        return rki_fail(
            RNNKIT_E_SHAPE, "x has %lld steps, but lengths are int32", (long long)r->steps);
    RKI_TRY(rki_rnn_copy_lengths(tape, rnn, lengths, r->steps, r->batch, &r->lengths, &r->starts));
    RKI_TRY(make_zeros(r));
    return tape->train ? rki_tape_keep_model(tape, model) : RNNKIT_OK;
}

static int32_t forward(rnnkit_rnn *handle, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_state *state, rnnkit_tensor **out)
{
    run r;
    rnnkit_tensor *y;
    RKI_TRY(begin(handle, tape, x, lengths, out, &r));
    RKI_TRY(check_state(state, r.rnn, r.batch));
    r.state = state;
    RKI_TRY(run_layers(&r, x, &y));
    if (state != NULL)
        RKI_TRY(tape->device->ops->copy(tape->device->self, state->values, r.ends,
            rki_device_bytes(tape->device, rki_state_count(state))));
    *out = y;
    return RNNKIT_OK;
}

int32_t rnnkit_rnn_forward(rnnkit_rnn *rnn, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_state *state, rnnkit_tensor **out)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(rnn, tape, x, lengths, state, out);
    return rki_leave(rnn->handle.model->context, __func__, status);
}

/* With tensors for a state. */

static int32_t check_start(const run *r, const rnnkit_tensor *start)
{
    char text[RKI_SHAPE_TEXT];
    int64_t width = rki_rnn_state_width(r->rnn);
    if (start == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_check(r->tape, start, "start"));
    if (rki_shape_count(&start->shape) == r->batch * width) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "start has shape %s, expected %lld numbers: %lld rows of %lld",
        rki_shape_text(&start->shape, text), (long long)(r->batch * width), (long long)r->batch,
        (long long)width);
}

/* [arrays][batch][width] where all h and c are as wide, else one row of all of them. */
static int32_t end_shape(const run *r, rki_shape *out)
{
    const rki_rnn_layer *rnn = r->rnn;
    int64_t arrays = rnn->layers * rnn->directions * (rnn->cell == RKI_CELL_LSTM ? 2 : 1);
    int64_t width = rki_rnn_state_width(rnn), one = width / arrays;
    const int64_t dims[3] = {arrays, r->batch, one}, row[1] = {r->batch * width};
    int same = rnn->settings.projection == 0;
    for (int64_t l = 0; l < rnn->layers; l++)
        same &= rnn->hidden[l] == one;
    return same ? rki_shape_make(dims, 3, out) : rki_shape_make(row, 1, out);
}

static int32_t forward_from(rnnkit_rnn *handle, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_tensor *start, rnnkit_tensor **out, rnnkit_tensor **end)
{
    run r;
    rki_shape shape;
    rnnkit_tensor *y;
    void *block;
    RKI_TRY(begin(handle, tape, x, lengths, out, &r));
    RKI_TRY(check_start(&r, start));
    RKI_TRY(rki_tape_host(tape, 1, sizeof(rki_rnn_ends), &block));
    r.tensors = block;
    *r.tensors = (rki_rnn_ends){.start = start};
    RKI_TRY(end_shape(&r, &shape));
    if (end != NULL) RKI_TRY(rki_tape_tensor(tape, &shape, 1, &r.tensors->end));
    RKI_TRY(run_layers(&r, x, &y));
    *out = y;
    if (end != NULL) *end = r.tensors->end;
    return RNNKIT_OK;
}

int32_t rnnkit_rnn_forward_from(rnnkit_rnn *rnn, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_tensor *start, rnnkit_tensor **out, rnnkit_tensor **end)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward_from(rnn, tape, x, lengths, start, out, end);
    return rki_leave(rnn->handle.model->context, __func__, status);
}
