/* Products with int8 weights (backend/formats.h): c = start + x W^T.
 *
 * They walk rows of W from end to end, several side by side, as memory gives them: with one row of x
 * nothing else counts. A row of x is made ready once for all rows of W: it becomes int16, x = a p with
 * a = max |x| / 32767, whose error, 1.5e-5 of the largest, is small beside that of the weights.
 * Products and sums are of integers, in blocks of BLOCK columns that cannot overflow, and so exact in
 * any order:
 *   c = start + (block 0 + block 1 + ...) * (a scale)    each block rounded to float
 * which has the same bits on every instruction set, whatever the other rows of x or W. A row of x that
 * holds a NaN or an infinity gives NaN everywhere.
 */
#ifndef RKI_CPU_KERNELS_INT8_PRODUCT_H
#define RKI_CPU_KERNELS_INT8_PRODUCT_H

#include "cpu/kernels/product.h"

enum {
    SIDE_BY_SIDE = 4, /* rows of W */
    CHUNK = 2 * LANES,
    BLOCK = 512 /* columns: BLOCK * 32767 * 127 < 2^31 */
};

/* Where a ready row has its numbers; its first float is the scale of an int16 row. */
static inline const void *ready_numbers(const rki_int8_product *call, int64_t row)
{
    return call->ready + (size_t)row * call->ready_step + RKI_FORMAT_LINE;
}

/* max |x|; NaN when any of x is a NaN or an infinity. */
static inline float largest_magnitude(int64_t columns, const float *x)
{
    vf most = vf_zero(), none = vf_zero();
    for (int64_t k = 0; k < columns; k += LANES) {
        vf v = vf_load_n(x + k, columns - k < LANES ? columns - k : LANES);
        most = vf_max(most, vf_max(v, vf_sub(vf_zero(), v)));
        none = vf_add(none, vf_mul(v, vf_zero()));
    }
    return vf_largest(most) + vf_sum(none);
}

static void kernel_ready_int8(int64_t columns, const float *x, void *ready)
{
    const float steps = 32767.0f, least = 1e-30f, round = 12582912.0f; /* 1.5 * 2^23 */
    int16_t *to = (int16_t *)(void *)((char *)ready + RKI_FORMAT_LINE);
    int64_t all = rki_format_stride(RKI_INT8, columns);
    float most = largest_magnitude(columns, x);
    float scale = most < least ? 0.0f : most / steps, inverse = most < least ? 0.0f : steps / most;
    memcpy(ready, &scale, sizeof scale);
    memset(to, 0, (size_t)all * sizeof *to);
    if (!(inverse > 0.0f)) return;
    for (int64_t k = 0; k < columns; k += LANES) {
        int64_t n = columns - k < LANES ? columns - k : LANES;
        int32_t part[LANES];
        vf v = vf_add(vf_mul(vf_load_n(x + k, n), vf_set1(inverse)), vf_set1(round));
        vi_store(part, vf_bits(v)); /* the lower half is the number rounded */
        for (int64_t i = 0; i < n; i++)
            to[k + i] = (int16_t)part[i];
    }
}

/* c of row r, column j. */
static inline void finish_number(const rki_int8_product *call, int64_t r, int64_t j, float sum)
{
    float *c = call->c + r * call->ldc + j;
    float start = call->bias ? call->bias[j] : 0.0f;
    if (call->add) start = *c + start;
    *c = start + sum;
}

static INLINE void add_sums(const vi sum[SIDE_BY_SIDE], const int side, float total[SIDE_BY_SIDE])
{
    int32_t whole[SIDE_BY_SIDE];
    if (side == SIDE_BY_SIDE)
        vi_sum_four(sum, whole);
    else
        UNROLL for (int s = 0; s < side; s++) whole[s] = vi_sum(sum[s]);
    for (int s = 0; s < side; s++)
        total[s] += (float)whole[s];
}

static INLINE void int8_tile(
    const rki_int8_product *call, int64_t begin, const int rows, int64_t j, const int side)
{
    float total[TILE_ROWS][SIDE_BY_SIDE] = {{0.0f}};
    const int16_t *x[TILE_ROWS];
    const int8_t *w = call->weight + j * call->stride;
    for (int r = 0; r < rows; r++)
        x[r] = ready_numbers(call, begin + r);
    for (int64_t from = 0; from < call->stride; from += BLOCK) {
        int64_t end = call->stride - from < BLOCK ? call->stride : from + BLOCK;
        vi sum[TILE_ROWS][SIDE_BY_SIDE];
        UNROLL for (int r = 0; r < rows; r++)
        {
            UNROLL for (int s = 0; s < side; s++) sum[r][s] = vi_set1(0);
        }
        for (int64_t k = from; k < end; k += CHUNK) {
            UNROLL for (int s = 0; s < side; s++)
            {
                const int8_t *at = w + s * call->stride + k;
                __builtin_prefetch(at + side * call->stride);
                UNROLL for (int r = 0; r < rows; r++) sum[r][s] =
                    vi_dot_bytes(sum[r][s], x[r] + k, at);
            }
        }
        UNROLL for (int r = 0; r < rows; r++) add_sums(sum[r], side, total[r]);
    }
    for (int r = 0; r < rows; r++) {
        float scale =
            *(const float *)(const void *)(call->ready + (size_t)(begin + r) * call->ready_step);
        for (int s = 0; s < side; s++)
            finish_number(call, begin + r, j + s, total[r][s] * (scale * call->scales[j + s]));
    }
}

/* All rows of W, for `rows` rows of x. */
static INLINE void int8_rows(const rki_int8_product *call, int64_t begin, const int rows)
{
    int64_t j = 0;
    for (; j + SIDE_BY_SIDE <= call->n; j += SIDE_BY_SIDE)
        int8_tile(call, begin, rows, j, SIDE_BY_SIDE);
    for (; j < call->n; j++)
        int8_tile(call, begin, rows, j, 1);
}

static void kernel_product_int8(const rki_int8_product *call)
{
    int64_t tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t t = 0; t < tiles; t++) {
        int64_t begin = tile_begin(call->rows, tiles, t);
        switch (tile_begin(call->rows, tiles, t + 1) - begin) {
        case 1: int8_rows(call, begin, 1); break;
        case 2: int8_rows(call, begin, 2); break;
#if defined(RKI_KERNELS_AVX512) || defined(RKI_KERNELS_NEON)
        case 3: int8_rows(call, begin, 3); break;
        case 4: int8_rows(call, begin, 4); break;
        case 5: int8_rows(call, begin, 5); break;
#endif
        default: int8_rows(call, begin, TILE_ROWS); break;
        }
    }
}

#endif
