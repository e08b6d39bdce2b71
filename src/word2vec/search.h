/* The nearest of many rows to a few queries: one pass over the rows for all of them. */
#ifndef RKI_WORD2VEC_SEARCH_H
#define RKI_WORD2VEC_SEARCH_H

#include <stdint.h>

#include "word2vec/scores.h"

typedef struct rki_search {
    rki_format scan; /* which copy of the vectors is looked through; the scores that are given are
                        those of the vectors themselves whichever it is */
    rki_queries queries;
    int64_t rows;            /* the first rows of the vectors are looked at */
    const int32_t *excluded; /* [count][excluded_count]: ids that are not given; -1: none */
    int64_t excluded_count;
    int64_t top;
    int32_t *ids;  /* [count][top], the nearest first; -1 where there are fewer */
    float *scores; /* [count][top]: of equal ones the smaller id comes first */
} rki_search;

int32_t rki_search_run(const rnnkit_vectors *vectors, const rki_search *search);

/* *nearer = how many of the rows have a larger cosine with row `query` than row `other` has, `query`
 * itself left out. */
int32_t rki_search_nearer(
    const rnnkit_vectors *vectors, int32_t query, int32_t other, int64_t *nearer);

#endif
