/* Batches of reviews of similar length, so that little is padded. */
#ifndef SENTIMENT_BATCHES_H
#define SENTIMENT_BATCHES_H

#include "../common/buckets.h"
#include "encode.h"

typedef struct batch {
    int64_t steps, rows;
    const int32_t *ids;     /* [steps][rows], <pad> behind a row's end */
    const int32_t *lengths; /* [rows] */
    const int32_t *labels;
    const size_t *places; /* [rows]: which sequences these are */
} batch;

typedef struct batches {
    const sequences *source;
    buckets order;
    int32_t *ids, *lengths, *labels;
} batches;

int batches_open(batches *target, const sequences *source, int64_t size, int64_t seed);
void batches_close(batches *target);

/* 0 at the end of the epoch, which buckets_shuffle or buckets_sort started. */
int batches_next(batches *target, batch *out);

#endif
