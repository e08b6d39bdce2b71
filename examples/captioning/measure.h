/* How a model does on pictures whose captions are known. */
#ifndef CAPTIONING_MEASURE_H
#define CAPTIONING_MEASURE_H

#include "batches.h"
#include "writer.h"

typedef struct measured {
    double loss;  /* mean, in nats a word, of the known captions */
    double exact; /* the part of the pictures whose written caption is one of the known ones */
    int64_t pictures, captions, words;
} measured;

/* Is called with each picture whose caption is none of the known ones; or NULL. `first`: of its
 * captions. */
typedef int (*measure_wrong)(void *user, const writer *self, size_t first, const written *found);

/* Measures the captions whose picture has part[picture] == which. */
int measure(network *net, rnnkit_context *context, const gallery *pictures, const captions *known,
    const unsigned char *part, int which, int64_t beam, measure_wrong wrong, void *user,
    measured *out);

#endif
