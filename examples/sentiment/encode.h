/* Reviews as ids of words: what the network reads. */
#ifndef SENTIMENT_ENCODE_H
#define SENTIMENT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "reviews.h"
#include "settings.h"

typedef struct sequences {
    int32_t *ids;              /* one review behind the other */
    size_t *starts;            /* [count]: where in ids a review starts */
    int32_t *lengths, *labels; /* [count] */
    size_t count;
    int64_t words, unknown; /* read in all; of these, <unk> */
} sequences;

/* The vocabulary of the chosen reviews. */
int encode_vocab(rnnkit_context *context, const settings *options, const reviews *source,
    const size_t *chosen, size_t count, rnnkit_vocab **out);

/* What is read of a review: `length` words, its last or its first ones. */
typedef struct excerpt {
    int64_t length;
    int first;
} excerpt;

/* A review without a word is one <unk>. `chosen` NULL: all. */
int encode_reviews(sequences *target, const rnnkit_vocab *vocab, excerpt part,
    const reviews *source, const size_t *chosen, size_t count);

void encode_free(sequences *target);

#endif
