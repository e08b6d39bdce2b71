/* Back-propagation through time: from the gradients of a recurrent layer's outputs and of its end to
 * those of its weights, its input, and its start. One operation for each direction.
 */
#include "nn/rnn_run.h"

static int32_t weight_gradient(const rki_rnn_node *self, rki_parameter *parameter, void **out)
{
    *out = NULL;
    if (parameter == NULL) return RNNKIT_OK;
    rki_parameter_touch_everything(parameter);
    return rki_model_gradient(self->model, parameter, out);
}

static int32_t weight_gradients(
    const rki_rnn_node *self, const rki_rnn_weights *weights, rki_recurrent_gradients *to)
{
    RKI_TRY(weight_gradient(self, weights->weight_ih, &to->weight_ih));
    RKI_TRY(weight_gradient(self, weights->weight_hh, &to->weight_hh));
    RKI_TRY(weight_gradient(self, weights->bias_ih, &to->bias_ih));
    RKI_TRY(weight_gradient(self, weights->bias_hh, &to->bias_hh));
    RKI_TRY(weight_gradient(self, weights->weight_hr, &to->weight_hr));
    RKI_TRY(weight_gradient(self, weights->norm_ih, &to->norm_ih));
    RKI_TRY(weight_gradient(self, weights->norm_hh, &to->norm_hh));
    RKI_TRY(weight_gradient(self, weights->norm_c, &to->norm_c));
    return weight_gradient(self, weights->norm_c_bias, &to->norm_c_bias);
}

/* The gradient of a dropped weight_hh gathers apart; this is where. */
static int32_t start_drop(rnnkit_tape *tape, const rki_rnn_direction *d, void **gradient)
{
    const rki_device *device = tape->device;
    if (d->dropped == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, d->drop.count, gradient));
    return device->ops->zero(device->self, *gradient, rki_device_bytes(device, d->drop.count));
}

/* ... and the mask's second use: only what was kept passes. */
static int32_t finish_drop(
    rnnkit_tape *tape, const rki_rnn_direction *d, const void *gradient, void *weight_hh)
{
    rki_dropout call = d->drop;
    if (d->dropped == NULL) return RNNKIT_OK;
    call.accumulate = 1;
    call.x = gradient;
    call.y = weight_hh;
    return tape->device->ops->dropout(tape->device->self, &call);
}

static int32_t add_first(const rki_rnn_node *self, rnnkit_tape *tape, rki_parameter *parameter,
    int64_t batch, const void *gradient)
{
    void *sum;
    if (gradient == NULL) return RNNKIT_OK;
    RKI_TRY(weight_gradient(self, parameter, &sum));
    return tape->device->ops->column_sum(
        tape->device->self, batch, parameter->shape.dims[0], gradient, 1, sum);
}

/* The gradients that the end has and the start wants. */
static void connect_ends(
    const rki_rnn_node *self, const rnnkit_tape *tape, int64_t place, rki_recurrent_backward *call)
{
    const rki_rnn_ends *ends = self->ends;
    int64_t part = self->layer * self->directions + place, batch = call->layer.batch;
    int lstm = call->c0 != NULL;
    if (ends == NULL) return;
    void *dend = ends->end == NULL ? NULL : ends->end->gradient;
    call->dhn = rki_rnn_part_of(tape, self->rnn, dend, part, 0, batch);
    call->dh0 = rki_rnn_part_of(tape, self->rnn, ends->dstart, part, 0, batch);
    if (!lstm) return;
    call->dcn = rki_rnn_part_of(tape, self->rnn, dend, part, 1, batch);
    call->dc0 = rki_rnn_part_of(tape, self->rnn, ends->dstart, part, 1, batch);
}

