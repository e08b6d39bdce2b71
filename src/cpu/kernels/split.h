/* Products of float32 matrices on bfloat16 matrix tiles (Intel AMX), at the accuracy of float32.
 *
 * A float32 is the exact sum of three bfloat16, x = x1 + x2 + x3: x1 is x rounded to eight bits,
 * x1 + x2 is x cut off after sixteen, x3 the rest. Six products of parts make one product:
 *   a b = a3 b1 + a1 b1 + a2 b1 + a2 b2 + a1 b2 + a1 b3        summed in this order, see below
 * The three that are left out are at most 2^-21.9 |a b| together, and of either sign, so a sum over
 * k loses less by them than by the roundings of float32. Parts and products below 2^-126 count as
 * zero. A NaN reaches what it would; an infinity, and what rounds to one (above 3.39e38), makes NaN.
 *
 * The one order of summation. Steps of k are cut into equal blocks (rki_split_steps), a block into
 * groups of 32. For each group, each pair of parts is summed by the processor: steps 0 .. 15 from
 * zero, steps 16 .. 31 from zero, both sums added, and that added to the block's sum. The blocks'
 * sums are added to the start value in order, as in tile.h. So an element's bits depend on its row
 * of a, its column of b and its start value alone, and the two may change roles.
 */
#ifndef RKI_CPU_KERNELS_SPLIT_H
#define RKI_CPU_KERNELS_SPLIT_H

#include <stddef.h>
#include <stdint.h>

enum {
    RKI_SPLIT_WIDTH = 16,    /* rows of a, or columns of b, in a strip */
    RKI_SPLIT_GROUP = 32,    /* steps of k in a group */
    RKI_SPLIT_TILE = 1024,   /* bytes of a tile: 16 lines of 16 pairs of bfloat16 */
    RKI_SPLIT_PARTS = 3,     /* tiles of a group */
    RKI_SPLIT_BLOCK_K = 704, /* an element's sum over k is cut into blocks of at most this many */
};

static inline int64_t rki_split_groups(int64_t k)
{
    return (k + RKI_SPLIT_GROUP - 1) / RKI_SPLIT_GROUP;
}

/* Steps of k in a block: as few blocks as there can be, of equal size, in whole groups. */
static inline int64_t rki_split_steps(int64_t k)
{
    int64_t blocks = (k + RKI_SPLIT_BLOCK_K - 1) / RKI_SPLIT_BLOCK_K;
    if (blocks == 0) return k;
    return rki_split_groups((k + blocks - 1) / blocks) * RKI_SPLIT_GROUP;
}

/* Bytes of `count` rows or columns of one block of k. */
static inline size_t rki_split_bytes(int64_t count, int64_t k)
{
    int64_t strips = (count + RKI_SPLIT_WIDTH - 1) / RKI_SPLIT_WIDTH;
    return (size_t)(strips * rki_split_groups(k)) * RKI_SPLIT_PARTS * RKI_SPLIT_TILE;
}

/* A block of a factor that is to be split. */
typedef struct rki_split {
    int64_t count, k; /* rows of a, or columns of b; steps */
    const float *from;
    int64_t stride;
    int along_k;         /* stored [count][k], else [k][count] */
    const int32_t *list; /* not along_k: the stored row of each step, or NULL: 0, 1, ... */
    char *to;            /* strips of [groups][parts] tiles, filled up with zeros */
} rki_split;

/* One block of k of a product: c[rows][n] = start + a b, start being the sum of c (when `add`) and
 * bias (unless NULL), or nothing at all. */
typedef struct rki_split_product {
    int64_t rows, n, k;
    const char *a, *b; /* split */
    const float *bias;
    int add;
    float *c;
    int64_t ldc;
} rki_split_product;

/* Pure, as the kernels of kernels.h. */
typedef struct rki_split_kernels {
    void (*rows)(const rki_split *call);    /* splits a block of a: line r of a tile is a row */
    void (*columns)(const rki_split *call); /* of b: line i is steps i and 16 + i of 16 columns */
    void (*product)(const rki_split_product *call);
} rki_split_kernels;

extern const rki_split_kernels rki_split_amx; /* x86-64, where the compiler knows AMX */

#endif
