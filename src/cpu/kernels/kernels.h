/* The kernels: the inner loops of the CPU backend, written once and compiled per instruction set.
 *
 * A kernel is pure: it allocates nothing, keeps nothing, starts no threads, calls no library, and
 * touches only what its arguments point at. Each instruction set gives one table; isa.h chooses.
 * The bodies are headers of static functions, included by kernels_<set>.c alone.
 */
#ifndef RKI_CPU_KERNELS_KERNELS_H
#define RKI_CPU_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

/* Products: c += a b in blocks of k, see tile.h and product.h. */
enum {
    RKI_BLOCK_K = 512,      /* an element's sum over k is cut into blocks of at most this many */
    RKI_PANEL_VECTORS = 4,  /* a packed panel of b is this many vectors wide */
    RKI_MOST_TILE_ROWS = 8, /* no tile has more rows */
    RKI_MOST_LANES = 16     /* no vector has more lanes */
};

/* Steps of k in a block: as few blocks as there can be, of equal size, in whole vectors. */
static inline int64_t rki_block_steps(int64_t k)
{
    int64_t blocks = (k + RKI_BLOCK_K - 1) / RKI_BLOCK_K;
    if (blocks <= 1) return k;
    int64_t steps = (k + blocks - 1) / blocks;
    return (steps + RKI_MOST_LANES - 1) / RKI_MOST_LANES * RKI_MOST_LANES;
}

/* Memory that is needed soon: a kernel asks for it bit by bit while it computes something else. */
typedef struct rki_fetch {
    const float *from; /* [rows][width]; width 0: nothing */
    int64_t rows, width, stride;
} rki_fetch;

/* One block of k of a product: c[rows][n] = start + a b, start being the sum of c (when `add`) and
 * bias (unless NULL), or nothing at all. */
typedef struct rki_product {
    int64_t rows, n, k; /* k: RKI_BLOCK_K at most */
    const float *a;     /* [rows][k], or when `transposed` [k][rows rounded up to whole tiles] */
    int64_t lda;
    int transposed;
    const float *panels; /* what pack_b made */
    const float *bias;   /* [n], or NULL */
    int add;
    float *c;
    int64_t ldc;
    rki_fetch next_a, next_b; /* what the next blocks will be made from */
} rki_product;

/* A whole product of at most tile_rows rows: c = start + a op(b). */
typedef struct rki_narrow {
    int64_t rows, n, k;
    const float *a; /* [rows][k] */
    int64_t lda;
    int transposed; /* b is stored [n][k], else [k][n] */
    const float *b;
    int64_t ldb;
    const float *bias;
    int add;
    float *c;
    int64_t ldc;
} rki_narrow;

/* Products with rows of an int8 weight, of any number of rows of x; see int8_product.h. */
typedef struct rki_int8_product {
    int64_t rows, n;
    int64_t stride;    /* elements from row to row of the weight: a multiple of a cache line's */
    const char *ready; /* [rows] rows of x as int16, rki_int8_ready() bytes each */
    size_t ready_step;
    const int8_t *weight; /* the first of n rows */
    const float *scales;  /* theirs */
    const float *bias;    /* [n], or NULL */
    int add;
    float *c; /* [rows][n] */
    int64_t ldc;
} rki_int8_product;

/* Products with rows of a packed weight, of any number of rows of x; see group_product.h. */
typedef struct rki_group_product {
    int64_t rows, n, k;
    const float *a; /* [rows][k] */
    int64_t lda;
    rki_format format; /* RKI_PACKED or RKI_PACKED_BF16 */
    const float
        *weight;       /* at its first group, and the first of k columns: RKI_GROUP floats each, or
                          * as many pairs of bfloat16 */
    int64_t columns;   /* from group to group */
    int64_t first;     /* of n rows */
    const float *bias; /* [n], or NULL */
    int add;
    float *c; /* [rows][n] */
    int64_t ldc;
} rki_group_product;

/* Bytes of a row of `columns` values that is made ready. */
static inline size_t rki_int8_ready(int64_t columns)
{
    return RKI_FORMAT_LINE + (size_t)rki_format_stride(RKI_INT8, columns) * sizeof(int16_t);
}

