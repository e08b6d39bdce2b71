/* How well a model foretells drawings. */
#ifndef SKETCH_MEASURE_H
#define SKETCH_MEASURE_H

#include "batches.h"

typedef struct measured {
    double offset, pen; /* mean negative log-likelihood, in nats per point */
    int64_t points;     /* the end of each drawing counts as one */
} measured;

int measure(batches *from, network *net, rnnkit_context *context, measured *out);

#endif
