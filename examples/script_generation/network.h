/* The language model: embedding, LSTM and linear layer, under the names of the PyTorch original. */
#ifndef SCRIPT_GENERATION_NETWORK_H
#define SCRIPT_GENERATION_NETWORK_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "settings.h"

typedef struct network {
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    double dropout_ends;
    int tied;
} network;

/* A new network for `words` words; network_close frees it, after a failure too. */
int network_create(
    network *target, rnnkit_context *context, const settings *options, int64_t words);

/* The network of a model file; weights: as --weights says. */
int network_open(network *target, rnnkit_context *context, const char *path, const char *weights);

void network_close(network *target);

/* A batch as rnnkit_batches_next gives it, and how many of its targets count. */
typedef struct batch {
    const int32_t *x, *y;
    int64_t steps, rows, targets;
} batch;

/* The next batch, with its targets counted; as rnnkit_batches_next. */
int32_t network_next(rnnkit_batches *batches, batch *out);

/* Puts a batch on the cleared tape: *loss is the mean over its targets, in nats, also as a number.
 */
int network_loss(network *source, rnnkit_tape *tape, rnnkit_state *state, const batch *from,
    rnnkit_tensor **loss, double *mean);

/* What training will hold in memory, in bytes, as an estimate. */
int64_t network_memory(const network *source, const settings *options, int64_t words);

#endif
