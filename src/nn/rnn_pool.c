/* One vector for each row out of a recurrent layer's outputs: the last ones, their mean, or the
 * largest values, over the steps that the row has. */
#include "nn/layers.h"
#include "nn/rnn.h"

typedef struct pool_settings {
    int32_t pooling; /* rki_pooling */
} pool_settings;

static const rki_option rows[] = {
    {"pooling", RKI_OPTION_CHOICE, offsetof(pool_settings, pooling), 0, 0, "last", "last|mean|max",
        "0.1", "last: where each direction ended; mean, max: over the row's steps"},
};
const rki_option_table rki_pool_options = {"pool", rows, sizeof rows / sizeof *rows};

typedef struct pool_node {
    rki_node node;
    rnnkit_tensor *x, *out;
    rki_pool call;
} pool_node;

static int32_t pool_backward(rki_node *node, rnnkit_tape *tape)
{
    pool_node *self = (pool_node *)node;
    void *dx;
    if (self->out->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(self->x, &dx));
    rki_pool_backward call = {.forward = self->call, .dout = self->out->gradient, .dx = dx};
    RKI_TRY(tape->device->ops->pool_backward(tape->device->self, &call));
    return rki_tape_gradient_adopt(self->x, dx);
}

static int32_t check(const rki_rnn_layer *rnn, rnnkit_tape *tape, const rnnkit_tensor *y)
{
    char text[RKI_SHAPE_TEXT];
    int64_t outputs = rki_rnn_outputs(rnn, rnn->layers - 1);
    RKI_TRY(rki_tape_check(tape, y, "y"));
    if (y->shape.rank == 3 && y->shape.dims[2] == outputs && y->shape.dims[0] <= INT32_MAX)
        return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "y has shape %s, expected [steps, batch, %lld]",
        rki_shape_text(&y->shape, text), (long long)outputs);
}

static int32_t pool(const rki_rnn_layer *rnn, rnnkit_tape *tape, rnnkit_tensor *y,
    const int32_t *lengths, const char *options, rnnkit_tensor **out)
{
    pool_settings settings;
    rki_shape shape;
    rki_node *node;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(check(rnn, tape, y));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_options_parse(&rki_pool_options, options, &settings));
    RKI_TRY(rki_shape_make(y->shape.dims + 1, 2, &shape));
    RKI_TRY(rki_tape_node(tape, sizeof(pool_node), pool_backward, &node));
    pool_node *self = (pool_node *)node;
    self->x = y;
    RKI_TRY(rki_tape_tensor(tape, &shape, y->needs_gradient, &self->out));
    self->call = (rki_pool){.pooling = (rki_pooling)settings.pooling,
        .steps = y->shape.dims[0],
        .batch = y->shape.dims[1],
        .width = y->shape.dims[2],
        .forward = rki_rnn_output(rnn, rnn->layers - 1),
        .x = y->data,
        .out = self->out->data};
    RKI_TRY(rki_rnn_copy_lengths(tape, rnn, lengths, self->call.steps, self->call.batch,
        &self->call.lengths, &self->call.starts));
    RKI_TRY(tape->device->ops->pool(tape->device->self, &self->call));
    if (y->needs_gradient) rki_tape_record(tape, node);
    *out = self->out;
    return RNNKIT_OK;
}

int32_t rnnkit_rnn_pool(rnnkit_rnn *rnn, rnnkit_tape *tape, rnnkit_tensor *y,
    const int32_t *lengths, const char *options, rnnkit_tensor **out)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = pool(rki_rnn_of(rnn), tape, y, lengths, options, out);
    return rki_leave(rnn->handle.model->context, __func__, status);
}
