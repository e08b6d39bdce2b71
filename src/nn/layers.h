/* The layers' structs: embedding, linear, recurrent; and their states. */
#ifndef RKI_NN_LAYERS_H
#define RKI_NN_LAYERS_H

#include "autodiff/tape.h"
#include "nn/model.h"
#include "rnnkit/embedding.h"
#include "rnnkit/linear.h"
#include "rnnkit/rnn.h"

/* Embedding. */

typedef struct rki_embedding_settings {
    int64_t padding;
    int32_t sparse, frozen;
    double scale;
} rki_embedding_settings;

typedef struct rki_embedding_layer {
    rki_layer layer; /* sizes: words, width */
    rki_embedding_settings settings;
    rki_parameter *weight;
} rki_embedding_layer;

extern const rki_option_table rki_embedding_vectors_options;

/* Linear. */

typedef struct rki_linear_settings {
    int32_t bias;
    char tie[RKI_OPTION_TEXT_SIZE];
} rki_linear_settings;

typedef struct rki_linear_layer {
    rki_layer layer; /* sizes: inputs, outputs */
    rki_linear_settings settings;
    rki_parameter *weight; /* perhaps an embedding's */
    rki_parameter *bias;   /* or NULL */
} rki_linear_layer;

/* Recurrent. */

typedef struct rki_rnn_settings {
    int64_t layers;
    double dropout;
    int32_t bias;
    double forget_bias;
} rki_rnn_settings;

typedef struct rki_rnn_weights {
    rki_parameter *weight_ih, *weight_hh;
    rki_parameter *bias_ih, *bias_hh; /* both or neither */
} rki_rnn_weights;

typedef struct rki_rnn_layer {
    rki_layer layer; /* sizes: inputs, hidden */
    rki_rnn_settings settings;
    rki_rnn_weights *weights; /* [settings.layers] */
} rki_rnn_layer;

/* The width of layer l's input. */
static inline int64_t rki_rnn_inputs(const rki_rnn_layer *rnn, int64_t l)
{
    return rnn->layer.sizes[l == 0 ? 0 : 1];
}

/* What an operation is given of the parameters. */
rki_recurrent_weights rki_rnn_operands(const rki_rnn_weights *weights);

/* State of a recurrent layer: on the device, with the room that a step needs. */
struct rnnkit_state {
    rki_object object;
    rnnkit_model *model;
    const rki_rnn_layer *rnn;
    int64_t batch;
    void *values; /* [layers][2][batch][hidden]: h, then c */
    void *input;  /* [batch][inputs]: what the next step reads */
    void *scratch;
};

/* h (part 0) or c (part 1) of layer l. */
void *rki_state_part(const rnnkit_state *state, int64_t l, int64_t part);

int64_t rki_state_count(const rnnkit_state *state);

int32_t rki_state_new(
    rnnkit_model *model, const rki_rnn_layer *rnn, int64_t batch, rnnkit_state **out);
void rki_state_release(rnnkit_state *state);

/* One step of all layers from state->input; afterwards rki_state_part(state, layers - 1, 0) is the
 * output. Allocates nothing. */
int32_t rki_state_step(rnnkit_state *state);

/* Handles. */

struct rnnkit_embedding {
    rki_layer_handle handle;
};

struct rnnkit_linear {
    rki_layer_handle handle;
};

struct rnnkit_rnn {
    rki_layer_handle handle;
};

static inline rki_embedding_layer *rki_embedding_of(const rnnkit_embedding *embedding)
{
    return (rki_embedding_layer *)embedding->handle.layer;
}

static inline rki_linear_layer *rki_linear_of(const rnnkit_linear *linear)
{
    return (rki_linear_layer *)linear->handle.layer;
}

static inline rki_rnn_layer *rki_rnn_of(const rnnkit_rnn *rnn)
{
    return (rki_rnn_layer *)rnn->handle.layer;
}

/* What several layers need of a tape. */

/* A product with scratch from the tape's device memory. */
int32_t rki_tape_gemm(rnnkit_tape *tape, rki_gemm call);

/* RNNKIT_OK when x is a tensor of this tape whose last dimension the layer takes. */
int32_t rki_linear_check_input(
    const rnnkit_linear *linear, rnnkit_tape *tape, const rnnkit_tensor *x);

/* Keeps the model alive until the tape is cleared, since its nodes point at parameters. */
int32_t rki_tape_keep_model(rnnkit_tape *tape, rnnkit_model *model);

/* The gradient of a parameter to add to. */
int32_t rki_model_gradient(rnnkit_model *model, rki_parameter *parameter, void **out);

#endif
