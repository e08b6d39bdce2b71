/* The table of operations that a device offers: the only meeting point of library and device.
 *
 * An operation is coarse (a whole recurrent sequence, a whole softmax cross-entropy) and gets one
 * struct of arguments. Rules that hold for all of them:
 *  - `void *` arrays hold elements of the device's dtype, in device memory, row-major and without
 *    gaps unless a leading dimension is given; `int32_t *` arrays are in HOST memory; optional ones
 *    may be NULL, and the comment says so. Arrays of one call do not overlap.
 *  - Arguments are checked by the caller: sizes are at least 1, ids are in range.
 *  - An operation allocates nothing. What it needs beside its arguments is `scratch` (contents mean
 *    nothing before and after) and, from a forward to its backward pass, `stash`; the size queries
 *    beside it say how many bytes, and both start at a 64-byte boundary. A size of 0 allows NULL.
 *  - The result of an element depends only on its own inputs: not on the number of threads, nor on
 *    which other rows share the call. Sums run in a fixed order.
 *  - NaN and Inf in the input come out again; nothing traps, nothing prints.
 *  - A weight is plain unless the call says in which format (formats.h) it is held; only a device
 *    whose table lists that format is asked so.
 *  - On failure an operation returns a status below 0, with its message set through host->fail.
 *  - Many threads may run operations of one device at the same time, on different memory.
 *
 * The table is private: plug-in and library must be of the same RKI_BACKEND_ABI.
 */
#ifndef RKI_BACKEND_BACKEND_H
#define RKI_BACKEND_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "backend/attention.h"
#include "backend/decoding.h"
#include "backend/formats.h"
#include "backend/norm.h"
#include "backend/word2vec.h"
#include "base/random.h"
#include "tensor/tensor.h"

#define RKI_BACKEND_ABI 7

/* What the library offers to a plug-in, which must not link to the library itself. */
typedef struct rki_host {
    uint32_t size;
    int32_t (*fail)(int32_t status, const char *format, ...);
    void (*random_words)(rki_random random, uint64_t step, uint32_t key[2], uint32_t fixed[2]);
    /* The context's allocator, for host memory. */
    void *(*allocate)(size_t bytes, size_t alignment, void *user);
    void (*release)(void *block, void *user);
    void *user;
} rki_host;

/* What the factors of large products are rounded to: of gemm, of softmax_loss, of recurrent layers
 * with their input and for the gradients of their weights and input; in all shapes, so that a row's
 * result does not depend on its company. Arrays, sums, and everything else stay in the device's
 * type. */
typedef enum rki_precision {
    RKI_PRECISION_FULL = 0, /* not at all */
    RKI_PRECISION_TF32,     /* 11 bits */
    RKI_PRECISION_BF16      /* 8 bits */
} rki_precision;

/* c[m][n] = op(a) op(b) + bias + (accumulate ? c : 0), op(a) being [m][k], op(b) [k][n]. With b in a
 * format: b is transposed and a is not, k is all of its columns, and ldb means nothing; but of a
 * packed b, as of a plain one, ldb is all of its columns, and b may begin at any of them
 * (rki_format_column). */
typedef struct rki_gemm {
    int transpose_a, transpose_b; /* a is stored as [k][m], b as [n][k] */
    int accumulate;
    int training; /* a row need not have the bits that it has in a step that runs alone */
    int64_t m, n, k;
    const void *a;
    int64_t lda; /* elements from one stored row to the next */
    const void *b;
    int64_t ldb;
    const void *bias; /* [n], or NULL */
    void *c;
    int64_t ldc;
    void *scratch;
    rki_format b_format;
    int64_t b_rows, b_first; /* in a format: the rows of the whole weight, and the first of the n */
    const void *b_kept;      /* or NULL: see gemm_keep */
} rki_gemm;

/* out[i] = table[ids[i]], rows of `width`. */
typedef struct rki_gather {
    int64_t count, width;
    const int32_t *ids;
    const void *table;
    void *out;
    rki_format format;
    int64_t rows; /* of the table; read only in a format */
} rki_gather;

