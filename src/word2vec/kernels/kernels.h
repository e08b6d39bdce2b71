/* The inner loops of word2vec, one table for each set of instructions (kernels_*.c).
 *
 * Skip-gram with negative sampling (Mikolov et al., "Distributed representations of words and
 * phrases and their compositionality", NIPS 2013, equation 4). Input rows are those of a word's
 * neighbours, output rows those of the word itself and of the words drawn as noise, as in
 * word2vec.c. Noise words are shared by a window (Ji et al., "Parallelizing word2vec in shared and
 * distributed memory", 2016) and by the windows of a group: two words in a row, or one. That makes
 * a group a small matrix product:
 *
 *   s = x . y    g = times * rate * (label - sigmoid(s))    y += sum g x    x += sum g y
 *
 * for each input row x of the group's windows and each output row y, label 1 for the group's words
 * and 0 for noise. `times` says how often the pair is there: for a word of the group whether x is in
 * its window, for noise how many of the windows x is in. The first OUTPUTS output rows and all input
 * rows change together, from their old values; then come the next OUTPUTS output rows, and so on.
 *
 * CBOW: x is the mean of the window's rows, and each of them gets what x got, times `spread`. Its
 * groups are of one word.
 *
 * Rows are `stride` floats apart, a multiple of RKI_W2V_ALIGN; what is behind the dimension is 0
 * and stays 0. Two threads may run on the same matrices: their updates may then be lost, no more
 * (Recht et al., "Hogwild!", NIPS 2011).
 */
#ifndef RKI_WORD2VEC_KERNELS_KERNELS_H
#define RKI_WORD2VEC_KERNELS_KERNELS_H

#include <stdint.h>

#include "backend/word2vec.h"
#include "cpu/isa.h"

enum {
    RKI_W2V_ALIGN = 16, /* floats */
    RKI_W2V_SCORES = 8, /* room for an input row's scores with RKI_WORD2VEC_OUTPUTS output rows */
    RKI_W2V_SLACK = 64  /* elements that kernels may write behind what they fill */
};

/* A stretch of words whose windows are trained. */
typedef struct rki_w2v_run {
    float *input, *output;
    int64_t stride;
    const int32_t *words;        /* input rows of the words in a row; -1 between sentences */
    const int32_t *targets;      /* output rows of the same */
    const int32_t *left, *right; /* neighbours of each that belong to its window */
    const int32_t *starts; /* [groups + 1]: the first word of each group, and where the last ends */
    const int32_t *noise;  /* [negatives][pitch]: output rows of each group; -1: none */
    int64_t negatives, pitch, groups;
    int cbow;
    float rate, spread;
    float *gradients;    /* [most rows * RKI_W2V_SCORES + RKI_W2V_SLACK] */
    float **rows;        /* [words] */
    int32_t *kinds;      /* [most rows + RKI_W2V_SLACK] */
    const float **fetch; /* [2 * most rows + negatives + 2] */
    float *mean;         /* [2][stride]; CBOW only */
    double loss;         /* is added to: -log of each pair's probability */
    int64_t pairs;       /* is added to */
    int diverged;        /* is set when a score was not a number */
} rki_w2v_run;

/* Where draws come from: Philox 4x32-10 (base/random.h) with the counter {place of the token, low
 * and high; pass; number of the draw}. */
typedef struct rki_w2v_draws {
    uint32_t key[2];
    uint32_t pass;
    uint64_t base; /* place of token 0 */
} rki_w2v_draws;

typedef struct rki_w2v_kernels {
    void (*train)(rki_w2v_run *run);

    /* Keeps each of `count` tokens at base + start, base + start + 1, ... when its draw is below
     * keep[token]; keep[-1] is there too. Writes the words kept, their place behind base, and a
     * second draw of each. Returns how many. */
    int64_t (*subsample)(const rki_w2v_draws *draws, int32_t start, const int32_t *tokens,
        int64_t count, const int32_t *keep, int32_t *words, int32_t *places, int32_t *seconds);

    /* Draws `negatives` noise words for each of `count` words, by the alias method (Walker 1977), and
     * writes their rows: out[k * pitch + i]; -1 for the word itself and for one drawn before. */
    void (*noise)(const rki_w2v_draws *draws, const int32_t *places, const int32_t *words,
        const int32_t *starts, int64_t count, int64_t negatives, int64_t size,
        const int32_t *limits, const int32_t *aliases, const int32_t *rows, int64_t pitch,
        int32_t *out);

    /* Rows ids[0 .. count - 1] of a matrix, no id twice, and copies of them in a row: copies = rows;
     * copies -= rows; rows += copies, where id modulo shares is share. */
    void (*copy_rows)(
        const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies);
    void (*subtract_rows)(
        const float *matrix, const int32_t *ids, int64_t count, int64_t stride, float *copies);
    void (*add_rows)(float *matrix, const int32_t *ids, int64_t count, int64_t stride,
        uint32_t share, uint32_t shares, const float *copies);

    /* out[q * rows + r] = x row r . y row q */
    void (*products)(const float *x, int64_t rows, const float *y, int64_t queries, int64_t width,
        int64_t x_stride, int64_t y_stride, float *out);
} rki_w2v_kernels;

extern const rki_w2v_kernels rki_w2v_kernels_portable;
#if defined(__x86_64__)
extern const rki_w2v_kernels rki_w2v_kernels_avx2, rki_w2v_kernels_avx512;
#elif defined(__aarch64__)
extern const rki_w2v_kernels rki_w2v_kernels_neon;
#endif

/* The set's kernels, or NULL where it cannot be used (cpu/isa.h). */
const rki_w2v_kernels *rki_w2v_kernels_of(rki_isa isa);

#endif
