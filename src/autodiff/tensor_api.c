/* Reading tensors, and values from the host onto a tape: the public side of tensors. */
#include "autodiff/tape.h"

static int32_t shape(const rnnkit_tensor *tensor, int64_t *dims, int64_t capacity, int64_t *rank)
{
    RKI_TRY(rki_check(tensor, RKI_KIND_TENSOR, "tensor"));
    RKI_TRY(rki_check_pointer(dims, "dims"));
    RKI_TRY(rki_check_pointer(rank, "rank"));
    *rank = tensor->shape.rank;
    if (capacity < tensor->shape.rank)
        return rki_fail(RNNKIT_E_TOO_SMALL, "dims holds %lld sizes, %lld are needed",
            (long long)capacity, (long long)tensor->shape.rank);
    for (int64_t i = 0; i < tensor->shape.rank; i++)
        dims[i] = tensor->shape.dims[i];
    return RNNKIT_OK;
}

int32_t rnnkit_tensor_shape(
    const rnnkit_tensor *tensor, int64_t *dims, int64_t capacity, int64_t *rank)
{
    return rki_leave(NULL, __func__, shape(tensor, dims, capacity, rank));
}

static int32_t check_room(const rnnkit_tensor *tensor, const float *values, int64_t count)
{
    RKI_TRY(rki_check(tensor, RKI_KIND_TENSOR, "tensor"));
    RKI_TRY(rki_check_pointer(values, "values"));
    char text[RKI_SHAPE_TEXT];
    if (count != rki_shape_count(&tensor->shape))
        return rki_fail(RNNKIT_E_SHAPE, "values holds %lld numbers, the tensor has shape %s",
            (long long)count, rki_shape_text(&tensor->shape, text));
    return RNNKIT_OK;
}

int32_t rnnkit_tensor_read(const rnnkit_tensor *tensor, float *values, int64_t count)
{
    int32_t status = check_room(tensor, values, count);
    if (status >= 0)
        status = rki_device_read(
            tensor->tape->device, &tensor->tape->context->memory, tensor->data, values, count);
    return rki_leave(NULL, __func__, status);
}

static int32_t read_gradient(const rnnkit_tensor *tensor, float *values, int64_t count)
{
    RKI_TRY(check_room(tensor, values, count));
    if (!tensor->tape->train) return rki_fail(RNNKIT_E_ORDER, "the tape was created with train=0");
    if (tensor->gradient == NULL) {
        for (int64_t i = 0; i < count; i++)
            values[i] = 0;
        return RNNKIT_OK;
    }
    return rki_device_read(
        tensor->tape->device, &tensor->tape->context->memory, tensor->gradient, values, count);
}

int32_t rnnkit_tensor_read_gradient(const rnnkit_tensor *tensor, float *values, int64_t count)
{
    return rki_leave(NULL, __func__, read_gradient(tensor, values, count));
}

static int32_t item(const rnnkit_tensor *tensor, double *value)
{
    RKI_TRY(rki_check(tensor, RKI_KIND_TENSOR, "tensor"));
    RKI_TRY(rki_check_pointer(value, "value"));
    char text[RKI_SHAPE_TEXT];
    if (rki_shape_count(&tensor->shape) != 1)
        return rki_fail(RNNKIT_E_SHAPE, "the tensor has shape %s, expected one element",
            rki_shape_text(&tensor->shape, text));
    return rki_device_read_number(tensor->tape->device, tensor->data, value);
}

int32_t rnnkit_tensor_item(const rnnkit_tensor *tensor, double *value)
{
    return rki_leave(NULL, __func__, item(tensor, value));
}

static int32_t input(
    rnnkit_tape *tape, const float *values, const int64_t *dims, int64_t rank, rnnkit_tensor **out)
{
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_check_pointer(values, "values"));
    RKI_TRY(rki_check_pointer(dims, "dims"));
    RKI_TRY(rki_check_pointer(out, "out"));
    if (rank < 1 || rank > RKI_RANK)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "rank is %lld, expected 1 to %d", (long long)rank, RKI_RANK);
    rki_shape made;
    RKI_TRY(rki_shape_make(dims, rank, &made));
    rnnkit_tensor *tensor;
    RKI_TRY(rki_tape_tensor(tape, &made, 1, &tensor));
    RKI_TRY(rki_device_write(
        tape->device, &tape->context->memory, tensor->data, values, rki_shape_count(&made)));
    *out = tensor;
    return RNNKIT_OK;
}

int32_t rnnkit_tape_input(
    rnnkit_tape *tape, const float *values, const int64_t *dims, int64_t rank, rnnkit_tensor **out)
{
    int32_t status = input(tape, values, dims, rank, out);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}
