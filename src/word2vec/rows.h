/* Where words have their rows in the output matrix.
 *
 * Words come in the order of their counts, and a frequent word's output row is written again and
 * again, as noise. If it had the next words' rows behind it, a processor that reads on ahead of what
 * is asked for would take lines away from threads that are writing there. So words that follow each
 * other are RKI_W2V_APART rows apart, with rare ones between; docs/benchmarks/word2vec.md has what that
 * gains. A device has the rows in the order of the words.
 */
#ifndef RKI_WORD2VEC_ROWS_H
#define RKI_WORD2VEC_ROWS_H

#include <stdint.h>

#include "word2vec/word2vec.h"

enum { RKI_W2V_APART = 16 };

/* [size] rows, each of 0 .. size - 1 once. */
int32_t rki_w2v_rows_init(const rnnkit_word2vec *word2vec, int32_t **out);

#endif
