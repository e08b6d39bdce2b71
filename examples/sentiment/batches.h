/* Batches of reviews of similar length, so that little is padded. */
#ifndef SENTIMENT_BATCHES_H
#define SENTIMENT_BATCHES_H

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
    size_t *order, *starts; /* starts: [count + 1], of each batch in `order` */
    size_t count, next;     /* batches */
    int64_t size;
    int32_t *ids, *lengths, *labels;
    uint64_t random;
} batches;

int batches_open(batches *target, const sequences *source, int64_t size, int64_t seed);
void batches_close(batches *target);

/* The next epoch: shuffled, or in the order of length. */
void batches_shuffle(batches *target);
void batches_sort(batches *target);

/* 0 at the end of the epoch. */
int batches_next(batches *target, batch *out);

/* A number from 0 to below - 1; SplitMix64 (Steele, Lea and Flood 2014). */
size_t batches_draw(uint64_t *random, size_t below);

#endif
