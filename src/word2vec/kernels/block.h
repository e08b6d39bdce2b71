/* A block of input rows and output rows, trained.
 *
 * Scores are products of a tile's input rows with all output rows, summed in registers. When all are
 * there they become gradients. Then one pass over the columns changes all rows of the block: output
 * rows, old and new, stay in registers while the input rows pass by.
 *
 * Meanwhile rows that are wanted soon are fetched, a line for a line that is worked on: all at once
 * they would fill what the processor has for lines on their way, and stop it.
 */
#ifndef RKI_WORD2VEC_KERNELS_BLOCK_H
#define RKI_WORD2VEC_KERNELS_BLOCK_H

#include "word2vec/kernels/gradient.h"

enum { OUTPUTS = RKI_WORD2VEC_OUTPUTS };

typedef struct block {
    int64_t inputs, stride;
    float *const *x;      /* [inputs] */
    const int32_t *kinds; /* [inputs], and behind them a 0 */
    float *const *y;      /* [outputs] */
    const weights *weights;
    float *gradients;          /* [inputs][ROW] */
    const float *const *fetch; /* [fetched_with(inputs)] */
} block;

/* The rows that a block fetches: one with each input row that changes, one with each tile. */
static INLINE int64_t fetched_with(int64_t inputs)
{
    return inputs + (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
}

static INLINE void prefetch(const float *line)
{
    __builtin_prefetch(line, 1, 3);
}

/* The scores of a tile, where its gradients will be. */
static INLINE void score_tile(
    int inputs, int outputs, const block *of, int64_t first, const float *fetch)
{
    vf sums[TILE];
    float *const *x = of->x + first;
    UNROLL for (int i = 0; i < TILE; i++) sums[i] = vf_zero();
    UNROLL_TWICE for (int64_t k = 0; k < of->stride; k += LANES)
    {
        vf a[TILE_INPUTS];
        if (k % RKI_W2V_ALIGN == 0) prefetch(fetch + k);
        UNROLL for (int i = 0; i < inputs; i++) a[i] = vf_load(x[i] + k);
        UNROLL for (int j = 0; j < outputs; j++)
        {
            vf b = vf_load(of->y[j] + k);
            UNROLL for (int i = 0; i < inputs; i++) sums[i * ROW + j] =
                vf_fma(a[i], b, sums[i * ROW + j]);
        }
    }
    UNROLL for (int i = 0; i < TILE; i += LANES)
        vf_store(of->gradients + first * ROW + i, vf_sums(sums + i, LANES));
}

/* All scores to gradients, apart from the sums: what it takes from one to the other is long, and
 * goes on for many at once. */
static INLINE void set_gradients(const block *of, tally *sum)
{
    tally now = *sum;
    int64_t i = 0;
    for (; i < of->inputs; i += TILE_INPUTS) {
        float *at = of->gradients + i * ROW;
        int32_t kind = of->kinds[i];
        if (TILE_INPUTS > 1) kind = kind * KINDS + of->kinds[i + 1];
        UNROLL for (int k = 0; k < TILE; k += LANES)
            vf_store(at + k, gradients_of(vf_load(at + k), of->weights, kind, k, &now));
    }
    now.empty += (i - of->inputs) * ROW;
    *sum = now;
}

/* y += sum g x, x += sum g y in a vector of columns. */
static INLINE void change_columns(int outputs, const block *of, int64_t k)
{
    float *const *x = of->x;
    const float *const *fetch = of->fetch;
    const float *g = of->gradients;
    vf old[OUTPUTS], fresh[OUTPUTS];
    UNROLL for (int j = 0; j < outputs; j++) fresh[j] = old[j] = vf_load(of->y[j] + k);
    for (int64_t i = 0; i < of->inputs; i++, g += ROW) {
        float *row = x[i] + k;
        vf a = vf_load(row), b = a;
        if (k % RKI_W2V_ALIGN == 0) prefetch(fetch[i] + k);
        UNROLL for (int j = 0; j < outputs; j++)
        {
            vf scale = vf_set1(g[j]);
            fresh[j] = vf_fma(scale, a, fresh[j]);
            b = vf_fma(scale, old[j], b);
        }
        vf_store(row, b);
    }
    UNROLL for (int j = 0; j < outputs; j++) vf_store(of->y[j] + k, fresh[j]);
}

static INLINE void train_rows(int outputs, const block *of, tally *sum)
{
    int64_t i = 0, inputs = of->inputs;
    const float *const *fetch = of->fetch + inputs;
    for (; i + TILE_INPUTS <= inputs; i += TILE_INPUTS)
        score_tile(TILE_INPUTS, outputs, of, i, *fetch++);
    if (i < inputs) score_tile(1, outputs, of, i, *fetch);
    set_gradients(of, sum);
    for (int64_t k = 0; k < of->stride; k += LANES)
        change_columns(outputs, of, k);
}

/* Dispatches to a body for each number of output rows. */
static void train_block(int outputs, const block *of, tally *sum)
{
    switch (outputs) {
    case 1: train_rows(1, of, sum); break;
    case 2: train_rows(2, of, sum); break;
    case 3: train_rows(3, of, sum); break;
    case 4: train_rows(4, of, sum); break;
    case 5: train_rows(5, of, sum); break;
    case 6: train_rows(6, of, sum); break;
    default: train_rows(7, of, sum); break;
    }
}

#endif