/* gradient[rows[u]] += sum of dy[order[j]] for j in starts[u] .. starts[u + 1] - 1, in that order.
 */
typedef struct rki_scatter {
    int64_t unique, width;
    const int32_t *rows;   /* [unique], no row twice */
    const int32_t *starts; /* [unique + 1] */
    const int32_t *order;  /* [starts[unique]] */
    const void *dy;
    void *gradient;
} rki_scatter;

/* y = x * mask / (1 - rate); element i is kept when its 32-bit draw is >= rate * 2^32. With a
 * period, the mask repeats: element i has the draw of element i % period. Element i takes word i %
 * 4 of draw i / 4 (Philox 4x32-10, counter {index low, index high, fixed[0], fixed[1]}, key;
 * host->random_words). Backward is the same operation on the gradient. */
typedef struct rki_dropout {
    int64_t count;
    int64_t period; /* 0: none */
    double rate;
    rki_random random;
    uint64_t step;
    int accumulate; /* y += instead of y = */
    const void *x;
    void *y;
} rki_dropout;

/* Cells of recurrent layers. Gates, in the order of the weights' rows: none, none; r, z, n; r, z,
 * n; i, f, g, o. */
typedef enum rki_cell {
    RKI_CELL_TANH,       /* Elman, tanh */
    RKI_CELL_RELU,       /* Elman, max(0, .) */
    RKI_CELL_GRU,        /* reset after the product, as PyTorch and cuDNN */
    RKI_CELL_GRU_BEFORE, /* reset before the product, as Cho et al. 2014 */
    RKI_CELL_LSTM
} rki_cell;

/* Blocks of `hidden` rows in a weight. */
static inline int64_t rki_cell_gates(rki_cell cell)
{
    return cell == RKI_CELL_LSTM ? 4 : cell >= RKI_CELL_GRU ? 3 : 1;
}

/* One recurrent layer in one direction. From x_t, h (and c) of the step before, with
 *   a = W_ih x_t      u = W_hh h      s = a + b_ih + u + b_hh      (subscripts: a gate's block)
 * the candidates are
 *   TANH, RELU  h' = f(s)
 *   GRU         r = sigmoid(s_r)  z = sigmoid(s_z)  n = tanh(a_n + b_ih_n + r (u_n + b_hh_n))
 *               h' = n + z (h - n)
 *   GRU_BEFORE  the same with n = tanh(a_n + b_ih_n + W_hh_n (r h) + b_hh_n)
 *   LSTM        i, f, o = sigmoid(s_i, s_f, s_o)   g = tanh(s_g)   c' = f c + i g
 *               h' = o tanh(c'), or with a projection W_hr (o tanh(c'))
 * and with layer_norm (Ba, Kiros and Hinton 2016; not for GRU_BEFORE)
 *   a = norm_ih normal(W_ih x_t)      u = norm_hh normal(W_hh h)
 *   h' = o tanh(norm_c normal(c') + norm_c_bias) for an LSTM
 *   normal(v) = (v - mean(v)) / sqrt(mean((v - mean(v))^2) + RKI_NORM_EPSILON), over all of v
 *
 * Zoneout (Krueger et al. 2017) mixes them with the state: h_t = m h + (1 - m) h', and c_t alike.
 * When training, m is 1 where an element's 32-bit draw is < rate * 2^32, else 0; otherwise m is
 * the rate. Draws are those of rki_dropout: element (t * batch + b) * width + j of `random` for h
 * (width: output), of the stream after it for c (width: hidden).
 *
 * Row b lives at steps starts[b] .. starts[b] + lengths[b] - 1, which is within 0 .. steps - 1, and
 * is walked upwards, or downwards when `reverse`. At all other steps it does nothing: y is 0 there,
 * its x and dy are never read, dx is 0, whatever the weights are; a row of length 0 hands h0 and c0
 * through to hn and cn, and their gradients back. */
