/* Sums of vectors: y += alpha x, x . y, column sums, and the gradient of a table's row. */
#ifndef RKI_CPU_KERNELS_POINTWISE_H
#define RKI_CPU_KERNELS_POINTWISE_H

#include "cpu/kernels/simd.h"

static void kernel_add_scaled(int64_t count, float alpha, const float *x, float *y)
{
    vf a = vf_set1(alpha);
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        vf_store(y + i, vf_fma(a, vf_load(x + i), vf_load(y + i)));
    int64_t left = count - i;
    vf_store_n(y + i, vf_fma(a, vf_load_n(x + i, left), vf_load_n(y + i, left)), left);
}

/* Four sums that are added up as a tree. */
static float kernel_dot(int64_t count, const float *x, const float *y)
{
    enum { SUMS = 4, STEP = SUMS * LANES };
    vf sums[SUMS] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    int64_t i = 0;
    for (; i + STEP <= count; i += STEP)
        for (int v = 0; v < SUMS; v++)
            sums[v] = vf_fma(vf_load(x + i + v * LANES), vf_load(y + i + v * LANES), sums[v]);
    for (int v = 0; i < count; i += LANES, v++) {
        int64_t n = count - i < LANES ? count - i : LANES;
        sums[v] = vf_fma(vf_load_n(x + i, n), vf_load_n(y + i, n), sums[v]);
    }
    return vf_sum(vf_add(vf_add(sums[0], sums[1]), vf_add(sums[2], sums[3])));
}

/* sum[j] + a[0][j] + a[1][j] + ..., in that order, for one vector of columns. */
static inline vf columns(int64_t rows, int64_t stride, const float *a, int64_t n, vf sum)
{
    if (n >= LANES) {
        for (int64_t i = 0; i < rows; i++)
            sum = vf_add(sum, vf_load(a + i * stride));
    } else {
        for (int64_t i = 0; i < rows; i++)
            sum = vf_add(sum, vf_load_n(a + i * stride, n));
    }
    return sum;
}

/* A few rows at a time over all columns, so that memory is read in its order and `out` is read and
 * written seldom. */
static void kernel_column_sum(
    int64_t rows, int64_t width, int64_t stride, const float *a, int accumulate, float *out)
{
    enum { ROWS = 8 };
    for (int64_t i = 0; i < rows; i += ROWS) {
        int64_t now = rows - i < ROWS ? rows - i : ROWS;
        int from_zero = i == 0 && !accumulate;
        for (int64_t j = 0; j < width; j += LANES) {
            int64_t n = width - j;
            vf sum = from_zero ? vf_zero() : vf_load_n(out + j, n < LANES ? n : LANES);
            sum = columns(now, stride, a + i * stride + j, n, sum);
            vf_store_n(out + j, sum, n < LANES ? n : LANES);
        }
    }
}

/* gradient[j] += sum over i of dy[order[i]][j], the sum in the order given and by itself first. */
static void kernel_sum_rows(
    int64_t count, int64_t width, const int32_t *order, const float *dy, float *gradient)
{
    for (int64_t j = 0; j < width; j += LANES) {
        int64_t n = width - j < LANES ? width - j : LANES;
        vf sum = vf_zero();
        for (int64_t i = 0; i < count; i++)
            sum = vf_add(sum, vf_load_n(dy + order[i] * width + j, n));
        vf_store_n(gradient + j, vf_add(vf_load_n(gradient + j, n), sum), n);
    }
}

#endif
