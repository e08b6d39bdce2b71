/* The layers' structs: embedding, linear; recurrent ones are in rnn.h. */
#ifndef RKI_NN_LAYERS_H
#define RKI_NN_LAYERS_H

#include "autodiff/tape.h"
#include "nn/model.h"
#include "nn/rnn.h"
#include "rnnkit/embedding.h"
#include "rnnkit/linear.h"

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

/* Handles. */

struct rnnkit_embedding {
    rki_layer_handle handle;
};

struct rnnkit_linear {
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

/* What several layers need of a tape. */

/* A product with scratch from the tape's device memory; for training when the tape trains. */
int32_t rki_tape_gemm(rnnkit_tape *tape, rki_gemm call);

/* From here to rki_tape_unsteady, b of every rki_tape_gemm is a weight that stays as it is, and each
 * will be used at several steps: it may be brought into another order once (gemm_keep), on the tape's
 * device memory. */
void rki_tape_steady(rnnkit_tape *tape, rki_steady *steady);
void rki_tape_unsteady(rnnkit_tape *tape);

/* RNNKIT_OK when x is a tensor of this tape whose last dimension the layer takes. */
int32_t rki_linear_check_input(
    const rnnkit_linear *linear, rnnkit_tape *tape, const rnnkit_tensor *x);

/* Keeps the model alive until the tape is cleared, since its nodes point at parameters.
 * RNNKIT_E_ORDER when its weights are in a format: no gradient goes through them. */
int32_t rki_tape_keep_model(rnnkit_tape *tape, rnnkit_model *model);

/* The gradient of a parameter to add to. */
int32_t rki_model_gradient(rnnkit_model *model, rki_parameter *parameter, void **out);

#endif
