/* The three layers of a language model as one: ids go in, the next token's logits come out.
 *   x = E[id]   h = rnn(x, h)   z = W h + b
 * All memory is taken when it is made; feeding takes none. */
#ifndef RKI_GENERATE_PREDICTOR_H
#define RKI_GENERATE_PREDICTOR_H

#include "nn/layers.h"

typedef struct rki_predictor {
    const rki_embedding_layer *embedding;
    const rki_linear_layer *output;
    rnnkit_model *embedding_model, *output_model; /* kept alive, as the third is by the state */
    rnnkit_state *state;
    int64_t words;
    void *device_logits, *scratch; /* on the device */
    void *downloaded;              /* the logits in the device's type */
    double *logits;                /* [words], after what was fed */
} rki_predictor;

/* RNNKIT_E_SHAPE when the layers do not fit together. `predictor` is all zero before; on failure
 * it is to be freed all the same. */
int32_t rki_predictor_init(rki_predictor *predictor, const rnnkit_embedding *embedding,
    const rnnkit_rnn *rnn, const rnnkit_linear *output);
void rki_predictor_free(rki_predictor *predictor);

/* `count` >= 1 valid ids. */
int32_t rki_predictor_feed(rki_predictor *predictor, const int32_t *ids, int64_t count);

#endif
