/* Products of many rows with a few queries, for nearest neighbours.
 *
 * Each is summed in the same order, whatever stands beside it in a tile, so its bits depend on its
 * row and query alone. */
#ifndef RKI_WORD2VEC_KERNELS_PRODUCTS_H
#define RKI_WORD2VEC_KERNELS_PRODUCTS_H

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

enum {
    PRODUCT_ROWS = LANES >= 16 ? 4 : 2, /* as many sums as registers hold */
    PRODUCT_QUERIES = 4,
    PRODUCT_SUMS = PRODUCT_ROWS * PRODUCT_QUERIES
};

typedef struct products_call {
    const float *x, *y; /* rows, and queries */
    int64_t x_stride, y_stride, width;
    float *out; /* [queries][pitch] */
    int64_t pitch;
} products_call;

/* Adds n <= LANES columns from column k on. */
static INLINE void product_step(const products_call *call, int64_t row, int rows, int64_t query,
    int queries, int64_t k, int64_t n, vf sum[PRODUCT_SUMS])
{
    vf a[PRODUCT_ROWS];
    UNROLL for (int r = 0; r < rows; r++)
    {
        const float *from = call->x + (row + r) * call->x_stride + k;
        a[r] = n == LANES ? vf_load(from) : vf_load_n(from, n);
    }
    UNROLL for (int q = 0; q < queries; q++)
    {
        const float *from = call->y + (query + q) * call->y_stride + k;
        vf b = n == LANES ? vf_load(from) : vf_load_n(from, n);
        UNROLL for (int r = 0; r < rows; r++) sum[q * rows + r] =
            vf_fma(a[r], b, sum[q * rows + r]);
    }
}

/* A tile of rows and queries, both counts known to the compiler. */
static INLINE void product_tile(
    const products_call *call, int64_t row, int rows, int64_t query, int queries)
{
    vf sum[PRODUCT_SUMS];
    float all[PRODUCT_SUMS + LANES];
    int64_t whole = call->width / LANES * LANES;
    UNROLL for (int i = 0; i < rows * queries; i++) sum[i] = vf_zero();
    for (int64_t k = 0; k < whole; k += LANES)
        product_step(call, row, rows, query, queries, k, LANES, sum);
    if (whole < call->width)
        product_step(call, row, rows, query, queries, whole, call->width - whole, sum);
    UNROLL for (int i = 0; i < rows * queries; i += LANES)
    {
        int left = rows * queries - i;
        vf_store(all + i, vf_sums(sum + i, left < LANES ? left : LANES));
    }
    UNROLL for (int q = 0; q < queries; q++)
    {
        float *to = call->out + (query + q) * call->pitch + row;
        UNROLL for (int r = 0; r < rows; r++) to[r] = all[q * rows + r];
    }
}

static INLINE void product_rows(const products_call *call, int64_t row, int rows, int64_t queries)
{
    int64_t q = 0;
    for (; q + PRODUCT_QUERIES <= queries; q += PRODUCT_QUERIES)
        product_tile(call, row, rows, q, PRODUCT_QUERIES);
    for (; q < queries; q++)
        product_tile(call, row, rows, q, 1);
}

static void kernel_products(const float *x, int64_t rows, const float *y, int64_t queries,
    int64_t width, int64_t x_stride, int64_t y_stride, float *out)
{
    const products_call call = {x, y, x_stride, y_stride, width, out, rows};
    int64_t r = 0;
    for (; r + PRODUCT_ROWS <= rows; r += PRODUCT_ROWS)
        product_rows(&call, r, PRODUCT_ROWS, queries);
    for (; r < rows; r++)
        product_rows(&call, r, 1, queries);
}

#endif
