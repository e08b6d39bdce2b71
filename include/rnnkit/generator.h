/** @file
 * Generators: a language model that writes, one token a call.
 *
 * The options apply in this order: repetition penalty, temperature, top-k, top-p, then a draw;
 * temperature 0 takes the most likely token.
 */
#ifndef RNNKIT_GENERATOR_H
#define RNNKIT_GENERATOR_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a generator from the three layers of a language model: embedding, recurrent, output.
 *
 * Options (noun "generator"): temperature, top_k (0: off), top_p (1: off), repetition_penalty (1:
 * off), repetition_window (how many of the last tokens it looks at), seed (-1: the context's),
 * unknown (0: <unk> is never drawn), length (tokens to give before RNNKIT_DONE; 0: no limit).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_generator_destroy; it keeps the layers
 *   alive. vocab may be NULL: then only ids go in and out.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE (the layers or the vocabulary do
 *   not fit together), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: Fan et al. 2018 (top-k); Holtzman et al. 2020 (top-p); Keskar et al. 2019 (repetition
 *   penalty).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_create(rnnkit_embedding *embedding,
    rnnkit_rnn *rnn, rnnkit_linear *output, rnnkit_vocab *vocab, const char *options,
    rnnkit_generator **out);

/** Frees the generator; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_generator_destroy(rnnkit_generator *generator);

/** Feeds ids, as if the generator had written them.
 *
 * Arrays: ids: `count` int32.
 * Ownership: the ids are read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; an id outside the vocabulary, with its place),
 *   RNNKIT_E_DEVICE.
 * Threads: owner; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_prime_ids(
    rnnkit_generator *generator, const int32_t *ids, int64_t count);

/** Feeds text; the generator's own text will go on from it with the right spacing.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL.
 * Ownership: the text is read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ORDER (no vocabulary),
 *   RNNKIT_E_ENCODING, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_prime(
    rnnkit_generator *generator, const char *text, int64_t length);

/** Adds a text at which the generator stops; the text itself is not given out.
 *
 * Arrays: text: ends with NUL, not empty.
 * Ownership: the text is copied.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty), RNNKIT_E_ORDER (no vocabulary, or
 *   generation has begun), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_stop_at(
    rnnkit_generator *generator, const char *text);

/** Draws the next token; RNNKIT_DONE at <eos>, at a stop text, or after `length` tokens. A steady
 * step allocates nothing.
 *
 * Arrays: none.
 * Ownership: *id is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_DIVERGED (the model's output is not
 *   finite), RNNKIT_E_DEVICE, RNNKIT_STOPPED when the context was cancelled.
 * Threads: owner; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_next(rnnkit_generator *generator, int32_t *id);

/** Takes the text that has become certain since the last call: spacing done, whole characters,
 * nothing that may still turn out to be the start of a stop text.
 *
 * Arrays: buffer: room for `capacity` bytes, NULL when capacity is 0; *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled; the text is then gone from the generator.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ORDER (no vocabulary),
 *   RNNKIT_E_TOO_SMALL (*needed is set all the same and the text is kept).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_text(
    rnnkit_generator *generator, char *buffer, int64_t capacity, int64_t *needed);

/** The probabilities of the next token as the model gives them, before any option applies.
 *
 * Arrays: probabilities: float, `count` of them, one per id.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_ORDER (nothing was fed
 *   yet).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_probabilities(
    const rnnkit_generator *generator, float *probabilities, int64_t count);

RNNKIT_END

#endif
