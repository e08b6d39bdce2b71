/* Attention as layers use it: what it has learnt, its projections and their gradients, the layer.
 *
 * Queries and keys are projected by products here; the rest is one operation of the device
 * (backend/attention.h). A decoder has such weights of its own, under a prefix.
 */
#ifndef RKI_NN_ATTENTION_H
#define RKI_NN_ATTENTION_H

#include "nn/layers.h"
#include "rnnkit/attention.h"

/* In the order of the option's choices. */
typedef enum rki_attention_score {
    RKI_ATTENTION_ADDITIVE,
    RKI_ATTENTION_DOT,
    RKI_ATTENTION_GENERAL,
    RKI_ATTENTION_CONCAT,
    RKI_ATTENTION_SCALED_DOT
} rki_attention_score;

#define RKI_ATTENTION_SCORES "additive|dot|general|concat|scaled_dot"

typedef struct rki_attention_settings {
    int32_t score; /* rki_attention_score */
    int64_t width; /* 0: that of the query */
    int32_t bias;
    int64_t window; /* 0: none */
} rki_attention_settings;

typedef struct rki_attention_weights {
    rki_attention_settings settings;
    int64_t query_width, key_width;
    int64_t width; /* of projected queries and keys */
    /* Each NULL where the score has none; concat's query and key are one parameter. */
    rki_parameter *query, *key, *bias, *score;
    rki_parameter *position, *center; /* with a window */
} rki_attention_weights;

/* Adds the parameters, named "<layer>.<prefix>query.weight" and so on. `weights` has settings,
 * query_width and key_width. */
int32_t rki_attention_build(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *weights);

/* *out = the projection of `rows` queries or keys; x itself where there is none, else it goes to
 * `room`, [rows][width]. */
int32_t rki_attention_query(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *room, const void **out);
int32_t rki_attention_key(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *room, const void **out);

/* dx (+)= the gradient of a projection's input, from d of its output. There is a projection. */
int32_t rki_attention_query_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, int accumulate, void *dx);
int32_t rki_attention_key_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, int accumulate, void *dx);

/* Where queries look, with a window: position = tanh(W x), [rows][width], and centers = v position,
 * [rows]. Without one, here and in the next two: nothing. */
int32_t rki_attention_center(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *position, void *centers);

/* From d of the centers: dposition, that of W x, and dx += that of x; dx may be NULL. */
int32_t rki_attention_center_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, const void *position, void *dposition, void *dx);

/* Adds to the gradients of W and v. */
int32_t rki_attention_center_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *dposition,
    const void *position, const void *x);

/* Adds to the gradients of a projection's weights. Where there is no projection: nothing. */
int32_t rki_attention_query_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *x);
int32_t rki_attention_key_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *x);

/* The gradient of v to add to, or NULL. */
int32_t rki_attention_score_gradient(
    rnnkit_model *model, const rki_attention_weights *weights, void **out);

/* The operation's arguments that follow from the weights. */
rki_attention rki_attention_call(const rki_attention_weights *weights, int64_t queries,
    int64_t positions, int64_t batch, int64_t value_width);

/* Runs attention_source with scratch from the tape's device memory. */
int32_t rki_attention_run_source(rnnkit_tape *tape, rki_attention_source call);

/* The tape's copy of lengths, each checked to be 1 .. positions; NULL stays NULL. */
int32_t rki_attention_lengths(rnnkit_tape *tape, const int32_t *lengths, int64_t batch,
    int64_t positions, const int32_t **out);

/* The layer. */

typedef struct rki_attention_layer {
    rki_layer layer; /* sizes: query_width, key_width */
    rki_attention_weights weights;
} rki_attention_layer;

struct rnnkit_attention {
    rki_layer_handle handle;
};

static inline rki_attention_layer *rki_attention_of(const rnnkit_attention *attention)
{
    return (rki_attention_layer *)attention->handle.layer;
}

#endif
