/* A block of the text with everything that is drawn for it: which words are kept, their windows,
 * and the noise words of groups (backend/word2vec.h).
 *
 * Every draw depends on (seed, run, epoch, the token's place), so blocks may be taken in any order
 * and by any thread. Some tokens around the block are looked at too, RKI_W2V_HALO to each side and
 * more for wide windows, so that windows do not end where a block does.
 */
#ifndef RKI_WORD2VEC_SAMPLE_H
#define RKI_WORD2VEC_SAMPLE_H

#include <stdint.h>

#include "word2vec/word2vec.h"

enum { RKI_W2V_BLOCK = 8192, RKI_W2V_HALO = 256 };

typedef struct rki_w2v_sample {
    int64_t pitch;                                   /* of noise; room of the others */
    int32_t *tokens, *words, *places, *left, *right; /* [pitch] */
    int32_t *targets;                                /* [pitch]: output rows of the words */
    int64_t groups;
    int32_t *starts;       /* [groups + 1]: their first words, and where the block ends */
    int32_t *noise;        /* [negatives][pitch]: output rows of each group */
    int64_t kept;          /* words, with those around the block */
    int64_t first, last;   /* those of the block */
    int64_t tokens_inside; /* of the block, without ends of sentences */
} rki_w2v_sample;

int32_t rki_w2v_sample_init(rki_w2v_sample *sample, const rnnkit_word2vec *word2vec);
void rki_w2v_sample_release(rki_w2v_sample *sample, const rki_memory *memory);

/* The tokens around a block that it sees, to each side. */
int64_t rki_w2v_halo(const rnnkit_word2vec *word2vec);

/* Where the present run's and epoch's draws come from, for tokens from place `base` on. */
rki_w2v_draws rki_w2v_draws_of(const rnnkit_word2vec *word2vec, int64_t base);

int64_t rki_w2v_blocks(const rnnkit_word2vec *word2vec);

/* Draws block number `block` of the present run and epoch. */
int32_t rki_w2v_sample_draw(rki_w2v_sample *sample, const rnnkit_word2vec *word2vec, int64_t block);

/* The first group that begins with word `place` or one behind it. */
int64_t rki_w2v_group_from(const rki_w2v_sample *sample, int64_t place);

/* The limits of the words' draws: a word that is kept with probability p has p 2^32. */
int32_t rki_w2v_keep_limits(
    const rnnkit_vocab *vocab, double sample, rki_w2v_formula formula, int32_t **out);

#endif
