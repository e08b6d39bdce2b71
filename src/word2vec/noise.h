/* Noise words: which words are drawn how often.
 *
 * Word i is drawn in proportion to count_i^power, in constant time by the alias method (Walker 1977,
 * with Vose's construction, 1991): column j is as likely as any other and yields j when a 32-bit
 * draw is below limits[j], else aliases[j].
 */
#ifndef RKI_WORD2VEC_NOISE_H
#define RKI_WORD2VEC_NOISE_H

#include <stdint.h>

#include "base/memory.h"
#include "text/vocab.h"

typedef struct rki_w2v_noise {
    int64_t size;
    int32_t *limits, *aliases; /* [size]; limits without sign */
} rki_w2v_noise;

/* Of the words of a finished vocabulary, specials left out; words that never occurred count as one.
 */
int32_t rki_w2v_noise_init(rki_w2v_noise *noise, const rnnkit_vocab *vocab, double power);
void rki_w2v_noise_release(rki_w2v_noise *noise, const rki_memory *memory);

#endif
