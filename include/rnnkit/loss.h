/** @file
 * Losses of each element by itself: for numbers, probabilities and masks.
 *
 * The loss of a classifier or language model is fused with its output layer instead: see
 * rnnkit_linear_cross_entropy in linear.h.
 */
#ifndef RNNKIT_LOSS_H
#define RNNKIT_LOSS_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** The loss of x against targets, as one number. With d = x - target, an element of kind
 *   "binary_cross_entropy" costs -[target log p + (1 - target) log(1 - p)], x being a logit,
 *   p = 1 / (1 + exp(-x)), in nats;
 *   "squared_error" costs d^2;
 *   "absolute_error" costs |d|;
 *   "huber" costs d^2 / 2 where |d| is at most delta, else delta (|d| - delta / 2).
 * The mean is weighted, sum of w * cost / sum of w; the sum is that of w * cost. A weight of 0 leaves
 * its elements out, whatever stands in them: a mask is weights of 0 and 1. If all weights are 0 the
 * loss is 0.
 *
 * Options (noun "pointwise_loss"): reduction (mean, sum), pos_weight (1; binary_cross_entropy: the
 * part of a target of 1 is multiplied by it), delta (1; huber).
 * Arrays: x: any shape; targets: float, `count` of them, one per element of x, for
 *   binary_cross_entropy from 0 to 1; weights: float, `weight_count` of them, finite and at least 0, a
 *   number that divides count, each for count / weight_count elements in a row (so one per row, per
 *   step or per element), or NULL with weight_count 0: all 1; *loss: [1].
 * Ownership: targets and weights are copied; *loss belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; another kind; a target or weight outside its
 *   range, with its place), RNNKIT_E_SHAPE (targets or weights of another number), RNNKIT_E_OPTION,
 *   RNNKIT_E_ORDER (x of another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: PyTorch nn.BCEWithLogitsLoss, nn.MSELoss, nn.L1Loss, nn.HuberLoss; Huber 1964.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_pointwise_loss(rnnkit_tape *tape, const char *kind,
    rnnkit_tensor *x, const float *targets, int64_t count, const float *weights,
    int64_t weight_count, const char *options, rnnkit_tensor **loss);

RNNKIT_END

#endif
