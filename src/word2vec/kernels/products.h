/* Products of many rows with a few queries, for nearest neighbours. */
#ifndef RKI_WORD2VEC_KERNELS_PRODUCTS_H
#define RKI_WORD2VEC_KERNELS_PRODUCTS_H

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

enum { PRODUCT_ROWS = 2, PRODUCT_QUERIES = 4 };

/* A tile of rows and queries, both counts known to the compiler. */
static INLINE void product_tile(int rows, int queries, const float *x, int64_t x_stride,
    const float *y, int64_t y_stride, int64_t width, float *out, int64_t pitch)
{
    vf sum[PRODUCT_ROWS * PRODUCT_QUERIES];
    UNROLL for (int i = 0; i < rows * queries; i++) sum[i] = vf_zero();
    for (int64_t k = 0; k < width; k += LANES) {
        int64_t n = width - k < LANES ? width - k : LANES;
        vf a[PRODUCT_ROWS];
        UNROLL for (int r = 0; r < rows; r++) a[r] =
            n == LANES ? vf_load(x + r * x_stride + k) : vf_load_n(x + r * x_stride + k, n);
        UNROLL for (int q = 0; q < queries; q++)
        {
            const float *from = y + q * y_stride + k;
            vf b = n == LANES ? vf_load(from) : vf_load_n(from, n);
            UNROLL for (int r = 0; r < rows; r++) sum[q * rows + r] =
                vf_fma(a[r], b, sum[q * rows + r]);
        }
    }
    UNROLL for (int q = 0; q < queries; q++) UNROLL for (int r = 0; r < rows; r++)
        out[q * pitch + r] = vf_sum(sum[q * rows + r]);
}

static void kernel_products(const float *x, int64_t rows, const float *y, int64_t queries,
    int64_t width, int64_t x_stride, int64_t y_stride, float *out)
{
    for (int64_t r = 0; r < rows; r += PRODUCT_ROWS) {
        const float *a = x + r * x_stride;
        int two = rows - r >= PRODUCT_ROWS;
        int64_t q = 0;
        for (; q + PRODUCT_QUERIES <= queries; q += PRODUCT_QUERIES) {
            const float *b = y + q * y_stride;
            float *to = out + q * rows + r;
            if (two)
                product_tile(2, PRODUCT_QUERIES, a, x_stride, b, y_stride, width, to, rows);
            else
                product_tile(1, PRODUCT_QUERIES, a, x_stride, b, y_stride, width, to, rows);
        }
        for (; q < queries; q++) {
            const float *b = y + q * y_stride;
            float *to = out + q * rows + r;
            if (two)
                product_tile(2, 1, a, x_stride, b, y_stride, width, to, rows);
            else
                product_tile(1, 1, a, x_stride, b, y_stride, width, to, rows);
        }
    }
}

#endif
