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
#include "backend/norm.h"
#include "base/random.h"
#include "tensor/tensor.h"

#define RKI_BACKEND_ABI 1

/* What the library offers to a plug-in, which must not link to the library itself. */
typedef struct rki_host {
    uint32_t size;
    int32_t (*fail)(int32_t status, const char *format, ...);
    void (*random_words)(
        rki_random random, uint64_t step, uint32_t key[2], uint32_t fixed[2]);
    /* The context's allocator, for host memory. */
    void *(*allocate)(size_t bytes, size_t alignment, void *user);
    void (*release)(void *block, void *user);
    void *user;
} rki_host;

/* c[m][n] = op(a) op(b) + bias + (accumulate ? c : 0), op(a) being [m][k], op(b) [k][n]. */
typedef struct rki_gemm {
    int transpose_a, transpose_b; /* a is stored as [k][m], b as [n][k] */
    int accumulate;
    int64_t m, n, k;
    const void *a;
    int64_t lda; /* elements from one stored row to the next */
    const void *b;
    int64_t ldb;
    const void *bias; /* [n], or NULL */
    void *c;
    int64_t ldc;
    void *scratch;
} rki_gemm;

/* out[i] = table[ids[i]], rows of `width`. */
typedef struct rki_gather {
    int64_t count, width;
    const int32_t *ids;
    const void *table;
    void *out;
} rki_gather;

/* gradient[rows[u]] += sum of dy[order[j]] for j in starts[u] .. starts[u + 1] - 1, in that order. */
typedef struct rki_scatter {
    int64_t unique, width;
    const int32_t *rows;   /* [unique], no row twice */
    const int32_t *starts; /* [unique + 1] */
    const int32_t *order;  /* [starts[unique]] */
    const void *dy;
    void *gradient;
} rki_scatter;

/* y = x * mask / (1 - rate); element i is kept when its 32-bit draw is >= rate * 2^32. Element i
 * takes word i % 4 of draw i / 4 (Philox 4x32-10, counter {index low, index high, fixed[0],
 * fixed[1]}, key; host->random_words). Backward is the same operation on the gradient. */
typedef struct rki_dropout {
    int64_t count;
    double rate;
    rki_random random;
    uint64_t step;
    int accumulate; /* y += instead of y = */
    const void *x;
    void *y;
} rki_dropout;

/* Sizes of one recurrent layer in one direction. LSTM, gates in the order i, f, g, o:
 *   z = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
 *   i = sigmoid(z_i)  f = sigmoid(z_f)  g = tanh(z_g)  o = sigmoid(z_o)
 *   c_t = f c_{t-1} + i g      h_t = o tanh(c_t)
 * A row b with lengths[b] <= t does nothing at step t: y is 0, h and c stay. */
typedef struct rki_recurrent_size {
    int64_t steps, batch, input, hidden;
    int training; /* the forward pass fills a stash for backward */
} rki_recurrent_size;

typedef struct rki_recurrent_forward {
    rki_recurrent_size size;
    const int32_t *lengths; /* [batch], each 0..steps, or NULL: all full */
    const void *x;          /* [steps][batch][input] */
    const void *weight_ih;  /* [4 hidden][input] */
    const void *weight_hh;  /* [4 hidden][hidden] */
    const void *bias_ih;    /* [4 hidden], or NULL together with bias_hh */
    const void *bias_hh;
    const void *h0, *c0; /* [batch][hidden] */
    void *y;             /* [steps][batch][hidden] */
    void *hn, *cn;       /* [batch][hidden]; may not be h0, c0 */
    void *stash;         /* NULL when not training */
    void *scratch;
} rki_recurrent_forward;

/* Gradients of a forward call that had the same arguments; y and stash are what it left. */
typedef struct rki_recurrent_backward {
    rki_recurrent_size size;
    const int32_t *lengths;
    const void *x, *weight_ih, *weight_hh;
    const void *h0, *c0, *y;
    const void *stash;
    const void *dy;       /* [steps][batch][hidden] */
    const void *dhn, *dcn; /* [batch][hidden], or NULL: zeros */
    void *dx;             /* written, or NULL when not wanted */
    void *dh0, *dc0;      /* written, or NULL when not wanted */
    /* added to; the biases NULL when the layer has none */
    void *dweight_ih, *dweight_hh, *dbias_ih, *dbias_hh;
    void *scratch;
} rki_recurrent_backward;

/* One step in place: h and c are read and replaced; h is also the layer's output. No lengths. */
typedef struct rki_recurrent_step {
    int64_t batch, input, hidden;
    const void *x; /* [batch][input] */
    const void *weight_ih, *weight_hh, *bias_ih, *bias_hh;
    void *h, *c;
    void *scratch;
} rki_recurrent_step;

