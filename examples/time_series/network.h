/* The network: rows -> recurrent layers -> linear, which gives the change to the next row. So a
 * network that says 0 is the naive forecast, "as it was", and what it learns comes on top of that.
 */
#ifndef TIME_SERIES_NETWORK_H
#define TIME_SERIES_NETWORK_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "series.h"
#include "settings.h"

typedef struct network {
    rnnkit_model *model;
    rnnkit_rnn *rnn;
    rnnkit_linear *linear;
    int64_t columns;
} network;

int network_create(
    network *target, rnnkit_context *context, const settings *options, int64_t columns);
/* Finds the layers in an opened model; the path is for messages. */
int network_find(network *target, const char *path, int64_t columns);
void network_close(network *target);

/* What the network says about rows [steps][batch][columns]; the state moves on. */
int network_run(network *source, rnnkit_tape *tape, rnnkit_state *state, const float *rows,
    int64_t steps, int64_t batch, rnnkit_tensor **changes);

/* Reads rows one after the other from a state, and then `horizon` rows of its own. `out` gets what
 * is said to follow each: [count + horizon - 1][columns]. */
int network_continue(network *source, rnnkit_tape *tape, rnnkit_state *state, const float *rows,
    int64_t count, int64_t horizon, float *out);

#endif
