/* A decoder: recurrent layers, an attention, and the layer that combines what they say.
 *
 *   bahdanau  context_t = attention(h_{t-1})
 *             h_t = cell([x_t; context_t], h_{t-1})
 *             out_t = tanh(Wc [context_t; h_t; x_t] + b)
 *   luong     h_t = cell([x_t; out_{t-1}], h_{t-1})     without feeding: cell(x_t, h_{t-1})
 *             context_t = attention(h_t)
 *             out_t = tanh(Wc [context_t; h_t] + b)     out_0 = 0
 *   h_0, and of an LSTM c_0, is tanh(Ws start + b) or 0.
 *
 * h_t is the top layer's where it looks and is combined. A step is rki_decoder_step(), for training
 * and for search alike; the products of all steps that do not wait for each other (those with x,
 * and where nothing is fed back the combining layer) are done at once. Backwards, each step leaves
 * the gradients of its sums; weights, keys and memory get theirs from all steps together.
 */
#ifndef RKI_NN_DECODER_H
#define RKI_NN_DECODER_H

#include "nn/attention.h"
#include "nn/columns.h"
#include "rnnkit/decoder.h"

typedef enum rki_decoder_style { RKI_BAHDANAU, RKI_LUONG } rki_decoder_style;

typedef struct rki_decoder_settings {
    int32_t style; /* rki_decoder_style */
    int32_t gru;   /* else LSTM */
    int64_t layers;
    double dropout;
    int32_t feeding;
    int64_t output, start;
    rki_attention_settings attention;
} rki_decoder_settings;

/* h or c of a layer before the first step = tanh(weight start + bias). */
typedef struct rki_decoder_first {
    rki_parameter *weight, *bias;
} rki_decoder_first;

typedef struct rki_decoder_layer {
    rki_layer layer; /* sizes: inputs, hidden, memory */
    rki_decoder_settings settings;
    int64_t inputs, hidden, memory, output;
    int64_t fed;              /* width of what the first layer reads beside x: context, out or
                                 nothing */
    rki_rnn_weights *weights; /* [layers] */
    rki_decoder_first *first; /* [layers][h, c], or NULL: zeros */
    rki_attention_weights attention;
    rki_parameter *combine, *combine_bias;
} rki_decoder_layer;

struct rnnkit_decoder {
    rki_layer_handle handle;
};

static inline rki_decoder_layer *rki_decoder_of(const rnnkit_decoder *decoder)
{
    return (rki_decoder_layer *)decoder->handle.layer;
}

static inline int rki_decoder_feeds_output(const rki_decoder_layer *d)
{
    return d->settings.style == RKI_LUONG && d->settings.feeding;
}

/* Blocks of rows in the recurrent weights; parts of a layer's state: h, and of an LSTM c. */
static inline int64_t rki_decoder_gates(const rki_decoder_layer *d)
{
    return d->settings.gru ? 3 : 4;
}

static inline int64_t rki_decoder_states(const rki_decoder_layer *d)
{
    return d->settings.gru ? 1 : 2;
}

/* Columns of the weights, by what they multiply. */
rki_columns rki_decoder_reads_x(const rki_decoder_layer *d);
rki_columns rki_decoder_reads_fed(const rki_decoder_layer *d);
rki_columns rki_decoder_reads_below(const rki_decoder_layer *d, int64_t l); /* l > 0 */
rki_columns rki_decoder_reads_h(const rki_decoder_layer *d, int64_t l);
rki_columns rki_decoder_combines_context(const rki_decoder_layer *d);
rki_columns rki_decoder_combines_h(const rki_decoder_layer *d);
rki_columns rki_decoder_combines_x(const rki_decoder_layer *d); /* bahdanau */
rki_columns rki_decoder_starts(const rki_decoder_layer *d, int64_t l, int64_t part);

/* A source, prepared: keys are the projection of memory. */
typedef struct rki_decoder_source {
    int64_t positions, batch;
    const void *memory, *keys;
    const int32_t *lengths; /* [batch], or NULL */
} rki_decoder_source;

/* The arrays of `steps` steps, the step being the first dimension; a step has queries * batch rows,
 * [queries][batch], where the queries of a row share its source. */
