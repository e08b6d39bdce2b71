/* Dropout on a tape: the mask is drawn from (seed, step, place), so backward draws it again
 * instead of keeping it. */
#include "autodiff/dropout.h"

typedef struct dropout_node {
    rki_node node;
    rnnkit_tensor *x, *y;
    rki_dropout call;
} dropout_node;

static int32_t dropout_backward(rki_node *node, rnnkit_tape *tape)
{
    dropout_node *self = (dropout_node *)node;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    void *room;
    RKI_TRY(rki_tape_gradient_room(self->x, &room));
    self->call.x = self->y->gradient;
    self->call.y = room;
    RKI_TRY(tape->device->ops->dropout(tape->device->self, &self->call));
    return rki_tape_gradient_adopt(self->x, room);
}

int32_t rki_dropout_apply(
    rnnkit_tape *tape, rnnkit_tensor *x, double rate, int64_t period, rnnkit_tensor **out)
{
    if (!tape->train || rate == 0) {
        *out = x;
        return RNNKIT_OK;
    }
    rnnkit_tensor *y;
    rki_node *node;
    RKI_TRY(rki_tape_tensor(tape, &x->shape, x->needs_gradient, &y));
    RKI_TRY(rki_tape_node(tape, sizeof(dropout_node), dropout_backward, &node));
    dropout_node *self = (dropout_node *)node;
    self->x = x;
    self->y = y;
    self->call = (rki_dropout){
        .count = rki_shape_count(&x->shape),
        .period = period,
        .rate = rate,
        .random = {(uint64_t)tape->context->seed, RKI_PURPOSE_DROPOUT, tape->dropouts},
        .step = tape->step,
        .x = x->data,
        .y = y->data,
    };
    RKI_TRY(tape->device->ops->dropout(tape->device->self, &self->call));
    tape->dropouts++;
    if (y->needs_gradient) rki_tape_record(tape, node);
    *out = y;
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_tape *tape, rnnkit_tensor *x, double rate, rnnkit_tensor **out)
{
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(rki_check_pointer(out, "out"));
    if (!(rate >= 0 && rate < 1))
        return rki_fail(RNNKIT_E_ARGUMENT, "rate is %f, expected at least 0 and below 1", rate);
    return rki_dropout_apply(tape, x, rate, 0, out);
}

int32_t rnnkit_dropout_forward(
    rnnkit_tape *tape, rnnkit_tensor *x, double rate, rnnkit_tensor **out)
{
    int32_t status = forward(tape, x, rate, out);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}
