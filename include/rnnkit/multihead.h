/** @file
 * Multi-head self-attention: every step of a sequence looks at all steps, or at those before it.
 *
 * With norm.h, linear.h, rnnkit_relu_forward and rnnkit_add_forward it makes a Transformer's
 * encoder block; docs/math/attention.md puts one together.
 */
#ifndef RNNKIT_MULTIHEAD_H
#define RNNKIT_MULTIHEAD_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds multi-head self-attention to a model: parameters `<name>.in_proj_weight` [3 width][width]
 * (queries, keys, values), uniform in +-sqrt(6 / (4 width)); `<name>.in_proj_bias` [3 width],
 * zeros;
 * `<name>.out_proj.weight` [width][width], uniform in +-1/sqrt(width); `<name>.out_proj.bias`
 * [width], zeros.
 *
 * Options (noun "multihead"): bias (0: none), causal (1: a step looks at itself and those before).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_multihead_destroy; the weights are the
 *   model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_SHAPE (width is no multiple of heads; overflow), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Vaswani et al. 2017, section 3.2.2; PyTorch nn.MultiheadAttention.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_multihead_create(rnnkit_model *model, const char *name,
    int64_t width, int64_t heads, const char *options, rnnkit_multihead **out);

/** A new handle of a model's multi-head attention, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_multihead_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_multihead_find(
    rnnkit_model *model, const char *name, rnnkit_multihead **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_multihead_destroy(rnnkit_multihead *multihead);

/** Looks, with all heads. Steps behind a row's length are not looked at, and see nothing: their
 * weights are 0 and their output is out_proj.bias.
 *
 * Arrays: x: [T][B][width]; lengths: int32 [B], each 1 to T, or NULL when all are full; *out:
 *   [T][B][width]; *weights: [heads][T][B][T], the last T being what is looked at.
 * Ownership: lengths are copied; *out and *weights belong to the tape; weights may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range, with its place),
 *   RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_multihead_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_multihead_forward(rnnkit_multihead *multihead,
    rnnkit_tape *tape, rnnkit_tensor *x, const int32_t *lengths, rnnkit_tensor **out,
    rnnkit_tensor **weights);

RNNKIT_END

#endif
