/** @file
 * Generators: a language model that writes, one token a call.
 *
 * The options apply in this order: repetition penalty, temperature, top-k, top-p, then a draw;
 * temperature 0 takes the most likely token. Of two that are equally likely the lower id comes
 * first. <pad> and <bos> are never drawn, <unk> only when asked for. The same seed gives the same
 * tokens from the same model fed with the same ids; the n-th draw uses the n-th random number,
 * whatever the options are.
 *
 * Prime, then draw until RNNKIT_DONE or for as long as wanted. Priming again is possible at any
 * time and begins a new stretch: the text so far is finished, `length` counts anew, and a generator
 * that was done goes on. What was primed is the caller's already and not given out as text.
 */
#ifndef RNNKIT_GENERATOR_H
#define RNNKIT_GENERATOR_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a generator from the three layers of a language model: embedding, recurrent, output.
 *
 * Options (noun "generator"): temperature, top_k (0: off), top_p (1: off), repetition_penalty (1:
 * off), repetition_window (how many of the last tokens it looks at, primed ones included), seed
 * (-1: the context's), unknown (0: <unk> is never drawn), length (tokens to give before
 * RNNKIT_DONE; 0: no limit).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_generator_destroy; it keeps the layers and
 *   the vocabulary alive. vocab may be NULL: then only ids go in and out, each may be drawn, and
 *   only `length` ends it.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; layers of different contexts), RNNKIT_E_SHAPE
 *   (the layers or the vocabulary do not fit together, or no token may be drawn), RNNKIT_E_OPTION,
 *   RNNKIT_E_ORDER (the vocabulary is not finished), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
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

/** Feeds ids, as if the generator had written them; their text is not given out.
 *
 * Arrays: ids: `count` int32.
 * Ownership: the ids are read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, negative count; an id outside the vocabulary,
 *   with its place), RNNKIT_E_DEVICE.
 * Threads: owner; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_prime_ids(
    rnnkit_generator *generator, const int32_t *ids, int64_t count);

/** Feeds text; the generator's own text will go on from it with the right spacing: without a space
 * where this text ends with white space. On failure nothing was fed.
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

/** Adds a text at which the generator stops. It is looked for in the text that the generator
 * writes, across tokens; the first to be complete counts. Neither it nor what its last token adds
 * behind it is given out.
 *
 * Arrays: text: UTF-8, ends with NUL, not empty.
 * Ownership: the text is copied.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty, not UTF-8), RNNKIT_E_ORDER (no
 *   vocabulary, or generation has begun), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_stop_at(
    rnnkit_generator *generator, const char *text);

/** Draws the next token; RNNKIT_DONE at <eos>, at the token that completes a stop text, or after
 * `length` tokens, and from then on until it is primed again. A step allocates nothing as long as
 * the text is taken between two steps (or there is no vocabulary); text that is left to lie needs a
 * larger buffer now and then.
 *
 * Arrays: none.
 * Ownership: *id is set with RNNKIT_OK only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ORDER (nothing was fed yet),
 *   RNNKIT_E_DIVERGED (the model's output is not finite), RNNKIT_E_MEMORY (for text not taken; the
 *   call may be repeated), RNNKIT_E_DEVICE, RNNKIT_STOPPED when the context was cancelled.
 * Threads: owner; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_next(rnnkit_generator *generator, int32_t *id);

/** Takes the text that has become certain since the last call: spacing done, whole characters,
 * nothing that may still turn out to be the start of a stop text. With RNNKIT_DONE, with the last
 * token of `length`, and when priming again all of it is certain. Without a stop text, all pieces
 * together are what rnnkit_vocab_decode makes of the ids; bytes that are not UTF-8, which a model
 * of bytes may write, are given as they are.
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
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_ORDER (nothing was
 *   fed yet), RNNKIT_E_DIVERGED (the model's output is not finite).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_generator_probabilities(
    const rnnkit_generator *generator, float *probabilities, int64_t count);

RNNKIT_END

#endif
