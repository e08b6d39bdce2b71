/* Products with some columns of a weight, as layers need them that read several things at once:
 * W [a; b] = W_a a + W_b b, without putting a and b side by side. */
#ifndef RKI_NN_COLUMNS_H
#define RKI_NN_COLUMNS_H

#include "nn/layers.h"

/* Columns first .. first + count - 1 of a parameter of rank 2. */
typedef struct rki_columns {
    rki_parameter *parameter;
    int64_t first, count;
} rki_columns;

/* y [rows][outputs] (+)= x W^T + bias, x being [rows][count]; bias may be NULL. */
int32_t rki_columns_product(rnnkit_tape *tape, rki_columns w, int64_t rows, const void *x,
    const rki_parameter *bias, int accumulate, void *y);

/* dx (+)= dy W */
int32_t rki_columns_back(
    rnnkit_tape *tape, rki_columns w, int64_t rows, const void *dy, int accumulate, void *dx);

/* The gradient of these columns += dy^T x. */
int32_t rki_columns_learn(rnnkit_tape *tape, rnnkit_model *model, rki_columns w, int64_t rows,
    const void *dy, const void *x);

/* The gradient of a bias += the sum of dy's rows; NULL is fine. */
int32_t rki_bias_learn(
    rnnkit_tape *tape, rnnkit_model *model, rki_parameter *bias, int64_t rows, const void *dy);

/* Element `count` of an array on the tape's device. */
static inline void *rki_tape_at(const rnnkit_tape *tape, const void *array, int64_t count)
{
    return (char *)(uintptr_t)array + rki_device_bytes(tape->device, count);
}

#endif