typedef struct rki_recurrent {
    rki_cell cell;
    int64_t steps, batch, input, hidden;
    int64_t output; /* width of h and y: hidden, but for an LSTM with a projection */
    int reverse, layer_norm;
    int training;                /* the forward pass fills a stash for backward */
    double zoneout_h, zoneout_c; /* rates; 0: none */
    rki_random random;           /* of zoneout, with random_step */
    uint64_t random_step;
    rki_format format;      /* of weight_ih, weight_hh and weight_hr; plain when training */
    const int32_t *starts;  /* [batch], or NULL: all 0 */
    const int32_t *lengths; /* [batch], or NULL: all steps - start */
} rki_recurrent;

#define RKI_NORM_EPSILON 1e-5

/* gates = rki_cell_gates(cell) */
typedef struct rki_recurrent_weights {
    const void *weight_ih; /* [gates hidden][input] */
    const void *weight_hh; /* [gates hidden][output] */
    const void *bias_ih;   /* [gates hidden], or NULL together with bias_hh */
    const void *bias_hh;
    const void *weight_hr;            /* [output][hidden], or NULL: no projection */
    const void *norm_ih, *norm_hh;    /* [gates hidden] with layer_norm */
    const void *norm_c, *norm_c_bias; /* [hidden] with layer_norm, LSTM */
} rki_recurrent_weights;

/* Their gradients; those of absent weights are NULL. */
typedef struct rki_recurrent_gradients {
    void *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_hr;
    void *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
} rki_recurrent_gradients;

typedef struct rki_recurrent_forward {
    rki_recurrent layer;
    rki_recurrent_weights weights;
    const void *x;       /* [steps][batch][input] */
    const void *h0, *c0; /* [batch][output], [batch][hidden]; c everywhere: LSTM alone, else NULL */
    void *y;             /* [steps][batch][output] */
    int64_t ldy;         /* elements from one row to the next; between steps, batch times that */
    void *hn, *cn;       /* as h0, c0; may not be them */
    void *stash;         /* NULL when not training */
    void *scratch;
} rki_recurrent_forward;

/* Gradients of a forward call that had the same layer, weights, x, h0, c0; y and stash are what it
 * left. */
typedef struct rki_recurrent_backward {
    rki_recurrent layer;
    rki_recurrent_weights weights;
    const void *x, *h0, *c0, *y;
    int64_t ldy;
    const void *stash;
    const void *dy; /* [steps][batch][output] with lddy as ldy */
    int64_t lddy;
    const void *dhn, *dcn;             /* or NULL: zeros */
    void *dx;                          /* [steps][batch][input], or NULL when not wanted */
    int accumulate_dx;                 /* dx is added to, not written */
    void *dh0, *dc0;                   /* written, or NULL when not wanted */
    rki_recurrent_gradients gradients; /* added to */
    void *scratch;
} rki_recurrent_backward;

/* One step in place: h and c are read and replaced; h is also the layer's output. The layer has 1
 * step, is not training, and has neither starts nor lengths. */
typedef struct rki_recurrent_step {
    rki_recurrent layer;
    rki_recurrent_weights weights;
    const void *x; /* [batch][input] */
    void *h, *c;   /* [batch][output], [batch][hidden] */
    void *scratch;
    int back; /* a hint: the weights were last gone through from their beginning, so that what a cache
                 still holds of them is their end */
} rki_recurrent_step;

/* Looks into the stash of a training forward call. At steps where a row does not live: zeros. */
typedef struct rki_recurrent_gates {
    rki_recurrent layer;
    const void *stash;
    const void *y; /* what the forward call left */
    int64_t ldy;
    void *gates; /* [steps][batch][gates hidden]: the gates' values; h' for TANH and RELU */
    void *cells; /* [steps][batch][hidden]: c_t; LSTM alone, else NULL */
} rki_recurrent_gates;

/* out[b] = of x[t][b] over the steps at which row b lives: MEAN, MAX, or LAST: columns 0 .. forward
 * - 1 of its last step and the others of its first, which is where a reverse direction ends. A row
 * that never lives gives 0. starts and lengths as for rki_recurrent. */
typedef enum rki_pooling { RKI_POOL_LAST, RKI_POOL_MEAN, RKI_POOL_MAX } rki_pooling;

