/** @file
 * The pieces of skip-gram for models of your own: pairs of a word and a neighbour, out of a token
 * stream, thinned out where a word is frequent; and noise words. (rnnkit_word2vec trains by itself.)
 *
 * Specials such as <unk> are passed over, as if they were not in the stream.
 */
#ifndef RNNKIT_PAIRS_H
#define RNNKIT_PAIRS_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates pairs over a finished token stream.
 *
 * Options (noun "pairs"): batch (512; words whose pairs make a batch), window (5), shrink (1: each
 * word's window is drawn from 1 to window), sample (0: keep all words), subsampling (word2vec,
 * paper), seed (-1: the context's).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_pairs_destroy; it keeps the stream alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (stream not finished), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: Mikolov et al., arXiv 1310.4546; Udacity deep-learning-v2, word2vec embeddings.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_pairs_create(
    rnnkit_tokens *tokens, const char *options, rnnkit_pairs **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_pairs_destroy(rnnkit_pairs *pairs);

/** The pairs of the next words; RNNKIT_DONE at the end of an epoch. A batch may be empty.
 *
 * Arrays: *inputs and *targets: int32 [*count]: a word and one of its neighbours.
 * Ownership: *inputs and *targets belong to the handle and are valid until the next call with it.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_pairs_next(
    rnnkit_pairs *pairs, const int32_t **inputs, const int32_t **targets, int64_t *count);

/** The words of the batch that was given last: batch by batch, what thinning out leaves of the
 * stream, for windows of your own.
 *
 * Arrays: *words: int32 [*count]; none before the first batch and after the last.
 * Ownership: *words belongs to the handle and is valid until the next call of rnnkit_pairs_next.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_pairs_words(
    const rnnkit_pairs *pairs, const int32_t **words, int64_t *count);

/** Starts the next epoch, with other draws.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_pairs_rewind(rnnkit_pairs *pairs);

/** Creates a table from which noise words are drawn by count^power.
 *
 * Options (noun "noise"): power (0.75), seed (-1: the context's).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_noise_destroy; it keeps the vocabulary
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (vocabulary not finished), RNNKIT_E_ARGUMENT (NULL; no word
 *   besides specials), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: Mikolov et al., arXiv 1310.4546; Walker 1977 (alias method).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_noise_create(
    rnnkit_vocab *vocab, const char *options, rnnkit_noise **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_noise_destroy(rnnkit_noise *noise);

/** Draws words; the draws go on from call to call.
 *
 * Arrays: ids: room for `count` int32.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, negative count).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_noise_draw(rnnkit_noise *noise, int64_t count, int32_t *ids);

RNNKIT_END

#endif
