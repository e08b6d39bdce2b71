/* The nearest of many rows to a few unit vectors: one pass over the rows for all of them. */
#ifndef RKI_WORD2VEC_SEARCH_H
#define RKI_WORD2VEC_SEARCH_H

#include <stdint.h>

#include "word2vec/vectors.h"

typedef struct rki_search {
    const float *queries; /* [count][dimension], of length 1 */
    int64_t count;
    int64_t rows;            /* the first rows of the vectors are looked at */
    const int32_t *excluded; /* [count][excluded_count]: ids that are not given; -1: none */
    int64_t excluded_count;
    int64_t top;
    int32_t *ids;  /* [count][top], the nearest first; -1 where there are fewer */
    float *scores; /* [count][top]: cosines; of equal ones the smaller id comes first */
} rki_search;

int32_t rki_search_run(const rnnkit_vectors *vectors, const rki_search *search);

/* The cosines of rows begin .. end - 1 with the queries: out[q * (end - begin) + r]. */
void rki_search_cosines(const rnnkit_vectors *vectors, const float *inverse, const float *queries,
    int64_t count, int64_t begin, int64_t end, float *out);

#endif
