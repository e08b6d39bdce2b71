/** @file
 * Attention: each query looks at the positions of a source and takes a weighted mean of their
 * values; the weights are always there to look at.
 *
 * A source is anything of the shape [positions][batch][width]: an encoder's outputs, the features
 * of an image's places. Its keys are projected once, with rnnkit_attention_keys, and serve every
 * query after that. Equations and parameters: docs/math/attention.md.
 */
#ifndef RNNKIT_ATTENTION_H
#define RNNKIT_ATTENTION_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds an attention to a model. With query q and key k, the score is for
 *   additive    v . tanh(Wq q + Wk k + b): `<name>.query.weight` [width][query_width],
 *               `<name>.key.weight` [width][key_width], `<name>.key.bias` [width] when asked for,
 *               `<name>.score.weight` [1][width]
 *   dot         q . k, no parameters; query_width and key_width must be equal
 *   general     q . Wk k: `<name>.key.weight` [query_width][key_width]
 *   concat      v . tanh(W [q; k] + b): `<name>.concat.weight` [width][query_width + key_width],
 *               `<name>.concat.bias` [width] when asked for, `<name>.score.weight` [1][width]
 *   scaled_dot  q . k / sqrt(key_width), no parameters
 * With window=D attention is local (Luong's local-p): a query says at which position it looks,
 * p = length * sigmoid(v . tanh(W q)), sees only positions s with |s - p| <= D, and their weights
 * are multiplied by exp(-(s - p)^2 / (2 (D / 2)^2)). Parameters `<name>.position.weight`
 * [width][query_width] and `<name>.center.weight` [1][width].
 * All parameters are uniform in +-1/sqrt(columns).
 *
 * Options (noun "attention"): score (additive), width (of additive and concat; 0: query_width),
 * bias (1: of additive and concat), window (0: the whole source).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_attention_destroy; the weights are the
 *   model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_SHAPE (sizes that the score cannot compare; overflow), RNNKIT_E_OPTION (also width or
 *   bias for a score that has none), RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Bahdanau, Cho and Bengio 2015 (additive); Luong, Pham and Manning 2015 (dot, general,
 *   concat, window); Vaswani et al. 2017 (scaled_dot).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_attention_create(rnnkit_model *model, const char *name,
    int64_t query_width, int64_t key_width, const char *options, rnnkit_attention **out);

/** A new handle of a model's attention, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_attention_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_attention_find(
    rnnkit_model *model, const char *name, rnnkit_attention **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_attention_destroy(rnnkit_attention *attention);

/** The sizes of the layer; `width` is that of what rnnkit_attention_keys makes.
 *
 * Arrays: none.
 * Ownership: *query_width, *key_width and *width are set; any may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_attention_size(
    const rnnkit_attention *attention, int64_t *query_width, int64_t *key_width, int64_t *width);

/** Projects the keys of a source, once for all queries.
 *
 * Arrays: keys: [Ts][B][key_width]; *out: [Ts][B][width]; for dot and scaled_dot it is keys itself.
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of
 *   another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: Bahdanau, Cho and Bengio 2015, appendix A.1.2.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_attention_keys(
    rnnkit_attention *attention, rnnkit_tape *tape, rnnkit_tensor *keys, rnnkit_tensor **out);

/** Looks at the source with each query: weights = softmax over the positions of the scores, context
 * = weights . values. Positions behind a source's length have a weight of exactly 0, are not read,
 * and get no gradient. Those outside a window have a weight of exactly 0, too. Gradients flow
 * through both results.
 *
 * Arrays: query: [Tq][B][query_width]; keys: [Ts][B][width], from rnnkit_attention_keys; values:
 *   [Ts][B][D]; lengths: int32 [B], each 1 to Ts, or NULL when all are full; *context: [Tq][B][D];
 *   *weights: [Tq][B][Ts], each row's sum is 1, with a window
 *   at most 1.
 * Ownership: lengths are copied; *context and *weights belong to the tape; weights may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range, with its place),
 *   RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_attention_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_attention_forward(rnnkit_attention *attention,
    rnnkit_tape *tape, rnnkit_tensor *query, rnnkit_tensor *keys, rnnkit_tensor *values,
    const int32_t *lengths, rnnkit_tensor **context, rnnkit_tensor **weights);

RNNKIT_END

#endif
