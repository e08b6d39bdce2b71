/* What the passes of the recurrent layer share: the plan of who lives when, how scratch and stash
 * are cut up, and packed products.
 *
 * A sequence is walked in packed rows: those of all rows' first own steps, then those of all second
 * steps, and so on, the rows of the batch with the longest first, so that the rows of step k + 1
 * are the first ones of step k's. Nothing is computed for padding. Where all rows are full the
 * packed rows are those of [steps][batch] as they lie ("dense"), backwards in time when the layer
 * is reversed, and nothing is copied.
 *
 * Threads take rows of the batch for the whole sequence, so the time loop needs no barrier. All
 * arrays are float.
 */
#ifndef RKI_CPU_RECURRENT_H
#define RKI_CPU_RECURRENT_H

#include "cpu/cpu.h"

/* Cuts a block into aligned pieces: without a block it only counts. */
typedef struct rki_pieces {
    char *block; /* NULL: only count */
    size_t used;
} rki_pieces;

void *rki_pieces_take(rki_pieces *pieces, size_t bytes);

static inline float *rki_take_floats(rki_pieces *pieces, int64_t count)
{
    return rki_pieces_take(pieces, (size_t)count * sizeof(float));
}

/* The plan. */

typedef struct rki_plan {
    const rki_recurrent *layer;
    int64_t gates; /* gates * hidden */
    int64_t steps; /* that any row lives through */
    int64_t total; /* packed rows */
    int64_t tasks; /* how many the rows of the batch are cut into */
    /* NULL when dense: */
    int32_t *order;   /* [batch]: rows by length, the longest first */
    int64_t *offsets; /* [steps + 1]: the first packed row of each step */
    int64_t *places;  /* [total]: t * batch + b of each packed row */
} rki_plan;

/* Row b lives at steps *begin .. *begin + the result - 1. */
int64_t rki_recurrent_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin);

/* A fresh plan, or the one that was made there before. */
rki_plan rki_plan_make(
    const rki_cpu *cpu, const rki_recurrent *layer, rki_pieces *pieces, int fresh);

/* How many rows live at step k, and the packed row of the first; step k < plan->steps, or for the
 * count = plan->steps. */
int64_t rki_plan_count(const rki_plan *plan, int64_t k);
int64_t rki_plan_first(const rki_plan *plan, int64_t k);

/* t * batch + b of a packed row. */
int64_t rki_plan_place(const rki_plan *plan, int64_t row);

/* Task `index` has rows *begin .. *end - 1, in the plan's order. */
void rki_plan_share(const rki_plan *plan, int64_t index, int64_t *begin, int64_t *end);

/* Packed rows first .. first + count - 1 of an array [steps][batch][width] with `stride` from row
 * to row: where they lie when dense, else copied into `room`. */
const float *rki_plan_rows(const rki_cpu *cpu, const rki_plan *plan, const float *from,
    int64_t stride, int64_t width, int64_t first, int64_t count, float *room);

/* The same for an array [batch][width], in the plan's order; NULL stays NULL. */
const float *rki_plan_batch(const rki_plan *plan, const float *from, int64_t width, float *room);

/* Packed rows back into [steps][batch][width]: written or added; places where no row lives get 0
 * when written. */
void rki_plan_return(const rki_cpu *cpu, const rki_plan *plan, const float *packed, int64_t width,
    float *to, int64_t stride, int accumulate);

/* [batch][width] in the plan's order back to where it belongs; `from` may be `to` when dense. */
void rki_plan_return_batch(const rki_plan *plan, const float *from, int64_t width, float *to);

/* Products with a weight that is packed once and used at every step. `k` and `n` as for a product
 * a[rows][k] b[k][n], b being `weight` (transposed: stored [n][k]). Same sums as rki_gemm_run. */

int64_t rki_packed_count(const rki_cpu *cpu, int64_t k, int64_t n);
void rki_packed_make(const rki_cpu *cpu, int64_t k, int64_t n, const float *weight, int64_t ldb,
    int transposed, float *packed);

typedef struct rki_packed_product {
    int64_t rows, n, k;
    const float *a;
    int64_t lda;
    const float *packed;
    const float *bias; /* [n], or NULL */
    int add;           /* c is added to */
    float *c;
    int64_t ldc;
} rki_packed_product;

void rki_packed_run(const rki_cpu *cpu, const rki_packed_product *call);

/* The stash of a forward pass, behind its plan, by packed rows; what a layer does not need is NULL.
 */
typedef struct rki_stash {
    float *gates;               /* [gates hidden] */
    float *cells;               /* LSTM: c_t [hidden] */
    float *reset;               /* GRU: u_n + b_hh_n [hidden] */
    float *h;                   /* with lengths or starts: h_t [output] */
    float *candidates;          /* LSTM with zoneout or layer norm: c' [hidden] */
    float *shown;               /* projection: what is projected [hidden] */
    float *normal_a, *normal_u; /* layer norm: [gates hidden] */
    float *normal_c;            /* and LSTM: [hidden] */
    float *scale;               /* layer norm: what a, u and c' were scaled with [3] */
} rki_stash;

rki_stash rki_stash_cut(rki_pieces *pieces, const rki_recurrent *layer);

/* Whether one fused kernel does a step; else it is composed (recurrent_composed.h). */
int rki_recurrent_fused(const rki_recurrent *layer);

/* out[j] = bias_ih[j] + bias_hh[j], but for a GRU's n, which gets bias_ih alone; returns out, or
 * NULL when there are no biases. */
const float *rki_recurrent_bias(
    const rki_recurrent *layer, const rki_recurrent_weights *weights, float *out);

/* b_hh_n of a GRU, or NULL. */
const float *rki_recurrent_bias_n(const rki_recurrent *layer, const rki_recurrent_weights *weights);

#endif
