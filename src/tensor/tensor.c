/* Shapes: checked products, comparison, text. See tensor.h. */
#include "tensor/tensor.h"

#include <stdio.h>

int32_t rki_shape_make(const int64_t *dims, int64_t rank, rki_shape *out)
{
    if (rank < 1 || rank > RKI_RANK)
        return rki_fail(
            RNNKIT_E_SHAPE, "rank is %lld, expected 1 to %d", (long long)rank, RKI_RANK);
    rki_shape shape = {rank, {0}};
    int64_t count = 1;
    for (int64_t i = 0; i < rank; i++) {
        if (dims[i] < 1)
            return rki_fail(RNNKIT_E_SHAPE, "dimension %lld is %lld, expected at least 1",
                (long long)i, (long long)dims[i]);
        if (__builtin_mul_overflow(count, dims[i], &count) ||
            count > INT64_MAX / (int64_t)sizeof(double))
            return rki_fail(RNNKIT_E_SHAPE,
                "dimension %lld of %lld makes the array too large for memory", (long long)i,
                (long long)dims[i]);
        shape.dims[i] = dims[i];
    }
    *out = shape;
    return RNNKIT_OK;
}

int64_t rki_shape_count(const rki_shape *shape)
{
    int64_t count = 1;
    for (int64_t i = 0; i < shape->rank; i++)
        count *= shape->dims[i];
    return count;
}

int rki_shape_equal(const rki_shape *a, const rki_shape *b)
{
    if (a->rank != b->rank) return 0;
    for (int64_t i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i]) return 0;
    return 1;
}

const char *rki_shape_text(const rki_shape *shape, char buffer[RKI_SHAPE_TEXT])
{
    size_t used = 0;
    buffer[used++] = '[';
    for (int64_t i = 0; i < shape->rank && used < RKI_SHAPE_TEXT; i++)
        used += (size_t)snprintf(buffer + used, RKI_SHAPE_TEXT - used, "%s%lld", i ? ", " : "",
            (long long)shape->dims[i]);
    if (used < RKI_SHAPE_TEXT - 1) {
        buffer[used++] = ']';
        buffer[used] = '\0';
    }
    return buffer;
}