typedef struct rki_decoder_arrays {
    int64_t steps, queries, batch;
    const void *x;         /* [steps][rows][inputs] */
    const void *first_fed; /* [rows][output]: the output before the first step;
                              with feeding */
    void **h;              /* [layers]: [1 + steps][rows][hidden], the state before comes first */
    void **c;              /* LSTM: as h */
    void **z;              /* [layers]: [steps][rows][gates hidden]; become the gates' values */
    void **reset;          /* GRU, [layers]: [steps][rows][hidden]: the n of W_hh h + b_hh */
    void **dropped;        /* [layers]: [steps][rows][hidden], what layer l > 0 reads; or
                              NULL: h */
    void *q;               /* [steps][rows][attention.width]; NULL without a projection */
    void *position;        /* [steps][rows][attention.width]; with a window */
    void *centers;         /* [steps][rows]; with a window */
    void *seen;            /* [steps][rows][positions]: weights */
    void *context;         /* [steps][rows][memory] */
    void *out;             /* [steps][rows][output] */
} rki_decoder_arrays;

/* Takes from the tape's device memory all arrays but x and out, and `seen` unless it is there;
 * `dropped` with dropout alone. */
int32_t rki_decoder_take(rnnkit_tape *tape, const rki_decoder_layer *d, int64_t positions,
    int dropout, rki_decoder_arrays *a);

/* z += W_hh h + b_hh for a step's rows of layer l, a GRU's n to `reset`. */
int32_t rki_decoder_recur(rnnkit_tape *tape, const rki_decoder_layer *d, int64_t l, int64_t rows,
    const void *h, void *z, void *reset);

/* From the gradients dz, and a GRU's dn, of the sums of a layer's gates: dx (+)= that of what some
 * columns of its weight_ih read; these columns' gradient +=; the biases' gradients +=. */
int32_t rki_decoder_input_back(rnnkit_tape *tape, const rki_decoder_layer *d, rki_columns w,
    int64_t rows, const void *dz, const void *dn, int accumulate, void *dx);
int32_t rki_decoder_input_learn(rnnkit_tape *tape, rnnkit_model *model, const rki_decoder_layer *d,
    rki_columns w, int64_t rows, const void *dz, const void *dn, const void *x);
int32_t rki_decoder_bias_learn(rnnkit_tape *tape, rnnkit_model *model, const rki_decoder_layer *d,
    int64_t l, int64_t rows, const void *dz, const void *dn);

/* Dropout between layers: where the masks are drawn from, a stream for each step and layer. */
typedef struct rki_decoder_masks {
    rki_random random;
    uint64_t step;
} rki_decoder_masks;

/* The mask of what layer l > 0 reads at step t, without its arrays. */
rki_dropout rki_decoder_mask(
    const rki_decoder_masks *masks, const rki_decoder_layer *d, int64_t t, int64_t l, int64_t rows);

/* The first state from the start vectors, [batch][start]; NULL: zeros. */
int32_t rki_decoder_start(
    rnnkit_tape *tape, const rki_decoder_layer *d, const void *start, const rki_decoder_arrays *a);

/* What x gives to the first layer, at all steps. */
int32_t rki_decoder_read(
    rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a);

/* Step t, after rki_decoder_read(): h, c, seen, context; out too where it is
 * fed to the next step.
 */
int32_t rki_decoder_step(rnnkit_tape *tape, const rki_decoder_layer *d,
    const rki_decoder_source *source, const rki_decoder_arrays *a, const rki_decoder_masks *masks,
    int64_t t);

/* out of all steps, where it is not fed back. */
int32_t rki_decoder_finish(
    rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a);

/* A whole run on a tape, as its node keeps it. */
typedef struct rki_decoder_run {
    rki_node node;
    rnnkit_model *model;
    const rki_decoder_layer *d;
    rki_decoder_source source;
    rki_decoder_arrays a;
    rki_decoder_masks masks;
    rnnkit_tensor *x, *memory, *start, *out;
} rki_decoder_run;

int32_t rki_decoder_backward(rki_node *node, rnnkit_tape *tape);

/* Copies lengths and projects the keys. */
int32_t rki_decoder_prepare(rnnkit_tape *tape, const rki_decoder_layer *d,
    const rnnkit_tensor *memory, const int32_t *lengths, rki_decoder_source *out);

/* RNNKIT_OK when memory, lengths and start suit the decoder; batch is 0 when any will do. */
int32_t rki_decoder_check_source(const rki_decoder_layer *d, rnnkit_tape *tape,
    const rnnkit_tensor *memory, const rnnkit_tensor *start, int64_t batch);

#endif
