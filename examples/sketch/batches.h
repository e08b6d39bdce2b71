/* Batches of drawings, as the network reads them in training, and their loss. */
#ifndef SKETCH_BATCHES_H
#define SKETCH_BATCHES_H

#include "../common/buckets.h"
#include "network.h"

/* How drawings are varied each time they are read; zeros: not at all. */
typedef struct variation {
    double stretch, drop_points;
    uint64_t random;
} variation;

typedef struct batches {
    const drawings *source;
    size_t *chosen; /* [count], drawings */
    size_t count;
    int32_t *sizes; /* [count], their points */
    buckets parts;
    variation vary;
    double scale;
    int64_t steps, rows, points; /* of the batch: points are the rows of output that count */
    float *inputs;               /* [steps][rows][NETWORK_INPUTS] */
    pen_point *truths;           /* [steps][rows] */
    int32_t *lengths;            /* [rows] */
    float *outputs, *gradients;  /* [steps][rows][width], the latter for training alone */
} batches;

/* `chosen` is copied. OUTCOME_FAILED after a message; batches_close takes any state. */
int batches_open(batches *target, const drawings *source, const size_t *chosen, size_t count,
    const network *net, int64_t size, int64_t seed, int train);
void batches_close(batches *target);

/* Makes the next batch; 0 at the end of the epoch. */
int batches_next(batches *target);

typedef struct batch_loss {
    double offset, pen; /* sums over the batch, in nats */
} batch_loss;

/* Runs the batch. With a tape that trains: the gradients of the mean over its points too. */
int batches_measure(batches *target, network *net, rnnkit_tape *tape, int train, batch_loss *loss);

#endif
