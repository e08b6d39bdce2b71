/* tanh, sigmoid and exp of a vector: own formulas, the same on every instruction set.
 *
 *   tanh     x P(x^2) / Q(x^2), both of degree 4, for |x| up to 9.02 (beyond it the nearest float is
 *            1). Coefficients: a minimax fit of the relative error (least squares with Lawson
 *            weights, in double), then moved by single roundings to the smallest error in float.
 *   sigmoid  0.5 + 0.5 tanh(x / 2)
 *   exp      2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2 (Cody and Waite's two-part ln 2), e^r by
 *            a polynomial of degree 6; the scale is applied in two halves, so overflow and underflow
 *            happen where they should.
 *
 * Bounds, over all floats (tests/unit/test_activations.c), one ulp being that of the true result:
 * tanh RKI_TANH_ULP, sigmoid RKI_SIGMOID_ERROR absolute, exp RKI_EXP_ULP down to the smallest normal
 * number and 0 or a denormal below. tanh and sigmoid never leave [-1, 1] and [0, 1]. NaN gives NaN.
 */
#ifndef RKI_CPU_KERNELS_ACTIVATIONS_H
#define RKI_CPU_KERNELS_ACTIVATIONS_H

#include "cpu/kernels/simd.h"

static inline vf vf_tanh(vf x)
{
    const float limit = 9.02f;
    /* x second: a NaN passes. */
    x = vf_min(vf_set1(limit), vf_max(vf_set1(-limit), x));
    vf u = vf_mul(x, x);
    vf p = vf_set1(0x1.c9a3c2p-27f);
    p = vf_fma(p, u, vf_set1(0x1.59555ep-16f));
    p = vf_fma(p, u, vf_set1(0x1.c9f854p-9f));
    p = vf_fma(p, u, vf_set1(0x1.12044p-3f));
    p = vf_fma(p, u, vf_set1(1.0f));
    vf q = vf_set1(0x1.a0b844p-21f);
    q = vf_fma(q, u, vf_set1(0x1.5841dap-12f));
    q = vf_fma(q, u, vf_set1(0x1.a7df22p-6f));
    q = vf_fma(q, u, vf_set1(0x1.de5768p-2f));
    q = vf_fma(q, u, vf_set1(1.0f));
    vf y = vf_div(vf_mul(x, p), q);
    return vf_min(vf_set1(1.0f), vf_max(vf_set1(-1.0f), y));
}

static inline vf vf_sigmoid(vf x)
{
    vf half = vf_set1(0.5f);
    return vf_fma(half, vf_tanh(vf_mul(half, x)), half);
}

static inline vf vf_exp(vf x)
{
    const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves an integer in the low bits */
    x = vf_min(vf_set1(89.0f), vf_max(vf_set1(-104.0f), x));
    vf shifted = vf_fma(x, vf_set1(0x1.715476p+0f), vf_set1(round));
    vf n = vf_sub(shifted, vf_set1(round));
    vf r = vf_fnma(n, vf_set1(0x1.62e4p-1f), x);
    r = vf_fnma(n, vf_set1(0x1.7f7d1cp-20f), r);
    vf y = vf_set1(0x1.6a98dap-10f);
    y = vf_fma(y, r, vf_set1(0x1.1272cp-7f));
    y = vf_fma(y, r, vf_set1(0x1.555a98p-5f));
    y = vf_fma(y, r, vf_set1(0x1.5554e2p-3f));
    y = vf_fma(y, r, vf_set1(0.5f));
    y = vf_fma(y, r, vf_set1(1.0f));
    y = vf_fma(y, r, vf_set1(1.0f));
    vi whole = vi_sub(vf_bits(shifted), vf_bits(vf_set1(round)));
    vi first = vi_shift_right(whole, 1);
    vi one = vi_set1(127);
    vf low = vi_as_float(vi_shift_left(vi_add(first, one), 23));
    vf high = vi_as_float(vi_shift_left(vi_add(vi_sub(whole, first), one), 23));
    return vf_mul(vf_mul(y, low), high);
}

static void kernel_tanh(int64_t count, const float *x, float *y)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vf_store(y + i, vf_tanh(vf_load(x + i)));
    vf_store_n(y + i, vf_tanh(vf_load_n(x + i, count - i)), count - i);
}

static void kernel_sigmoid(int64_t count, const float *x, float *y)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vf_store(y + i, vf_sigmoid(vf_load(x + i)));
    vf_store_n(y + i, vf_sigmoid(vf_load_n(x + i, count - i)), count - i);
}

static void kernel_exp(int64_t count, const float *x, float *y)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vf_store(y + i, vf_exp(vf_load(x + i)));
    vf_store_n(y + i, vf_exp(vf_load_n(x + i, count - i)), count - i);
}

static void kernel_tanh_gradient(int64_t count, const float *y, const float *dy, float *dx)
{
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = count - i < LANES ? count - i : LANES;
        vf value = vf_load_n(y + i, n);
        vf slope = vf_fnma(value, value, vf_set1(1.0f));
        vf_store_n(dx + i, vf_mul(vf_load_n(dy + i, n), slope), n);
    }
}

#endif