/* One step of a recurrent layer, GRU_BEFORE excepted, for some rows; see cell_forward.h. */
typedef struct rki_cell_step {
    rki_cell cell;
    int64_t hidden, count;
    const float *panels; /* weight_hh, packed; NULL: z, or reset, is complete */
    const float *h;      /* [count][hidden]: the state before the step; without panels: GRU alone */
    int64_t ldh;
    const float *c;      /* LSTM: [count][hidden] */
    const float *bias_n; /* GRU: b_hh_n, or NULL */
    float *z;            /* [count][gates hidden]: the gates' sums but for weight_hh h, and without
                            b_hh_n */
    float *reset;        /* GRU: [count][hidden], u_n + b_hh_n: out with keep, in without panels */
    int keep;            /* leave the gates' values in z */
    float *h_next;       /* may be h when panels is NULL */
    int64_t ldh_next;
    float *c_next; /* may be c */
} rki_cell_step;

/* The gradient of one step for some rows; see cell_backward.h. */
typedef struct rki_cell_gradient {
    rki_cell cell;
    int64_t hidden, count;
    const float *panels;   /* weight_hh as pack_b made it; NULL: no product */
    const float *dz_after; /* [count][gates hidden]: dz of the rows' next step */
    const float *dy;       /* [count][hidden], or NULL */
    int64_t lddy;
    const float *dh;       /* [count][hidden] to add to it, or NULL */
    const float *gates;    /* [count][gates hidden], as the forward step kept them */
    const float *reset;    /* GRU, as kept */
    const float *h_before; /* GRU: the state before the step */
    int64_t ldh;
    const float *c_before, *c; /* LSTM */
    float *carry; /* [count][hidden]. LSTM: dc of this step's c in, of the one before out. GRU: dh z
                     out, and with panels in, that of the next step */
    float *dz;    /* [count][gates hidden] */
    float *dn;    /* GRU: [count][hidden], the gradient of a_n; dz has that of u_n */
} rki_cell_gradient;

/* What an update rule needs beside the arrays, worked out once for the whole update; see update.h.
 */
typedef struct rki_update_scalars {
    rki_rule rule;
    int nesterov;
    float rate;  /* Adam, AdamW: with the first moment's correction, rate / (1 - beta1^step) */
    float decay; /* AdamW: rate * weight_decay */
    float momentum, beta1, one_minus_beta1, beta2, one_minus_beta2, alpha, one_minus_alpha, epsilon;
    float second_correction; /* 1 / sqrt(1 - beta2^step) */
    float clip_value;        /* infinity: none */
    float gradient_scale;
} rki_update_scalars;

/* The random numbers of one dropout; see dropout.h. */
typedef struct rki_dropout_draws {
    uint32_t key[2], fixed[2];
    uint32_t threshold; /* a draw below it drops the element */
    float scale;        /* of the elements that are kept */
} rki_dropout_draws;

/* Rows of a matrix that stand `stride` floats apart. */
typedef struct rki_rows {
    const float *first;
    int64_t count, width, stride;
} rki_rows;

/* The source's gradient of additive scores, for one row of the batch; see attention.h. */
typedef struct rki_additive_keys {
    rki_rows q, keys;
    int causal; /* query t sees key s <= t alone */
    const float *v;
    const float *dscores; /* of query t and key s: t * dscores_stride + s */
    int64_t dscores_stride;
    float *dkeys; /* rows as keys', or NULL */
    float *dv;    /* [width], written */
} rki_additive_keys;