typedef struct rki_pool {
    rki_pooling pooling;
    int64_t steps, batch, width;
    int64_t forward;
    const int32_t *starts, *lengths;
    const void *x; /* [steps][batch][width] */
    void *out;     /* [batch][width] */
} rki_pool;

/* dx is written, all of it. MAX gives to the first step that has the largest value; where a NaN is
 * the largest, to the first NaN. */
typedef struct rki_pool_backward {
    rki_pool forward; /* the call, x as it was; out is not read */
    const void *dout;
    void *dx;
} rki_pool_backward;

/* Softmax cross-entropy of logits = x W^T + b, never held whole. With t = targets[r], w the class
 * weights and s the smoothing, the target's distribution, not normalised, is
 *   q_v = (1 - s) w_t [v = t] + s w_v / classes      Q = sum_v q_v
 *   row_loss[r] = Q log(sum_v exp(logits[r][v])) - sum_v q_v logits[r][v]
 * and, when dx is given, with p = softmax(logits), e = (Q p - q) * scale:
 *   dx[r] = e[r] W   dweight = e^T x   dbias = sum_r e[r]      (all three written, not added to).
 */
typedef struct rki_softmax_loss {
    int64_t rows, inputs, classes;
    double scale;
    double smoothing;          /* 0 to 1 */
    double class_weight_sum;   /* sum_v w_v; read only when smoothing is not 0 */
    const void *class_weights; /* [classes], or NULL: all 1 */
    const void *x;             /* [rows][inputs] */
    const void *weight;        /* [classes][inputs] */
    const void *bias;          /* [classes], or NULL */
    const int32_t *targets;    /* [rows], each 0..classes-1 */
    double *loss;              /* HOST: the sum of row_loss, added up in double */
    void *row_loss;            /* [rows], or NULL when not wanted */
    void *dx;                  /* [rows][inputs], or NULL: no gradients at all */
    void *dweight;             /* [classes][inputs] when dx is given */
    void *dbias;               /* [classes] when dx and bias are given */
    rki_format format;         /* of weight; plain when dx is given */
    void *scratch;
} rki_softmax_loss;

/* A loss of each element by itself, with d = x - t:
 *   RKI_BINARY_CROSS_ENTROPY  (1 - t) x + (1 + (positive - 1) t) log(1 + exp(-x)), x being a logit
 *   RKI_SQUARED_ERROR         d^2
 *   RKI_ABSOLUTE_ERROR        |d|, with derivative 0 at d = 0
 *   RKI_HUBER                 d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2)
 * loss = sum_i w_i l(x_i, t_i), dx_i = scale w_i dl/dx_i. An element whose weight is 0 is left out:
 * its x and t are not looked at and its dx is 0. */
typedef enum rki_pointwise {
    RKI_BINARY_CROSS_ENTROPY,
    RKI_SQUARED_ERROR,
    RKI_ABSOLUTE_ERROR,
    RKI_HUBER
} rki_pointwise;

typedef struct rki_pointwise_loss {
    rki_pointwise rule;
    int64_t count;
    int64_t width; /* elements that share a weight; divides count */
    double positive, delta, scale;
    const void *x, *targets; /* [count] */
    const void *weights;     /* [count / width], none below 0; or NULL: all 1 */
    double *loss;            /* HOST: added up in double */
    void *dx;                /* [count], or NULL when not wanted */
} rki_pointwise_loss;

/* Negative sampling (Mikolov et al., NIPS 2013, equation 4). Row r of x meets `candidates` rows of
 * a table: ids[r][0], the word itself, with label 1, and noise words with label 0; an id of -1 is
 * none. s = x[r] . table[id]     row_loss[r] = sum over candidates of -log sigmoid(label ? s : -s)
 * and, when dx is given, with g = (sigmoid(s) - label) * scale:
 *   dx[r] = sum over candidates of g table[id]
 *   dtable[u] = sum of g x[row] over the candidates order[j], j in starts[u] .. starts[u + 1] - 1
 * both written, not added to; candidates are numbered r * candidates + place. */
