/* A recurrent layer over a whole sequence, on a tape: one operation and one node per layer, dropout
 * between them. The state is read at the start and written when all went well; no gradient flows
 * into it (truncated back-propagation through time).
 */
#include <string.h>

#include "autodiff/dropout.h"
#include "nn/layers.h"

typedef struct recurrent_node {
    rki_node node;
    rnnkit_model *model;
    const rki_rnn_weights *weights;
    rki_recurrent size;
    rnnkit_tensor *x, *y;
    void *h0, *c0, *stash;
} recurrent_node;

/* A sequence on its way through the layers. */
typedef struct run {
    rnnkit_tape *tape;
    rnnkit_model *model;
    const rki_rnn_layer *rnn;
    const int32_t *lengths; /* the tape's copy, or NULL */
    const rnnkit_state *state;
    int64_t steps, batch;
    void *ends; /* [layers][2][batch][hidden]: the state afterwards */
} run;

rki_recurrent_weights rki_rnn_operands(const rki_rnn_weights *weights)
{
    return (rki_recurrent_weights){.weight_ih = weights->weight_ih->value,
        .weight_hh = weights->weight_hh->value,
        .bias_ih = weights->bias_ih == NULL ? NULL : weights->bias_ih->value,
        .bias_hh = weights->bias_hh == NULL ? NULL : weights->bias_hh->value};
}

/* Backward. */

static int32_t weight_gradient(recurrent_node *self, rki_parameter *parameter, void **out)
{
    *out = NULL;
    if (parameter == NULL) return RNNKIT_OK;
    rki_parameter_touch_everything(parameter);
    return rki_model_gradient(self->model, parameter, out);
}

static int32_t recurrent_backward(rki_node *node, rnnkit_tape *tape)
{
    recurrent_node *self = (recurrent_node *)node;
    const rki_backend *ops = tape->device->ops;
    const rki_rnn_weights *weights = self->weights;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    rki_recurrent_backward call = {.layer = self->size,
        .weights = rki_rnn_operands(weights),
        .x = self->x->data,
        .h0 = self->h0,
        .c0 = self->c0,
        .y = self->y->data,
        .ldy = self->size.output,
        .stash = self->stash,
        .dy = self->y->gradient,
        .lddy = self->size.output};
    RKI_TRY(weight_gradient(self, weights->weight_ih, &call.gradients.weight_ih));
    RKI_TRY(weight_gradient(self, weights->weight_hh, &call.gradients.weight_hh));
    RKI_TRY(weight_gradient(self, weights->bias_ih, &call.gradients.bias_ih));
    RKI_TRY(weight_gradient(self, weights->bias_hh, &call.gradients.bias_hh));
    if (self->x->needs_gradient) RKI_TRY(rki_tape_gradient_room(self->x, &call.dx));
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    size_t bytes = ops->recurrent_backward_scratch(tape->device->self, &self->size);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    RKI_TRY(ops->recurrent_backward(tape->device->self, &call));
    rki_arena_rewind(&tape->device_arena, mark);
    return call.dx == NULL ? RNNKIT_OK : rki_tape_gradient_adopt(self->x, call.dx);
}

/* Forward. */

static int32_t take_start(const run *r, int64_t l, int64_t part, void **out)
{
    const rki_device *device = r->tape->device;
    int64_t count = r->batch * r->rnn->layer.sizes[1];
    size_t bytes = rki_device_bytes(device, count);
    RKI_TRY(rki_tape_device(r->tape, count, out));
    if (r->state == NULL) return device->ops->zero(device->self, *out, bytes);
    return device->ops->copy(device->self, *out, rki_state_part(r->state, l, part), bytes);
}

static void *end_part(const run *r, int64_t l, int64_t part)
{
    size_t bytes = rki_device_bytes(r->tape->device, r->batch * r->rnn->layer.sizes[1]);
    return (char *)r->ends + (size_t)(2 * l + part) * bytes;
}