typedef struct rki_kernels {
    const char *name; /* "portable", "avx2", "avx512", "neon" */
    int64_t lanes;    /* floats of a vector */

    int64_t tile_rows; /* of a product's register tile */

    /* product.h. Room: pack_b rounds n up to whole vectors. A list gives the stored row of each
     * step of k; without one they are 0, 1, ... */
    void (*pack_b)(int64_t k, int64_t n, const float *b, int64_t ldb, int transposed,
        const int32_t *list, float *panels);
    void (*product)(const rki_product *call);
    void (*narrow)(const rki_narrow *call);

    /* int8_product.h */
    void (*ready_int8)(int64_t columns, const float *x, void *ready);
    void (*product_int8)(const rki_int8_product *call);

    /* group_product.h. pack_again makes of a packed weight_hh what the steps of any cell want. */
    void (*product_groups)(const rki_group_product *call);
    void (*pack_again)(
        rki_format format, int64_t gates, int64_t hidden, const float *weight_hh, float *panels);

    /* cell_forward.h, cell_backward.h. pack_gates is for LSTM and GRU: hidden rounded up to whole
     * vectors, times gates hidden floats; Elman steps want weight_hh as pack_b makes it,
     * transposed. */
    void (*pack_gates)(int64_t gates, int64_t hidden, const float *weight_hh, float *panels);
    void (*cell_step)(const rki_cell_step *call);
    void (*cell_gradient)(const rki_cell_gradient *call);

    /* activations.h: y[i] = f(x[i]); x may be y. */
    void (*tanh)(int64_t count, const float *x, float *y);
    void (*sigmoid)(int64_t count, const float *x, float *y);
    void (*exp)(int64_t count, const float *x, float *y);
    /* dx[i] = dy[i] (1 - y[i]^2); dx may be dy. */
    void (*tanh_gradient)(int64_t count, const float *y, const float *dy, float *dx);

    /* softmax.h */
    float (*softmax_exp)(int64_t count, float *x, int store, float *largest);
    void (*scale)(int64_t count, float factor, float *x);
    float (*weighted_sum)(int64_t count, const float *weights, float shift, const float *x);
    void (*smooth)(int64_t count, float factor, float amount, const float *weights, float *x);

    /* pointwise.h */
    void (*add_scaled)(int64_t count, float alpha, const float *x, float *y);
    float (*dot)(int64_t count, const float *x, const float *y);
    void (*column_sum)(
        int64_t rows, int64_t width, int64_t stride, const float *a, int accumulate, float *out);
    void (*sum_rows)(
        int64_t count, int64_t width, const int32_t *order, const float *dy, float *gradient);

    /* update.h */
    void (*update)(const rki_update_scalars *scalars, int64_t count, float *value, float *gradient,
        float *first, float *second);
    double (*square_sum)(int64_t count, const float *x, float limit);

    /* dropout.h: `first` is a multiple of 4 * RKI_MOST_LANES. */
    void (*dropout)(const rki_dropout_draws *draws, int64_t first, int64_t count, const float *x,
        int accumulate, float *y);

    /* attention.h */
    void (*additive_scores)(const float *q, const rki_rows *keys, const float *v, float *scores);
    void (*row_products)(const float *x, const rki_rows *rows, float scale, float *out);
    void (*row_sum)(
        const float *factors, int64_t factor_stride, const rki_rows *rows, float scale, float *out);
    void (*add_row_sum)(
        const float *factors, int64_t factor_stride, const rki_rows *rows, float *out);
    void (*softmax_gradient)(int64_t count, const float *p, float *d);
    void (*additive_query)(
        const float *q, const rki_rows *keys, const float *v, const float *dscores, float *dq);
    void (*additive_keys)(const rki_additive_keys *call);

    /* norm.h */
    void (*norm_forward)(int64_t width, float epsilon, const float *x, const float *weight,
        const float *bias, float *y, float *stash);
    void (*norm_row)(int64_t width, const float *x, const float *weight, const float *stash,
        const float *dy, float *dx);
    void (*norm_columns)(int64_t rows, int64_t columns, int64_t width, const float *x,
        const float *stash, const float *dy, float *dweight, float *dbias);
    void (*relu)(int64_t count, const float *x, float *y);
    void (*relu_gradient)(int64_t count, const float *y, const float *dy, float *dx);
} rki_kernels;

/* Bounds of the activations, see activations.h. */
#define RKI_TANH_ULP      5.0
#define RKI_SIGMOID_ERROR 1.8e-7
#define RKI_EXP_ULP       2.0

extern const rki_kernels rki_kernels_portable;
#if defined(__x86_64__)
extern const rki_kernels rki_kernels_avx2;
extern const rki_kernels rki_kernels_avx512;
#elif defined(__aarch64__)
extern const rki_kernels rki_kernels_neon;
#endif

#endif
