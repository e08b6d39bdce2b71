/* One run of a recurrent layer over a sequence, as a tape remembers it: what rnn_forward.c fills in,
 * rnn_backward.c goes back through, and rnn_gates.c looks into.
 *
 * Both directions write into one tensor [T][B][directions * output].
 */
#ifndef RKI_NN_RNN_RUN_H
#define RKI_NN_RNN_RUN_H

#include "nn/layers.h"
#include "nn/rnn.h"

/* One direction of a layer in a sequence. */
typedef struct rki_rnn_direction {
    const rki_rnn_weights *weights;
    rki_recurrent layer;
    void *h0, *c0, *stash;
    rki_dropout drop;       /* of weight_hh; rate 0: none */
    void *dropped;          /* weight_hh after it, or NULL */
    const int32_t *learned; /* zeros [batch]: h0, c0 are the layer's own; or NULL */
} rki_rnn_direction;

/* Where a run starts and ends as tensors; its layers share it. */
typedef struct rki_rnn_ends {
    rnnkit_tensor *start, *end; /* or NULL */
    void *dstart;               /* each part writes its own, from the last layer to the first */
} rki_rnn_ends;

typedef struct rki_rnn_node {
    rki_node node;
    rnnkit_model *model;
    const rki_rnn_layer *rnn;
    int64_t layer;
    rnnkit_tensor *x, *y;
    rki_rnn_ends *ends; /* or NULL */
    int64_t directions;
    rki_rnn_direction directed[2];
} rki_rnn_node;

/* h or c of a part in an array that is laid out as a state; NULL stays NULL. */
void *rki_rnn_part_of(const rnnkit_tape *tape, const rki_rnn_layer *rnn, void *array, int64_t part,
    int cell, int64_t batch);

/* The way back through a rki_rnn_node, by which such a node is known. */
int32_t rki_rnn_backward(rki_node *node, rnnkit_tape *tape);

#endif