static int32_t run_operation(const run *r, int64_t l, const recurrent_node *self)
{
    const rki_device *device = r->tape->device;
    const rki_rnn_weights *weights = self->weights;
    rki_recurrent_forward call = {.layer = self->size,
        .weights = rki_rnn_operands(weights),
        .x = self->x->data,
        .h0 = self->h0,
        .c0 = self->c0,
        .y = self->y->data,
        .ldy = self->size.output,
        .hn = end_part(r, l, 0),
        .cn = end_part(r, l, 1),
        .stash = self->stash};
    rki_arena_mark mark = rki_arena_here(&r->tape->device_arena);
    size_t bytes = device->ops->recurrent_forward_scratch(device->self, &self->size);
    RKI_TRY(rki_tape_device_bytes(r->tape, bytes, &call.scratch));
    int32_t status = device->ops->recurrent_forward(device->self, &call);
    rki_arena_rewind(&r->tape->device_arena, mark);
    return status;
}

static int32_t run_layer(const run *r, int64_t l, rnnkit_tensor *x, rnnkit_tensor **out)
{
    rnnkit_tape *tape = r->tape;
    rki_node *node;
    rki_shape shape;
    const int64_t dims[3] = {r->steps, r->batch, r->rnn->layer.sizes[1]};
    RKI_TRY(rki_shape_make(dims, 3, &shape));
    RKI_TRY(rki_tape_node(tape, sizeof(recurrent_node), recurrent_backward, &node));
    recurrent_node *self = (recurrent_node *)node;
    self->model = r->model;
    self->weights = &r->rnn->weights[l];
    self->size = (rki_recurrent){.cell = RKI_CELL_LSTM,
        .steps = r->steps,
        .batch = r->batch,
        .input = rki_rnn_inputs(r->rnn, l),
        .hidden = dims[2],
        .output = dims[2],
        .training = tape->train,
        .lengths = r->lengths};
    self->x = x;
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &self->y));
    RKI_TRY(take_start(r, l, 0, &self->h0));
    RKI_TRY(take_start(r, l, 1, &self->c0));
    if (tape->train) {
        size_t bytes = tape->device->ops->recurrent_stash(tape->device->self, &self->size);
        RKI_TRY(rki_tape_device_bytes(tape, bytes, &self->stash));
    }
    RKI_TRY(run_operation(r, l, self));
    if (tape->train) rki_tape_record(tape, node);
    *out = self->y;
    return RNNKIT_OK;
}

static int32_t run_layers(run *r, rnnkit_tensor *x, rnnkit_tensor **out)
{
    int64_t layers = r->rnn->settings.layers;
    RKI_TRY(rki_tape_device(r->tape, 2 * layers * r->batch * r->rnn->layer.sizes[1], &r->ends));
    for (int64_t l = 0; l < layers; l++) {
        if (l > 0) RKI_TRY(rki_dropout_apply(r->tape, x, r->rnn->settings.dropout, &x));
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

static int32_t copy_lengths(run *r, const int32_t *lengths)
{
    void *block;
    if (lengths == NULL) return RNNKIT_OK;
    for (int64_t b = 0; b < r->batch; b++)
        if (lengths[b] < 0 || lengths[b] > r->steps)
            return rki_fail(RNNKIT_E_ARGUMENT, "lengths[%lld] is %d, expected 0 to %lld",
                (long long)b, (int)lengths[b], (long long)r->steps);
    RKI_TRY(rki_tape_host(r->tape, r->batch, sizeof *lengths, &block));
    memcpy(block, lengths, (size_t)r->batch * sizeof *lengths);
    r->lengths = block;
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_rnn *handle, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_state *state, rnnkit_tensor **out)
{
    const rki_rnn_layer *rnn = rki_rnn_of(handle);
    rnnkit_model *model = handle->handle.model;
    rnnkit_tensor *y;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, model->context->device));
    RKI_TRY(check_input(rnn, tape, x));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(check_state(state, rnn, x->shape.dims[1]));
    run r = {.tape = tape,
        .model = model,
        .rnn = rnn,
        .state = state,
        .steps = x->shape.dims[0],
        .batch = x->shape.dims[1]};
    RKI_TRY(copy_lengths(&r, lengths));
    if (tape->train) RKI_TRY(rki_tape_keep_model(tape, model));
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
