/* Element by element on a tape: sums and ReLU, as residual and feed-forward layers need them. */
#include "autodiff/tape.h"

typedef struct elementwise_node {
    rki_node node;
    rnnkit_tensor *a, *b, *y;
} elementwise_node;

/* A contribution of its own to each summand, since both may be one tensor. */
static int32_t pass_on(rnnkit_tape *tape, rnnkit_tensor *to, const void *dy)
{
    const rki_device *device = tape->device;
    void *room;
    if (!to->needs_gradient) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(to, &room));
    RKI_TRY(device->ops->copy(
        device->self, room, dy, rki_device_bytes(device, rki_shape_count(&to->shape))));
    return rki_tape_gradient_adopt(to, room);
}

static int32_t add_backward(rki_node *node, rnnkit_tape *tape)
{
    elementwise_node *self = (elementwise_node *)node;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(pass_on(tape, self->a, self->y->gradient));
    return pass_on(tape, self->b, self->y->gradient);
}

static int32_t relu_backward(rki_node *node, rnnkit_tape *tape)
{
    elementwise_node *self = (elementwise_node *)node;
    void *room;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(self->a, &room));
    RKI_TRY(tape->device->ops->relu_backward(tape->device->self, rki_shape_count(&self->y->shape),
        self->y->data, self->y->gradient, room));
    return rki_tape_gradient_adopt(self->a, room);
}

static int32_t make(rnnkit_tape *tape, rki_backward_fn backward, rnnkit_tensor *a, rnnkit_tensor *b,
    elementwise_node **out)
{
    rki_node *node;
    int needs_gradient = a->needs_gradient || (b != NULL && b->needs_gradient);
    RKI_TRY(rki_tape_node(tape, sizeof(elementwise_node), backward, &node));
    elementwise_node *self = (elementwise_node *)node;
    self->a = a;
    self->b = b;
    RKI_TRY(rki_tape_tensor(tape, &a->shape, needs_gradient, &self->y));
    *out = self;
    return RNNKIT_OK;
}

static void finish(rnnkit_tape *tape, elementwise_node *self, rnnkit_tensor **out)
{
    if (self->y->needs_gradient) rki_tape_record(tape, &self->node);
    *out = self->y;
}

static int32_t add(rnnkit_tape *tape, rnnkit_tensor *a, rnnkit_tensor *b, rnnkit_tensor **out)
{
    char text_a[RKI_SHAPE_TEXT], text_b[RKI_SHAPE_TEXT];
    elementwise_node *self;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, a, "a"));
    RKI_TRY(rki_tape_check(tape, b, "b"));
    RKI_TRY(rki_check_pointer(out, "out"));
    if (!rki_shape_equal(&a->shape, &b->shape))
        return rki_fail(RNNKIT_E_SHAPE, "a has shape %s, b %s, expected the same",
            rki_shape_text(&a->shape, text_a), rki_shape_text(&b->shape, text_b));
    const rki_device *device = tape->device;
    int64_t count = rki_shape_count(&a->shape);
    RKI_TRY(make(tape, add_backward, a, b, &self));
    RKI_TRY(
        device->ops->copy(device->self, self->y->data, a->data, rki_device_bytes(device, count)));
    RKI_TRY(device->ops->add_scaled(device->self, count, 1, b->data, self->y->data));
    finish(tape, self, out);
    return RNNKIT_OK;
}

int32_t rnnkit_add_forward(
    rnnkit_tape *tape, rnnkit_tensor *a, rnnkit_tensor *b, rnnkit_tensor **out)
{
    int32_t status = add(tape, a, b, out);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}

static int32_t relu(rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    elementwise_node *self;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(make(tape, relu_backward, x, NULL, &self));
    RKI_TRY(tape->device->ops->relu(
        tape->device->self, rki_shape_count(&x->shape), x->data, self->y->data));
    finish(tape, self, out);
    return RNNKIT_OK;
}

int32_t rnnkit_relu_forward(rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    int32_t status = relu(tape, x, out);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}
