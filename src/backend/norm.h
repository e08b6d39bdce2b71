/* Layer normalisation and ReLU: the arguments of their operations, part of the table in backend.h.
 */
#ifndef RKI_BACKEND_NORM_H
#define RKI_BACKEND_NORM_H

#include <stdint.h>

/* For every row, with m its mean and s = 1 / sqrt(mean((x - m)^2) + epsilon):
 *   y = (x - m) s weight + bias */
typedef struct rki_norm_forward {
    int64_t rows, width;
    double epsilon;
    const void *x;             /* [rows][width] */
    const void *weight, *bias; /* [width] */
    void *y;
    void *stash; /* [rows][2]: m and s */
} rki_norm_forward;

/* With n = (x - m) s and d = dy weight: dx = s (d - mean(d) - n mean(d n)), dweight += sum dy n,
 * dbias += sum dy. */
typedef struct rki_norm_backward {
    int64_t rows, width;
    const void *x, *weight, *stash, *dy;
    void *dx;              /* written */
    void *dweight, *dbias; /* added to */
} rki_norm_backward;

#endif
