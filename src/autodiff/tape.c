/* The tape's life: creating, recording, walking backwards, clearing. See tape.h. */
#include "autodiff/tape.h"

#include <string.h>

typedef struct tape_options {
    int32_t train;
} tape_options;

static const rki_option rows[] = {
    {"train", RKI_OPTION_FLAG, offsetof(tape_options, train), 0, 1, "1", NULL, "0.1",
        "1: record for gradients and apply dropout; 0: neither"},
};
const rki_option_table rki_tape_options = {"tape", rows, sizeof rows / sizeof rows[0]};

static int32_t create(rnnkit_context *context, const char *options, rnnkit_tape **out)
{
    RKI_TRY(rki_check(context, RKI_KIND_CONTEXT, "context"));
    RKI_TRY(rki_check_pointer(out, "out"));
    tape_options parsed;
    RKI_TRY(rki_options_parse(&rki_tape_options, options, &parsed));
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_tape), "a tape", &block));
    rnnkit_tape *tape = block;
    rki_object_init(&tape->object, RKI_KIND_TAPE);
    tape->context = context;
    tape->device = context->device;
    tape->train = parsed.train;
    rki_arena_init(&tape->device_arena, &context->memory, rki_device_source(context->device));
    rki_arena_init_host(&tape->host_arena, &context->memory);
    rki_context_retain(context);
    *out = tape;
    return RNNKIT_OK;
}

int32_t rnnkit_tape_create(rnnkit_context *context, const char *options, rnnkit_tape **out)
{
    int32_t status = create(context, options, out);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : context, __func__, status);
}

/* Handles of tensors stay with the caller: mark them, so that a late use is recognised as long as
 * the memory has not been used again. */
static void forget_step(rnnkit_tape *tape)
{
    for (rnnkit_tensor *tensor = tape->tensors; tensor != NULL; tensor = tensor->previous)
        (void)rki_object_release(&tensor->object);
    for (rki_kept *kept = tape->kept; kept != NULL; kept = kept->previous)
        kept->release(kept->object);
    tape->tensors = NULL;
    tape->nodes = NULL;
    tape->kept = NULL;
    tape->dropouts = 0;
    tape->backward_done = 0;
}

void rki_tape_retain(rnnkit_tape *tape)
{
    rki_object_retain(&tape->object);
}

void rnnkit_tape_destroy(rnnkit_tape *tape)
{
    if (tape == NULL || rki_check(tape, RKI_KIND_TAPE, "tape") < 0) return;
    if (!rki_object_release(&tape->object)) return;
    rnnkit_context *context = tape->context;
    forget_step(tape);
    rki_arena_free(&tape->device_arena);
    rki_arena_free(&tape->host_arena);
    rki_release(&context->memory, tape);
    rki_context_release(context);
}

int32_t rnnkit_tape_clear(rnnkit_tape *tape)
{
    int32_t status = rki_check(tape, RKI_KIND_TAPE, "tape");
    if (status < 0) return rki_leave(NULL, __func__, status);
    forget_step(tape);
    rki_arena_clear(&tape->device_arena);
    rki_arena_clear(&tape->host_arena);
    tape->step++;
    return RNNKIT_OK;
}

int32_t rki_tape_host(rnnkit_tape *tape, int64_t count, size_t size, void **out)
{
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes))
        return rki_fail(RNNKIT_E_SHAPE, "%lld elements are too many", (long long)count);
    return rki_arena_take(&tape->host_arena, bytes, out);
}

int32_t rki_tape_device_bytes(rnnkit_tape *tape, size_t bytes, void **out)
{
    return rki_arena_take(&tape->device_arena, bytes, out);
}

int32_t rki_tape_device(rnnkit_tape *tape, int64_t count, void **out)
{
    return rki_tape_device_bytes(tape, rki_device_bytes(tape->device, count), out);
}

int32_t rki_tape_check(rnnkit_tape *tape, const rnnkit_tensor *tensor, const char *argument)
{
    RKI_TRY(rki_check(tensor, RKI_KIND_TENSOR, argument));
    if (tensor->tape != tape)
        return rki_fail(RNNKIT_E_ORDER, "%s belongs to another tape", argument);
    return RNNKIT_OK;
}

int32_t rki_tape_check_device(const rnnkit_tape *tape, const rki_device *device)
{
    if (tape->device == device) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT, "tape and layer belong to different contexts");
}