/* Softmax cross-entropy of logits = x W^T + b, never held whole:
 *   row_loss[r] = log(sum_v exp(logits[r][v])) - logits[r][targets[r]]
 * and, when dx is given, with p = softmax(logits), e = (p - onehot(target)) * scale:
 *   dx[r] = e[r] W   dweight = e^T x   dbias = sum_r e[r]      (all three written, not added to). */
typedef struct rki_softmax_loss {
    int64_t rows, inputs, classes;
    double scale;
    const void *x;          /* [rows][inputs] */
    const void *weight;     /* [classes][inputs] */
    const void *bias;       /* [classes], or NULL */
    const int32_t *targets; /* [rows], each 0..classes-1 */
    double *loss;           /* HOST: the sum of row_loss, added up in double */
    void *row_loss;         /* [rows], or NULL when not wanted */
    void *dx;               /* [rows][inputs], or NULL: no gradients at all */
    void *dweight;          /* [classes][inputs] when dx is given */
    void *dbias;            /* [classes] when dx and bias are given */
    void *scratch;
} rki_softmax_loss;

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

typedef struct rki_backend {
    uint32_t size; /* sizeof(rki_backend) */
    uint32_t abi;  /* RKI_BACKEND_ABI */
    const char *name;

    /* 1 when the device can be used here; else 0, and why in words. */
    int (*probe)(char *reason, size_t capacity);
    /* What stands behind it, for rnnkit_build_info(): "OpenBLAS 0.3.21 ..., avx512". */
    void (*describe)(char *text, size_t capacity);

    int32_t (*open)(
        const rki_host *host, int32_t index, rki_dtype dtype, int64_t threads, void **self);
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
    int32_t (*gather)(void *self, const rki_gather *call);
    int32_t (*scatter)(void *self, const rki_scatter *call);
    int32_t (*dropout)(void *self, const rki_dropout *call);

    size_t (*recurrent_stash)(void *self, const rki_recurrent_size *size);
    size_t (*recurrent_forward_scratch)(void *self, const rki_recurrent_size *size);
    size_t (*recurrent_backward_scratch)(void *self, const rki_recurrent_size *size);
    size_t (*recurrent_step_scratch)(
        void *self, int64_t batch, int64_t input, int64_t hidden);
    int32_t (*recurrent_forward)(void *self, const rki_recurrent_forward *call);
    int32_t (*recurrent_backward)(void *self, const rki_recurrent_backward *call);
    int32_t (*recurrent_step)(void *self, const rki_recurrent_step *call);

    size_t (*softmax_loss_scratch)(void *self, const rki_softmax_loss *call);
    int32_t (*softmax_loss)(void *self, const rki_softmax_loss *call);

    int32_t (*square_sum)(void *self, const rki_square_sum *call);
    int32_t (*update)(void *self, const rki_update *call);

    /* See attention.h. */
    int32_t (*attention_forward)(void *self, const rki_attention_forward *call);
    int32_t (*attention_backward)(void *self, const rki_attention_backward *call);
    size_t (*attention_source_scratch)(void *self, const rki_attention *attention);
    int32_t (*attention_source)(void *self, const rki_attention_source *call);

    /* See decoding.h. tanh: y = tanh(x), y may be x; its backward: dx = dy (1 - y^2), dx may be dy. */
    int32_t (*cell_forward)(void *self, const rki_cell_forward *call);
    int32_t (*cell_backward)(void *self, const rki_cell_backward *call);
    int32_t (*tanh)(void *self, int64_t count, const void *x, void *y);
    int32_t (*tanh_backward)(
        void *self, int64_t count, const void *y, const void *dy, void *dx);
    int32_t (*top)(void *self, const rki_top *call);

    /* See norm.h. relu: y = max(x, 0), y may be x; its backward: dx = y > 0 ? dy : 0, dx may be dy. */
    int32_t (*norm_forward)(void *self, const rki_norm_forward *call);
    int32_t (*norm_backward)(void *self, const rki_norm_backward *call);
    int32_t (*relu)(void *self, int64_t count, const void *x, void *y);
    int32_t (*relu_backward)(
        void *self, int64_t count, const void *y, const void *dy, void *dx);
} rki_backend;

/* The one symbol that a plug-in exports (name: RKI_BACKEND_ENTRY). */
#define RKI_BACKEND_ENTRY "rnnkit_backend_entry"
typedef const rki_backend *(*rki_backend_entry_fn)(void);

#endif
