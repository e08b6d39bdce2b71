/* The network: a point -> LSTM -> linear -> the parameters of where the next point is (mixture.h).
 *
 * What it reads of a point is [dx, dy, down, lifted, ended] (Ha and Eck's stroke-5); the first one of
 * a drawing is [0, 0, 1, 0, 0]. Movements are divided by their deviation in the training drawings,
 * which the model's file keeps.
 */
#ifndef SKETCH_NETWORK_H
#define SKETCH_NETWORK_H

#include <rnnkit/rnnkit.h>

#include "drawings.h"
#include "settings.h"

enum { NETWORK_INPUTS = 5 };

typedef struct network {
    rnnkit_model *model;
    rnnkit_rnn *lstm;
    rnnkit_linear *output;
    int64_t mixtures, width; /* width: of an output row */
    double scale, dropout;
} network;

int network_create(network *target, rnnkit_context *context, const settings *options, double scale);
int network_open(network *target, rnnkit_context *context, const char *path, const char *weights);
void network_close(network *target);

/* Writes the point that comes before a movement's prediction, as the network reads it; NULL: the
 * beginning. */
void network_input(const pen_point *before, float input[NETWORK_INPUTS]);

/* Runs rows [steps][batch][NETWORK_INPUTS]; lengths and state may be NULL. */
int network_run(network *source, rnnkit_tape *tape, const float *inputs, const int32_t *lengths,
    rnnkit_state *state, int64_t steps, int64_t batch, rnnkit_tensor **out);

#endif
