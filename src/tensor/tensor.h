/* Tensor: shape and type of an array on a device. Row-major, at most RKI_RANK dimensions. */
#ifndef RKI_TENSOR_TENSOR_H
#define RKI_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { RKI_RANK = 4 };

/* What a device computes in. CPU: float32. The reference device offers float64 as well. */
typedef enum rki_dtype { RKI_FLOAT32 = 0, RKI_FLOAT64 = 1 } rki_dtype;

static inline size_t rki_dtype_size(rki_dtype dtype)
{
    return dtype == RKI_FLOAT64 ? sizeof(double) : sizeof(float);
}

typedef struct rki_shape {
    int64_t rank;
    int64_t dims[RKI_RANK];
} rki_shape;

/* Checks rank, sizes of at least 1, and that the number of elements and of bytes fits. */
int32_t rki_shape_make(const int64_t *dims, int64_t rank, rki_shape *out);
int64_t rki_shape_count(const rki_shape *shape);
int rki_shape_equal(const rki_shape *a, const rki_shape *b);

enum { RKI_SHAPE_TEXT = 96 };

/* "[35, 20, 128]"; returns `buffer`. */
const char *rki_shape_text(const rki_shape *shape, char buffer[RKI_SHAPE_TEXT]);

#endif
