/* Rows of a matrix and copies of them, for deterministic training (local.h). Rows stand far apart
 * in memory: those that come next are asked for in advance, where whole rows pass by a line for
 * each line that is worked on.
 */
#ifndef RKI_WORD2VEC_KERNELS_COPIES_H
#define RKI_WORD2VEC_KERNELS_COPIES_H

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

enum { COPIES_AHEAD = 6 };

/* The row that comes COPIES_AHEAD rows after row `i`; at the end, row i. */
static INLINE const float *coming_row(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, int64_t i)
{
    return matrix + ids[i + COPIES_AHEAD < count ? i + COPIES_AHEAD : i] * stride;
}

static void kernel_copy_rows(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies)
{
    for (int64_t i = 0; i < count; i++) {
        const float *row = matrix + ids[i] * stride;
        const float *coming = coming_row(matrix, ids, count, stride, i);
        float *copy = copies + i * stride;
        for (int64_t k = 0; k < stride; k += LANES) {
            __builtin_prefetch(coming + k, 0, 3);
            vf_store(copy + k, vf_load(row + k));
        }
    }
}

static void kernel_subtract_rows(
    const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies)
{
    for (int64_t i = 0; i < count; i++) {
        const float *row = matrix + ids[i] * stride;
        const float *coming = coming_row(matrix, ids, count, stride, i);
        float *copy = copies + i * stride;
        for (int64_t k = 0; k < stride; k += LANES) {
            __builtin_prefetch(coming + k, 0, 3);
            vf_store(copy + k, vf_sub(vf_load(copy + k), vf_load(row + k)));
        }
    }
}

static INLINE void add_row(int64_t stride, const float *copy, const float *coming, float *row)
{
    for (int64_t k = 0; k < stride; k += LANES) {
        __builtin_prefetch(coming + k, 1, 3);
        vf_store(row + k, vf_add(vf_load(row + k), vf_load(copy + k)));
    }
}

/* Rows of the share wait in a line until those that come after them are asked for. */
static void kernel_add_rows(float *matrix, const int32_t *ids, int64_t count, int64_t stride,
    uint32_t share, uint32_t shares, const float *copies)
{
    int64_t line[COPIES_AHEAD], seen = 0;
    for (int64_t i = 0; i < count; i++) {
        if ((uint32_t)ids[i] % shares != share) continue;
        int64_t *place = &line[seen % COPIES_AHEAD];
        const float *coming = matrix + ids[i] * stride;
        if (seen++ >= COPIES_AHEAD)
            add_row(stride, copies + *place * stride, coming, matrix + ids[*place] * stride);
        *place = i;
    }
    for (int64_t i = seen < COPIES_AHEAD ? 0 : seen - COPIES_AHEAD; i < seen; i++) {
        int64_t place = line[i % COPIES_AHEAD];
        float *row = matrix + ids[place] * stride;
        add_row(stride, copies + place * stride, row, row);
    }
}

#endif
