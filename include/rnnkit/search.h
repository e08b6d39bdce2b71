/** @file
 * Search: writes with a decoder, from greedy choice to n best hypotheses, and scores given texts.
 *
 * A hypothesis is a list of ids; its score is logP / length^length_penalty, logP being the sum of
 * the log-probabilities of its ids and of the end sign, length how many these are. Higher is
 * better. The ids have their fixed meanings: 0 <pad>, 1 <unk>, and those of options bos and eos;
 * <pad> and <bos> are never written, <unk> only when asked for. What a source gets does not depend
 * on the others of its batch, nor on padding.
 */
#ifndef RNNKIT_SEARCH_H
#define RNNKIT_SEARCH_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a search from the three layers of a model that writes: the embedding of what was
 * written, the decoder, and the linear layer that gives logits.
 *
 * Options (noun "search"): beam (hypotheses that are followed at once; 1: greedy), n_best (how many
 * are given, at most beam), length_penalty, min_length (ids at least, without the end sign),
 * max_length (ids at most), unknown (1: <unk> may be written), sample (1: hypotheses are drawn,
 * `beam` of them independently), temperature, top_k, top_p (of sample, as a generator's), seed (of
 * sample and rnnkit_search_mix; -1: the context's), bos, eos (ids that begin and end a text).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_search_destroy; it keeps the layers alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; layers of different contexts), RNNKIT_E_SHAPE
 *   (layers that do not fit together; too few ids), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: Graves 2012 (beam search); Wu et al. 2016, section 7 (length normalisation, here by a
 *   power).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_create(rnnkit_embedding *embedding,
    rnnkit_decoder *decoder, rnnkit_linear *output, const char *options, rnnkit_search **out);

/** Frees the search; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_search_destroy(rnnkit_search *search);

/** Searches for every source of a batch. The results, until the next run: rnnkit_search_result and
 * rnnkit_search_weights. After a failure there are none.
 *
 * Arrays: memory, lengths, start: as rnnkit_decoder_forward takes them; B sources.
 * Ownership: all are read during the call only; memory and start stand on a tape of the caller.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range, with its place),
 *   RNNKIT_E_SHAPE, RNNKIT_E_ORDER (tensors of different tapes), RNNKIT_E_DIVERGED (the model's
 *   output is not finite), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE, RNNKIT_STOPPED when the context was
 *   cancelled.
 * Threads: owner of the search and of the tape; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_search_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_run(
    rnnkit_search *search, rnnkit_tensor *memory, const int32_t *lengths, rnnkit_tensor *start);

/** A hypothesis of the last run: rank 0 is the best of its source.
 *
 * Arrays: ids: room for `capacity` int32, NULL when capacity is 0; *needed: how many ids there are,
 *   neither <bos> nor <eos> among them.
 * Ownership: the caller's array is filled; *score and *cut are set, either may be NULL: cut is 1
 *   when max_length ended the hypothesis.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; source or rank outside the range),
 *   RNNKIT_E_NOT_FOUND (the search found fewer hypotheses), RNNKIT_E_ORDER (no run before),
 *   RNNKIT_E_TOO_SMALL (*needed is set all the same).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_result(const rnnkit_search *search, int64_t source,
    int64_t rank, int32_t *ids, int64_t capacity, int64_t *needed, double *score, int32_t *cut);

/** Where a hypothesis looked when it wrote each of its ids.
 *
 * Arrays: weights: float [ids][positions], `count` elements in all; positions are those of the
 *   memory, 0 behind the source's length.
 * Ownership: the caller's array is filled.
 * Errors: as rnnkit_search_result; RNNKIT_E_SHAPE when count is another number.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_weights(
    const rnnkit_search *search, int64_t source, int64_t rank, float *weights, int64_t count);

/** The scores of given texts (force-decoding), by the same formula as the search's own.
 *
 * Arrays: memory, lengths, start: as rnnkit_search_run; targets: int32 [steps][B], each text's ids
 *   with its end sign, then RNNKIT_IGNORE; scores: double [B].
 * Ownership: all are read during the call only; the caller's array is filled.
 * Errors: as rnnkit_search_run; RNNKIT_E_ARGUMENT also for an id outside the range, for one behind
 *   the text's end, and for a text without ids.
 * Threads: owner of the search and of the tape; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_score(rnnkit_search *search, rnnkit_tensor *memory,
    const int32_t *lengths, rnnkit_tensor *start, const int32_t *targets, int64_t steps,
    double *scores);

/** Scheduled sampling: what a decoder should read in training so that it learns to go on from its
 * own mistakes. Each id of `inputs` but those of the first step and <pad> is replaced with
 * probability `rate` by the most likely one after what was read so far.
 *
 * Arrays: memory, lengths, start: as rnnkit_search_run; inputs, mixed: int32 [steps][B], which may
 *   be the same.
 * Ownership: all are read during the call only; the caller's array is filled. `step` chooses the
 *   draws: the number of the training step, say.
 * Errors: as rnnkit_search_run; RNNKIT_E_ARGUMENT also for an id or a rate outside the range.
 * Threads: owner of the search and of the tape; the model is shared.
 * Since: 0.1.
 * Source: Bengio, Vinyals, Jaitly and Shazeer 2015.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_search_mix(rnnkit_search *search, rnnkit_tensor *memory,
    const int32_t *lengths, rnnkit_tensor *start, const int32_t *inputs, int64_t steps, double rate,
    int64_t step, int32_t *mixed);

RNNKIT_END

#endif
