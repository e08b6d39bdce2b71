/* Batches of captions, as a decoder reads them in training. */
#ifndef CAPTIONING_BATCHES_H
#define CAPTIONING_BATCHES_H

#include "../common/buckets.h"
#include "captions.h"

typedef struct batch {
    int64_t steps, rows, words;      /* words: targets that count */
    const int32_t *inputs, *targets; /* [steps][rows]: <bos> a b, and a b <eos> */
    const int64_t *pictures;         /* [rows] */
} batch;

typedef struct batches {
    const caption **chosen; /* [count] */
    int32_t *lengths;
    size_t count;
    buckets parts;
    int32_t *inputs, *targets;
    int64_t *pictures;
} batches;

/* Of the captions whose picture has part[picture] == which. OUTCOME_FAILED after a message;
 * batches_close takes any state. Then buckets_shuffle or buckets_sort of `parts` begins an epoch. */
int batches_open(batches *target, const captions *source, const unsigned char *part, int which,
    int64_t size, int64_t seed);
void batches_close(batches *target);

/* 0 at the end of the epoch. */
int batches_next(batches *target, batch *out);

#endif
