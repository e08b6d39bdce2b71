/* Layer normalisation and ReLU; equations in backend/norm.h. Sums over a row run in one vector,
 * those over rows in the order of rows. */
#ifndef RKI_CPU_KERNELS_NORM_H
#define RKI_CPU_KERNELS_NORM_H

#include "cpu/kernels/simd.h"

static inline int64_t lanes_left(int64_t width, int64_t j)
{
    return width - j < LANES ? width - j : LANES;
}

/* stash[0] and [1] become m and s. */
static void kernel_norm_forward(int64_t width, float epsilon, const float *x, const float *weight,
    const float *bias, float *y, float *stash)
{
    vf sum = vf_zero(), squares = vf_zero();
    for (int64_t j = 0; j < width; j += LANES)
        sum = vf_add(sum, vf_load_n(x + j, lanes_left(width, j)));
    float mean = vf_sum(sum) / (float)width;
    vf m = vf_set1(mean);
    for (int64_t j = 0; j < width; j += LANES) {
        int64_t n = lanes_left(width, j);
        vf d = vf_select(vm_first(n), vf_sub(vf_load_n(x + j, n), m), vf_zero());
        squares = vf_fma(d, d, squares);
    }
    float scale = 1.0f / __builtin_sqrtf(vf_sum(squares) / (float)width + epsilon);
    vf s = vf_set1(scale);
    for (int64_t j = 0; j < width; j += LANES) {
        int64_t n = lanes_left(width, j);
        vf d = vf_mul(vf_sub(vf_load_n(x + j, n), m), s);
        vf_store_n(y + j, vf_fma(d, vf_load_n(weight + j, n), vf_load_n(bias + j, n)), n);
    }
    stash[0] = mean;
    stash[1] = scale;
}

/* n of a vector of columns; lanes behind the row mean nothing. */
static inline vf normal(const float *x, int64_t n, const float *stash)
{
    return vf_mul(vf_sub(vf_load_n(x, n), vf_set1(stash[0])), vf_set1(stash[1]));
}

static void kernel_norm_row(int64_t width, const float *x, const float *weight, const float *stash,
    const float *dy, float *dx)
{
    vf sum = vf_zero(), with_n = vf_zero();
    for (int64_t j = 0; j < width; j += LANES) { /* loaded lanes behind the row are 0, so d is */
        int64_t n = lanes_left(width, j);
        vf d = vf_mul(vf_load_n(dy + j, n), vf_load_n(weight + j, n));
        sum = vf_add(sum, d);
        with_n = vf_fma(d, normal(x + j, n, stash), with_n);
    }
    vf mean = vf_set1(vf_sum(sum) / (float)width), mean_n = vf_set1(vf_sum(with_n) / (float)width);
    for (int64_t j = 0; j < width; j += LANES) {
        int64_t n = lanes_left(width, j);
        vf d = vf_mul(vf_load_n(dy + j, n), vf_load_n(weight + j, n));
        vf rest = vf_fnma(normal(x + j, n, stash), mean_n, vf_sub(d, mean));
        vf_store_n(dx + j, vf_mul(vf_set1(stash[1]), rest), n);
    }
}

/* dweight and dbias += the sums of `columns` columns over all rows, which are `width` apart. */
static void kernel_norm_columns(int64_t rows, int64_t columns, int64_t width, const float *x,
    const float *stash, const float *dy, float *dweight, float *dbias)
{
    for (int64_t j = 0; j < columns; j += LANES) {
        int64_t n = lanes_left(columns, j);
        vf weight = vf_zero(), bias = vf_zero();
        for (int64_t r = 0; r < rows; r++) {
            vf d = vf_load_n(dy + r * width + j, n);
            weight = vf_fma(d, normal(x + r * width + j, n, stash + 2 * r), weight);
            bias = vf_add(bias, d);
        }
        vf_store_n(dweight + j, vf_add(vf_load_n(dweight + j, n), weight), n);
        vf_store_n(dbias + j, vf_add(vf_load_n(dbias + j, n), bias), n);
    }
}

static void kernel_relu(int64_t count, const float *x, float *y)
{
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = lanes_left(count, i);
        vf_store_n(y + i, vf_max(vf_zero(), vf_load_n(x + i, n)), n); /* a NaN passes */
    }
}

static void kernel_relu_gradient(int64_t count, const float *y, const float *dy, float *dx)
{
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = lanes_left(count, i);
        vm open = vf_less(vf_zero(), vf_load_n(y + i, n));
        vf_store_n(dx + i, vf_select(open, vf_load_n(dy + i, n), vf_zero()), n);
    }
}

#endif