typedef struct rki_negative_sampling {
    int64_t rows, candidates, width;
    double scale;
    const void *x;      /* [rows][width] */
    const void *table;  /* rows of `width` */
    const int32_t *ids; /* [rows][candidates] */
    double *loss;       /* HOST: the sum of row_loss, added up in double in the order of rows */
    void *dx;           /* [rows][width], or NULL: no gradients at all */
    int64_t unique;
    const int32_t *starts; /* [unique + 1] */
    const int32_t *order;  /* [starts[unique]], none of them with id -1 */
    void *dtable;          /* [unique][width] when dx is given and unique > 0 */
    void *scratch;
} rki_negative_sampling;

/* Update rules as in torch.optim, with g = gradient * gradient_scale (clipped to +-clip_value
 * before scaling when clip_value > 0) and `step` counted from 1. */
typedef enum rki_rule { RKI_SGD, RKI_ADAM, RKI_ADAMW, RKI_RMSPROP, RKI_ADAGRAD } rki_rule;

typedef struct rki_update {
    rki_rule rule;
    int nesterov;
    int64_t step;
    double rate, momentum, beta1, beta2, alpha, epsilon, weight_decay;
    double clip_value, gradient_scale;
    int64_t row_count, width;
    const int32_t *rows; /* the rows to update, or NULL: 0 .. row_count - 1 */
    void *value;
    void *gradient; /* set to zero on the way */
    void *first;    /* SGD and RMSPROP: momentum buffer, NULL without; ADAM, ADAMW: first moment;
                       ADAGRAD: sum of squares */
    void *second;   /* ADAM, ADAMW: second moment; RMSPROP: mean of squares; else NULL */
} rki_update;

/* *sum = sum over the rows of clip(x)^2, added up in double in blocks of fixed size. */
typedef struct rki_square_sum {
    int64_t row_count, width;
    const int32_t *rows; /* or NULL: 0 .. row_count - 1 */
    double clip_value;   /* 0: none */
    const void *x;
    double *sum; /* HOST */
} rki_square_sum;

/* What a device is opened for. */
typedef struct rki_open {
    int32_t index; /* which of the back end's devices */
    rki_dtype dtype;
    rki_precision precision;
    int64_t threads; /* of the CPU, that a call may use: at least 1 */
    const char *isa; /* caps what kernels on the CPU use; a name that is none there, nothing */
} rki_open;

