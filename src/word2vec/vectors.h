/* The vectors object: words in a map, values row by row, and what queries want and the first of them
 * makes: the inverse of each row's length, and smaller copies. */
#ifndef RKI_WORD2VEC_VECTORS_H
#define RKI_WORD2VEC_VECTORS_H

#include <pthread.h>
#include <stdint.h>

#include "backend/formats.h"
#include "base/context.h"
#include "base/object.h"
#include "base/options.h"
#include "io/safetensors.h"
#include "rnnkit/vectors.h"
#include "text/wordmap.h"

/* Unit vectors less their mean, in a format; see copy.c. */
typedef struct rki_copy {
    void *rows; /* a block with the mean behind it, or NULL */
    const float *mean;
} rki_copy;

struct rnnkit_vectors {
    rki_object object;
    rnnkit_context *context;
    rki_wordmap words; /* a word's place is its id; count 0: not known */
    int64_t size, dimension;
    const float *values; /* [size][dimension] */
    float *owned;        /* the same, or NULL when they stay in the file */
    rki_st *file;        /* that file, or NULL */
    pthread_mutex_t lock;
    float *inverse; /* [size]: 1 / length, 0 for a row of zeros, or one so short or so long that
                       floats do not hold that; made under the lock */
    rki_copy copies[RKI_PACKED_BF16]; /* one a format; made under the lock */
};

extern const rki_option_table rki_vectors_open_options;
extern const rki_option_table rki_vectors_save_options;
extern const rki_option_table rki_vectors_query_options;
extern const rki_option_table rki_vectors_evaluate_options;
extern const rki_option_table rki_w2v_vectors_options;

/* Without words and values yet. */
int32_t rki_vectors_new(rnnkit_context *context, int64_t dimension, rnnkit_vectors **out);
void rki_vectors_release(rnnkit_vectors *vectors);

/* Room for `rows` rows that are owned. */
int32_t rki_vectors_reserve(rnnkit_vectors *vectors, int64_t rows);

/* Adds a word and gives its row, to be filled: *row NULL when the word is there already. The row
 * must have been reserved. */
int32_t rki_vectors_add(rnnkit_vectors *vectors, const char *word, size_t length, float **row);

/* Inverse lengths, made once. */
int32_t rki_vectors_inverse(const rnnkit_vectors *vectors, const float **out);

/* The copy in a format that is not RKI_PLAIN, made once. */
int32_t rki_vectors_copy(const rnnkit_vectors *vectors, rki_format format, const rki_copy **out);

int32_t rki_vectors_check_id(const rnnkit_vectors *vectors, int32_t id);
int32_t rki_vectors_check_ids(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, const char *argument);

static inline const float *rki_vectors_row(const rnnkit_vectors *vectors, int64_t id)
{
    return vectors->values + id * vectors->dimension;
}

/* A row times its inverse length. */
static inline void rki_vectors_unit(
    const rnnkit_vectors *vectors, int64_t id, float inverse, float *unit)
{
    const float *row = rki_vectors_row(vectors, id);
    for (int64_t k = 0; k < vectors->dimension; k++)
        unit[k] = (float)((double)row[k] * (double)inverse);
}

#endif