int32_t rki_tape_keep(rnnkit_tape *tape, void *object, void (*release)(void *object))
{
    void *block = NULL;
    int32_t status = RNNKIT_OK;
    const rki_kept *same = tape->kept;
    while (same != NULL && same->object != object)
        same = same->previous;
    if (same == NULL) status = rki_tape_host(tape, 1, sizeof(rki_kept), &block);
    if (block == NULL) {
        release(object);
        return status;
    }
    rki_kept *kept = block;
    *kept = (rki_kept){tape->kept, object, release};
    tape->kept = kept;
    return RNNKIT_OK;
}

int32_t rki_tape_tensor(
    rnnkit_tape *tape, const rki_shape *shape, int needs_gradient, rnnkit_tensor **out)
{
    void *block, *data;
    RKI_TRY(rki_tape_host(tape, 1, sizeof(rnnkit_tensor), &block));
    RKI_TRY(rki_tape_device(tape, rki_shape_count(shape), &data));
    rnnkit_tensor *tensor = block;
    memset(tensor, 0, sizeof *tensor);
    rki_object_init(&tensor->object, RKI_KIND_TENSOR);
    tensor->tape = tape;
    tensor->shape = *shape;
    tensor->data = data;
    tensor->needs_gradient = needs_gradient && tape->train;
    tensor->previous = tape->tensors;
    tape->tensors = tensor;
    *out = tensor;
    return RNNKIT_OK;
}

int32_t rki_tape_node(rnnkit_tape *tape, size_t size, rki_backward_fn backward, rki_node **out)
{
    void *block;
    RKI_TRY(rki_tape_host(tape, 1, size, &block));
    memset(block, 0, size);
    rki_node *node = block;
    node->backward = backward;
    *out = node;
    return RNNKIT_OK;
}

void rki_tape_record(rnnkit_tape *tape, rki_node *node)
{
    node->previous = tape->nodes;
    tape->nodes = node;
}

static int32_t check_backward(rnnkit_tape *tape, const rnnkit_tensor *from, const char *argument)
{
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, from, argument));
    if (!tape->train) return rki_fail(RNNKIT_E_ORDER, "the tape was created with train=0");
    if (tape->backward_done)
        return rki_fail(
            RNNKIT_E_ORDER, "the gradients were computed already; clear the tape first");
    return RNNKIT_OK;
}

static int32_t walk_back(rnnkit_tape *tape, rnnkit_tensor *from, void *gradient)
{
    from->gradient = gradient;
    tape->backward_done = 1;
    for (rki_node *node = tape->nodes; node != NULL; node = node->previous)
        RKI_TRY(node->backward(node, tape));
    return RNNKIT_OK;
}

static int32_t backward(rnnkit_tape *tape, rnnkit_tensor *loss)
{
    char text[RKI_SHAPE_TEXT];
    void *one;
    RKI_TRY(check_backward(tape, loss, "loss"));
    if (rki_shape_count(&loss->shape) != 1)
        return rki_fail(RNNKIT_E_SHAPE, "loss has shape %s, expected one element",
            rki_shape_text(&loss->shape, text));
    RKI_TRY(rki_tape_device(tape, 1, &one));
    RKI_TRY(rki_device_write_number(tape->device, one, 1));
    return walk_back(tape, loss, one);
}

int32_t rnnkit_tape_backward(rnnkit_tape *tape, rnnkit_tensor *loss)
{
    int32_t status = backward(tape, loss);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}

static int32_t backward_from(
    rnnkit_tape *tape, rnnkit_tensor *tensor, const float *gradient, int64_t count)
{
    char text[RKI_SHAPE_TEXT];
    void *room;
    RKI_TRY(check_backward(tape, tensor, "tensor"));
    RKI_TRY(rki_check_pointer(gradient, "gradient"));
    if (count != rki_shape_count(&tensor->shape))
        return rki_fail(RNNKIT_E_SHAPE, "gradient holds %lld numbers, the tensor has shape %s",
            (long long)count, rki_shape_text(&tensor->shape, text));
    RKI_TRY(rki_tape_gradient_room(tensor, &room));
    RKI_TRY(rki_device_write(tape->device, &tape->context->memory, room, gradient, count));
    return walk_back(tape, tensor, room);
}

int32_t rnnkit_tape_backward_from(
    rnnkit_tape *tape, rnnkit_tensor *tensor, const float *gradient, int64_t count)
{
    int32_t status = backward_from(tape, tensor, gradient, count);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}

uint64_t rki_tape_step(const rnnkit_tape *tape)
{
    return tape->step;
}

void rki_tape_set_step(rnnkit_tape *tape, uint64_t step)
{
    tape->step = step;
}