typedef struct rki_backend {
    uint32_t size; /* sizeof(rki_backend) */
    uint32_t abi;  /* RKI_BACKEND_ABI */
    const char *name;
    /* Bit f: the operations take weights in format f; that of RKI_PLAIN is not looked at. */
    uint64_t formats;

    /* 1 when the device can be used here; else 0, and why in words. Changes nothing. */
    int (*probe)(char *reason, size_t capacity);
    /* What stands behind it, for rnnkit_build_info(): "OpenBLAS 0.3.21 ..., avx512". */
    void (*describe)(char *text, size_t capacity);

    int32_t (*open)(const rki_host *host, const rki_open *call, void **self);
    void (*close)(void *self);

    /* Device memory, zeroed, 64-byte aligned at least. */
    int32_t (*allocate)(void *self, size_t bytes, void **out);
    void (*release)(void *self, void *block);
    int32_t (*upload)(void *self, void *device, const void *host, size_t bytes);
    int32_t (*download)(void *self, void *host, const void *device, size_t bytes);
    int32_t (*copy)(void *self, void *target, const void *source, size_t bytes);
    int32_t (*zero)(void *self, void *block, size_t bytes);
    int32_t (*synchronize)(void *self);

    /* y += alpha x; column_sum: out[n] = (accumulate ? out : 0) + sum over rows of a[m][n]. */
    int32_t (*add_scaled)(void *self, int64_t count, double alpha, const void *x, void *y);
    int32_t (*column_sum)(
        void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out);
    size_t (*gemm_scratch)(void *self, const rki_gemm *call);
    int32_t (*gemm)(void *self, const rki_gemm *call);
    /* For many products of one b, which stays as it is: brings b into a block that is b_kept of all
     * calls with these n, k, b, ldb, transpose_b and training, and an a that is not transposed.
     * Returns the block's bytes, 0 where nothing would be gained; with NULL that is all. */
    size_t (*gemm_keep)(void *self, const rki_gemm *call, void *block);
    int32_t (*gather)(void *self, const rki_gather *call);
    int32_t (*scatter)(void *self, const rki_scatter *call);
    int32_t (*dropout)(void *self, const rki_dropout *call);

    size_t (*recurrent_stash)(void *self, const rki_recurrent *layer);
    size_t (*recurrent_forward_scratch)(void *self, const rki_recurrent *layer);
    size_t (*recurrent_backward_scratch)(void *self, const rki_recurrent *layer);
    size_t (*recurrent_step_scratch)(void *self, const rki_recurrent *layer);
    int32_t (*recurrent_forward)(void *self, const rki_recurrent_forward *call);
    int32_t (*recurrent_backward)(void *self, const rki_recurrent_backward *call);
    int32_t (*recurrent_step)(void *self, const rki_recurrent_step *call);
    int32_t (*recurrent_gates)(void *self, const rki_recurrent_gates *call);
    int32_t (*pool)(void *self, const rki_pool *call);
    int32_t (*pool_backward)(void *self, const rki_pool_backward *call);

    size_t (*softmax_loss_scratch)(void *self, const rki_softmax_loss *call);
    int32_t (*softmax_loss)(void *self, const rki_softmax_loss *call);
    int32_t (*pointwise_loss)(void *self, const rki_pointwise_loss *call);

    size_t (*negative_sampling_scratch)(void *self, const rki_negative_sampling *call);
    int32_t (*negative_sampling)(void *self, const rki_negative_sampling *call);

    /* `count` sums in one go: a device that computes elsewhere is waited for once. */
    int32_t (*square_sum)(void *self, int64_t count, const rki_square_sum *calls);
    int32_t (*update)(void *self, const rki_update *call);

    /* See attention.h. */
    int32_t (*attention_forward)(void *self, const rki_attention_forward *call);
    int32_t (*attention_backward)(void *self, const rki_attention_backward *call);
    size_t (*attention_source_scratch)(void *self, const rki_attention *attention);
    int32_t (*attention_source)(void *self, const rki_attention_source *call);

    /* See decoding.h. tanh: y = tanh(x), y may be x; its backward: dx = dy (1 - y^2), dx may be dy.
     */
    int32_t (*cell_forward)(void *self, const rki_cell_forward *call);
    int32_t (*cell_backward)(void *self, const rki_cell_backward *call);
    int32_t (*tanh)(void *self, int64_t count, const void *x, void *y);
    int32_t (*tanh_backward)(void *self, int64_t count, const void *y, const void *dy, void *dx);
    int32_t (*top)(void *self, const rki_top *call);

    /* See norm.h. relu: y = max(x, 0), y may be x; its backward: dx = y > 0 ? dy : 0, dx may be dy. */
    int32_t (*norm_forward)(void *self, const rki_norm_forward *call);
    int32_t (*norm_backward)(void *self, const rki_norm_backward *call);
    int32_t (*relu)(void *self, int64_t count, const void *x, void *y);
    int32_t (*relu_backward)(void *self, int64_t count, const void *y, const void *dy, void *dx);

    /* See word2vec.h; both NULL, in the built-in table alone: word2vec trains on the CPU. The query
     * fails with RNNKIT_E_UNSUPPORTED where a window is too large for the device. */
    int32_t (*word2vec_scratch)(void *self, const rki_word2vec *of, size_t *bytes);
    int32_t (*word2vec_train)(void *self, const rki_word2vec_train *call);
} rki_backend;

/* The one symbol that a plug-in exports (name: RKI_BACKEND_ENTRY). */
#define RKI_BACKEND_ENTRY "rnnkit_backend_entry"
typedef const rki_backend *(*rki_backend_entry_fn)(void);

#endif
