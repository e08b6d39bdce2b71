/* Sentence pairs as ids of words, and batches of them: what the network reads. */
#ifndef TRANSLATION_PAIRS_H
#define TRANSLATION_PAIRS_H

#include <rnnkit/rnnkit.h>

#include "../common/buckets.h"
#include "corpus.h"

/* Ids of the vocabularies, which both have boundaries; words of the longest sentence that is read.
 */
enum { BOS = 2, EOS = 3, LONGEST = 4095 };

typedef struct sentences {
    int32_t *ids; /* one sentence behind the other */
    size_t used, room;
    size_t *starts;   /* [count]: where in ids a sentence starts */
    int32_t *lengths; /* [count] */
    int64_t unknown;  /* of the ids, <unk> */
} sentences;

typedef struct pairs {
    sentences sides[SIDES];
    int32_t *keys; /* [count]: by which pairs of similar length are found */
    size_t *lines; /* [count]: which lines of the corpus these are */
    size_t count;
    size_t too_long; /* pairs that were left out */
} pairs;

/* Encodes the chosen lines (NULL: all). Pairs with a side of more than `longest` words are left out;
 * so are lines that are empty in both files. A line that is empty in one is an error. */
int pairs_encode(pairs *target, rnnkit_vocab *const vocabs[SIDES], const corpus *source,
    const size_t *chosen, size_t count, int64_t longest);
void pairs_free(pairs *target);

typedef struct batch {
    int64_t rows, source_steps, target_steps;
    const int32_t *source;       /* [source_steps][rows], <pad> behind a row's end */
    const int32_t *lengths;      /* [rows] */
    const int32_t *read, *write; /* [target_steps][rows]: <bos> and the words; the words and <eos>,
                                    then RNNKIT_IGNORE */
    int64_t words;               /* that are written, <eos> included */
    const size_t *places;        /* [rows]: which pairs these are */
} batch;

typedef struct batches {
    const pairs *from;
    buckets order;
    int32_t *source, *lengths, *read, *write;
} batches;

int batches_open(batches *target, const pairs *from, int64_t size, int64_t seed);
void batches_close(batches *target);

/* 0 at the end of the epoch, which buckets_shuffle or buckets_sort started. */
int batches_next(batches *target, batch *out);

#endif
