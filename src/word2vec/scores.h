/* The scores of rows of vectors for queries, a tile of rows and queries at a time.
 *
 * A query is one or more unit vectors, its parts. By cosine it has one, and a row's score is the
 * cosine with it. By product, with c the cosines of the row with the parts, it is
 *   product over positive parts of (1 + c) / 2  /  (product over the others of (1 + c) / 2  +  1e-6)
 */
#ifndef RKI_WORD2VEC_SCORES_H
#define RKI_WORD2VEC_SCORES_H

#include <stdint.h>

#include "backend/formats.h"
#include "cpu/cpu.h"
#include "word2vec/kernels/kernels.h"
#include "word2vec/vectors.h"

enum { RKI_SCORES_UNITS = 16 }; /* queries, or parts of one, that are scored at a time */

typedef struct rki_queries {
    const float *units; /* [count][parts][dimension], of length 1 */
    int64_t count, parts;
    int64_t positive; /* by product: of the parts, which come first; -1: by cosine */
} rki_queries;

/* What rows are compared with queries in: the vectors themselves, or a copy. */
typedef struct rki_compared {
    const rnnkit_vectors *vectors;
    const rki_w2v_kernels *kernels;
    const float *inverse;
    rki_format format;
    const rki_copy *copy; /* NULL with RKI_PLAIN */
    rki_cpu cpu; /* for products with the copy: one thread, as shares of rows have theirs */
} rki_compared;

/* In RKI_PLAIN the vectors themselves. */
int32_t rki_compared_open(const rnnkit_vectors *vectors, rki_format format, rki_compared *to);

/* Room to score a tile in. */
typedef struct rki_scores {
    float *cosines;        /* [RKI_SCORES_UNITS][rows] */
    double *above, *below; /* [rows]; by product alone */
    void *ready;           /* for products with a copy */
} rki_scores;

/* `count` of them, for tiles of `rows` rows. */
int32_t rki_scores_make(const rki_memory *memory, const rki_compared *with, int by_product,
    int64_t rows, int64_t count, rki_scores **out);
void rki_scores_release(const rki_memory *memory, rki_scores *scores); /* NULL is fine */

/* The cosines of rows begin .. end - 1 with unit vectors: out[u * (end - begin) + r]. `ready` is
 * wanted with a copy alone. */
void rki_scores_cosines(const rki_compared *with, const float *units, int64_t count, int64_t begin,
    int64_t end, void *ready, float *out);

/* The scores of rows begin .. end - 1 for query `query` and those after it, into in->cosines, laid
 * out as above; for how many queries is what is returned. */
int64_t rki_scores_set(const rki_compared *with, const rki_queries *queries, int64_t query,
    int64_t begin, int64_t end, const rki_scores *in);

#endif