static int32_t back_through(rki_rnn_node *self, rnnkit_tape *tape, int64_t place, void *dx)
{
    const rki_backend *ops = tape->device->ops;
    const rki_rnn_direction *d = &self->directed[place];
    int64_t output = d->layer.output, width = self->directions * output;
    size_t at = rki_device_bytes(tape->device, place * output);
    rki_recurrent_backward call = {.layer = d->layer,
        .weights = rki_rnn_operands(d->weights),
        .x = self->x->data,
        .h0 = d->h0,
        .c0 = d->c0,
        .y = (char *)self->y->data + at,
        .ldy = width,
        .stash = d->stash,
        .dy = (char *)self->y->gradient + at,
        .lddy = width,
        .dx = dx,
        .accumulate_dx = place > 0};
    void *weight_hh;
    RKI_TRY(weight_gradients(self, d->weights, &call.gradients));
    connect_ends(self, tape, place, &call);
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    if (d->learned) {
        RKI_TRY(rki_tape_device(tape, d->layer.batch * output, &call.dh0));
        if (d->c0) RKI_TRY(rki_tape_device(tape, d->layer.batch * d->layer.hidden, &call.dc0));
    }
    if (d->dropped) call.weights.weight_hh = d->dropped;
    weight_hh = call.gradients.weight_hh;
    RKI_TRY(start_drop(tape, d, &call.gradients.weight_hh));
    size_t bytes = ops->recurrent_backward_scratch(tape->device->self, &d->layer);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    RKI_TRY(ops->recurrent_backward(tape->device->self, &call));
    RKI_TRY(finish_drop(tape, d, call.gradients.weight_hh, weight_hh));
    if (d->learned) {
        RKI_TRY(add_first(self, tape, d->weights->h0, d->layer.batch, call.dh0));
        RKI_TRY(add_first(self, tape, d->weights->c0, d->layer.batch, call.dc0));
    }
    rki_arena_rewind(&tape->device_arena, mark);
    return RNNKIT_OK;
}

static int32_t add_zeros(const rnnkit_tape *tape, rnnkit_tensor *to)
{
    const rki_device *device = tape->device;
    void *room;
    RKI_TRY(rki_tape_gradient_room(to, &room));
    RKI_TRY(device->ops->zero(
        device->self, room, rki_device_bytes(device, rki_shape_count(&to->shape))));
    return rki_tape_gradient_adopt(to, room);
}

/* Whether anything flows; if only into the end, the outputs' gradient is made zeros. The last layer
 * comes first, and makes room for the gradient of the start. */
static int32_t begin_backward(rki_rnn_node *self, rnnkit_tape *tape, int *flows)
{
    rki_rnn_ends *ends = self->ends;
    int has_end = ends != NULL && ends->end != NULL && ends->end->gradient != NULL;
    *flows = self->y->gradient != NULL || has_end;
    if (!*flows) return RNNKIT_OK;
    if (self->y->gradient == NULL) RKI_TRY(add_zeros(tape, self->y));
    if (ends == NULL || ends->start == NULL || !ends->start->needs_gradient) return RNNKIT_OK;
    return ends->dstart ? RNNKIT_OK : rki_tape_gradient_room(ends->start, &ends->dstart);
}

int32_t rki_rnn_backward(rki_node *node, rnnkit_tape *tape)
{
    rki_rnn_node *self = (rki_rnn_node *)node;
    void *dx = NULL;
    int flows = 0;
    RKI_TRY(begin_backward(self, tape, &flows));
    if (!flows) return RNNKIT_OK;
    if (self->x->needs_gradient) RKI_TRY(rki_tape_gradient_room(self->x, &dx));
    for (int64_t i = 0; i < self->directions; i++)
        RKI_TRY(back_through(self, tape, i, dx));
    if (self->layer == 0 && self->ends != NULL && self->ends->dstart != NULL)
        RKI_TRY(rki_tape_gradient_adopt(self->ends->start, self->ends->dstart));
    return dx == NULL ? RNNKIT_OK : rki_tape_gradient_adopt(self->x, dx);
}
