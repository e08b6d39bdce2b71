/** @file
 * Linear: y = x W^T + b, alone or fused with softmax cross-entropy as a model's output layer.
 */
#ifndef RNNKIT_LINEAR_H
#define RNNKIT_LINEAR_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds a linear layer to a model: parameters `<name>.weight` [outputs][inputs] and `<name>.bias`
 * [outputs], uniform in +-1/sqrt(inputs).
 *
 * Options (noun "linear"): bias (0: none), tie (name of an embedding of the same model with
 * `outputs` words and width `inputs`: its table is this layer's weight).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_linear_destroy; the weights are the
 *   model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_NOT_FOUND (tie), RNNKIT_E_SHAPE (tie of another shape, overflow), RNNKIT_E_OPTION,
 *   RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: PyTorch nn.Linear (names, shapes, initial values); Press and Wolf 2017 (tying).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_create(rnnkit_model *model, const char *name,
    int64_t inputs, int64_t outputs, const char *options, rnnkit_linear **out);

/** A new handle of a model's linear layer, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_linear_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_find(
    rnnkit_model *model, const char *name, rnnkit_linear **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_linear_destroy(rnnkit_linear *linear);

/** The sizes of the layer.
 *
 * Arrays: none.
 * Ownership: *inputs and *outputs are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_size(
    const rnnkit_linear *linear, int64_t *inputs, int64_t *outputs);

/** y = x W^T + b over the last dimension.
 *
 * Arrays: x: [...][inputs]; *out: [...][outputs].
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_MEMORY,
 *   RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.Linear.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_forward(
    rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out);

/** Mean softmax cross-entropy of x W^T + b against targets, in nats; the logits are computed in
 * pieces and never held as a whole. Rows whose target is `ignore_index` cost nothing and do not
 * count; if all are, the loss is 0.
 *
 * Arrays: x: [...][inputs]; targets: int32, `count` of them, one per row of x, each from 0 to
 *   outputs - 1 or ignore_index; *loss: [1].
 * Ownership: targets are copied; *loss belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a target outside the range, with its place),
 *   RNNKIT_E_SHAPE, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.CrossEntropyLoss with reduction "mean".
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_cross_entropy(rnnkit_linear *linear,
    rnnkit_tape *tape, rnnkit_tensor *x, const int32_t *targets, int64_t count,
    int32_t ignore_index, rnnkit_tensor **loss);

/** The same with class weights, label smoothing, and a sum where that is wanted. With w the class
 * weights, s the smoothing and V outputs, a row with target t costs
 * (1 - s) w[t] (-log p[t]) + s / V * (sum over v of w[v] (-log p[v])); the mean is the sum over the
 * rows that count, divided by the sum of their w[t]; if that is 0, so is the mean.
 *
 * Options (noun "cross_entropy"): ignore_index (-1; a target that costs nothing and does not count),
 * label_smoothing (0; from 0 to 1), reduction (mean, sum).
 * Arrays: x, targets, *loss: as rnnkit_linear_cross_entropy; class_weights: float, `class_count` =
 *   outputs of them, finite and at least 0, or NULL with class_count 0: all 1.
 * Ownership: targets and weights are copied; *loss belongs to the tape.
 * Errors: as rnnkit_linear_cross_entropy; RNNKIT_E_OPTION; RNNKIT_E_ARGUMENT for a weight outside its
 *   range, with its place; RNNKIT_E_SHAPE for another number of weights.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.CrossEntropyLoss; Szegedy et al., CVPR 2016 (label smoothing).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_linear_cross_entropy_with_options(rnnkit_linear *linear,
    rnnkit_tape *tape, rnnkit_tensor *x, const int32_t *targets, int64_t count,
    const float *class_weights, int64_t class_count, const char *options, rnnkit_tensor **loss);

RNNKIT_END

#endif
