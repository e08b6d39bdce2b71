/* Softmax of one row, in place, and what label smoothing adds to it, with the largest element taken
 * out first so that exp stays finite.
 *
 * Sums run in four vectors that are added up as a tree: a fixed order. NaN in the row, or only
 * infinities, make everything NaN.
 */
#ifndef RKI_CPU_KERNELS_SOFTMAX_H
#define RKI_CPU_KERNELS_SOFTMAX_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/simd.h"

enum { ACROSS = 4 * LANES };

static float row_largest(int64_t count, const float *x)
{
    vf most[4];
    for (int v = 0; v < 4; v++)
        most[v] = vf_set1(x[0]);
    int64_t i = 0;
    for (; i + ACROSS <= count; i += ACROSS)
        for (int v = 0; v < 4; v++)
            most[v] = vf_max(vf_load(x + i + v * LANES), most[v]);
    float largest = vf_largest(vf_max(vf_max(most[0], most[1]), vf_max(most[2], most[3])));
    for (; i < count; i++)
        if (x[i] > largest) largest = x[i];
    return largest;
}

/* x[j] becomes e^(x[j] - largest) when `store`; returns the sum of these, and the largest x. */
static float kernel_softmax_exp(int64_t count, float *x, int store, float *largest)
{
    *largest = row_largest(count, x);
    vf most = vf_set1(*largest), sums[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int64_t i = 0;
    for (; i + ACROSS <= count; i += ACROSS) {
        for (int v = 0; v < 4; v++) {
            float *at = x + i + v * LANES;
            vf e = vf_exp(vf_sub(vf_load(at), most));
            sums[v] = vf_add(sums[v], e);
            if (store) vf_store(at, e);
        }
    }
    for (int v = 0; i < count; i += LANES, v++) {
        int64_t n = count - i < LANES ? count - i : LANES;
        vf e = vf_exp(vf_sub(vf_load_n(x + i, n), most));
        sums[v] = vf_add(sums[v], vf_select(vm_first(n), e, vf_zero()));
        if (store) vf_store_n(x + i, e, n);
    }
    return vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
}

static void kernel_scale(int64_t count, float factor, float *x)
{
    vf f = vf_set1(factor);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vf_store(x + i, vf_mul(f, vf_load(x + i)));
    vf_store_n(x + i, vf_mul(f, vf_load_n(x + i, count - i)), count - i);
}

/* The sum of weights[j] (x[j] - shift); weights NULL: all 1. */
static float kernel_weighted_sum(int64_t count, const float *weights, float shift, const float *x)
{
    vf s = vf_set1(shift), sums[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int v = 0;
    for (int64_t i = 0; i < count; i += LANES, v = (v + 1) % 4) {
        int64_t n = count - i < LANES ? count - i : LANES;
        vf w = weights ? vf_load_n(weights + i, n) : vf_set1(1.0f);
        vf term = vf_mul(w, vf_sub(vf_load_n(x + i, n), s));
        sums[v] = vf_add(sums[v], vf_select(vm_first(n), term, vf_zero()));
    }
    return vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
}

/* x[j] = factor x[j] - amount weights[j]; weights NULL: all 1. */
static void kernel_smooth(int64_t count, float factor, float amount, const float *weights, float *x)
{
    vf f = vf_set1(factor), a = vf_set1(amount);
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = count - i < LANES ? count - i : LANES;
        vf w = weights ? vf_load_n(weights + i, n) : vf_set1(1.0f);
        vf_store_n(x + i, vf_fnma(a, w, vf_mul(f, vf_load_n(x + i, n))), n);
    }
}

#endif
