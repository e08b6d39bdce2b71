/* How the sums of a product reach c: one vector of c = start + sum, start being the sum of c (when
 * `add`) and bias (unless NULL), or nothing at all. */
#ifndef RKI_CPU_KERNELS_FINISH_H
#define RKI_CPU_KERNELS_FINISH_H

#include "cpu/kernels/simd.h"

static INLINE void finish_vector(int64_t n, const float *bias, int add, float *c, vf sum)
{
    if (bias) {
        vf start = vf_load_n(bias, n);
        if (add) start = vf_add(vf_load_n(c, n), start);
        sum = vf_add(start, sum);
    } else if (add) {
        sum = vf_add(vf_load_n(c, n), sum);
    }
    vf_store_n(c, sum, n);
}

#endif
