/* Random numbers: counter-based (Philox 4x32-10, Salmon et al., SC 2011), so that a draw depends
 * on (seed, purpose, step, index) and on nothing else: not on threads, device or order.
 */
#ifndef RKI_BASE_RANDOM_H
#define RKI_BASE_RANDOM_H

#include <stdint.h>

typedef enum rki_purpose {
    RKI_PURPOSE_INITIAL = 1,
    RKI_PURPOSE_DROPOUT,
    RKI_PURPOSE_SHUFFLE,
    RKI_PURPOSE_SAMPLE,
    RKI_PURPOSE_WORD2VEC
} rki_purpose;

typedef struct rki_random {
    uint64_t seed;
    uint32_t purpose; /* what for */
    uint32_t stream;  /* which one of its kind: the layer's number, say */
} rki_random;

/* Four independent 32-bit draws. `index` may use 64 bits, `step` 32 of them reach the counter
 * beside (purpose, stream): ctr = {index low, index high, step, stream}, key = seed ^ purpose. */
void rki_random_draw(rki_random random, uint64_t step, uint64_t index, uint32_t out[4]);

/* Uniform in [0, 1) with 53 bits. */
double rki_random_uniform(rki_random random, uint64_t step, uint64_t index);

/* A pseudo-random permutation of 0..count-1 chosen by (random, step): where `index` goes.
 * Needs no memory and can be entered anywhere (Feistel network with cycle walking). */
int64_t rki_random_permute(rki_random random, uint64_t step, int64_t count, int64_t index);

/* The key and fixed counter words that rki_random_draw uses, for kernels that draw in vectors. */
void rki_random_words(rki_random random, uint64_t step, uint32_t key[2], uint32_t fixed[2]);

#endif
