/** @file
 * Batches for language models: inputs and the tokens to be predicted, time first.
 *
 * contiguous: every token but the last is an input whose target is the token behind it. The inputs
 * are cut into `batch` equal lanes of floor((count - 1) / batch), which are read side by side,
 * `steps` at a time; each batch goes on where the last one ended, so a recurrent state is carried
 * over. The (count - 1) mod batch inputs behind the last lane are not used.
 *
 * sliding: every window of `steps` tokens is an example and only the token behind it is predicted:
 * count - steps examples, in an order that is shuffled anew for each epoch.
 */
#ifndef RNNKIT_BATCHES_H
#define RNNKIT_BATCHES_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

#define RNNKIT_IGNORE (-1) /* a target that does not count */

/** Creates batches over a part of a finished token stream.
 *
 * Options (noun "batches"): batch (64), steps (35), windows (contiguous, sliding), first (0; place
 * of the first token), count (tokens; -1: to the end), shuffle (1; sliding only).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_batches_destroy; it keeps the stream alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (stream not finished), RNNKIT_E_ARGUMENT (NULL; first or
 *   count outside; fewer tokens than one batch needs, with both numbers: batch + 1 for contiguous,
 *   steps + 1 for sliding), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: PyTorch word_language_model (contiguous); Udacity deep-learning-v2, script generation
 *   (sliding).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_batches_create(
    rnnkit_tokens *tokens, const char *options, rnnkit_batches **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_batches_destroy(rnnkit_batches *batches);

/** The next batch; RNNKIT_DONE at the end of an epoch. The last batch may have fewer steps
 * (contiguous) or rows (sliding).
 *
 * Arrays: *x and *y: int32 [*steps][*rows]; in y, RNNKIT_IGNORE stands where nothing is predicted.
 * Ownership: *x and *y belong to the handle and are valid until the next call with it.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_batches_next(
    rnnkit_batches *batches, const int32_t **x, const int32_t **y, int64_t *steps, int64_t *rows);

/** Starts the next epoch; sliding windows come in another order.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_batches_rewind(rnnkit_batches *batches);

/** How many batches an epoch has, and how many of them were given in this one.
 *
 * Arrays: none.
 * Ownership: *count and *given are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_batches_size(
    const rnnkit_batches *batches, int64_t *count, int64_t *given);

RNNKIT_END

#endif
