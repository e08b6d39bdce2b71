/** @file
 * Layer normalisation: every row brought to mean 0 and variance 1, then scaled and moved.
 */
#ifndef RNNKIT_NORM_H
#define RNNKIT_NORM_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds layer normalisation to a model: parameters `<name>.weight` [width], ones, and `<name>.bias`
 * [width], zeros.
 *
 * Options (noun "norm"): epsilon (added to the variance).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_norm_destroy; the weights are the model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, width below 1),
 *   RNNKIT_E_SHAPE (overflow), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Ba, Kiros and Hinton 2016; PyTorch nn.LayerNorm.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_norm_create(
    rnnkit_model *model, const char *name, int64_t width, const char *options, rnnkit_norm **out);

/** A new handle of a model's layer normalisation, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_norm_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_norm_find(
    rnnkit_model *model, const char *name, rnnkit_norm **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_norm_destroy(rnnkit_norm *norm);

/** y = (x - mean) / sqrt(variance + epsilon) * weight + bias, over the last dimension.
 *
 * Arrays: x: [...][width]; *out: the same.
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of
 *   another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_norm_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_norm_forward(
    rnnkit_norm *norm, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out);

RNNKIT_END

#endif
