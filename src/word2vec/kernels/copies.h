/* Rows of a matrix and copies of them, for deterministic training (local.h). Rows stand far apart
 * in memory: those that come next are asked for in advance. */
#ifndef RKI_WORD2VEC_KERNELS_COPIES_H
#define RKI_WORD2VEC_KERNELS_COPIES_H

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

enum { COPIES_AHEAD = 6 };

static INLINE void fetch_row(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, int64_t i)
{
    if (i + COPIES_AHEAD >= count) return;
    const float *row = matrix + ids[i + COPIES_AHEAD] * stride;
    for (int64_t k = 0; k < stride; k += RKI_W2V_ALIGN)
        __builtin_prefetch(row + k, 0, 3);
}

static void kernel_copy_rows(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies)
{
    for (int64_t i = 0; i < count; i++) {
        const float *row = matrix + ids[i] * stride;
        float *copy = copies + i * stride;
        fetch_row(matrix, ids, count, stride, i);
        for (int64_t k = 0; k < stride; k += LANES)
            vf_store(copy + k, vf_load(row + k));
    }
}

static void kernel_subtract_rows(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies)
{
    for (int64_t i = 0; i < count; i++) {
        const float *row = matrix + ids[i] * stride;
        float *copy = copies + i * stride;
        fetch_row(matrix, ids, count, stride, i);
        for (int64_t k = 0; k < stride; k += LANES)
            vf_store(copy + k, vf_sub(vf_load(copy + k), vf_load(row + k)));
    }
}

static void kernel_add_rows(float *matrix, const int32_t *ids, int64_t count, int64_t stride,
    uint32_t share, uint32_t shares, const float *copies)
{
    for (int64_t i = 0; i < count; i++) {
        float *row = matrix + ids[i] * stride;
        const float *copy = copies + i * stride;
        fetch_row(matrix, ids, count, stride, i);
        if ((uint32_t)ids[i] % shares != share) continue;
        for (int64_t k = 0; k < stride; k += LANES)
            vf_store(row + k, vf_add(vf_load(row + k), vf_load(copy + k)));
    }
}

#endif
