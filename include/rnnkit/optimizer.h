/** @file
 * Optimisers: turn gradients into new weights; schedules: how the learning rate changes.
 *
 * Update rules and defaults are PyTorch's (torch.optim), docs/math/optimizers.md.
 */
#ifndef RNNKIT_OPTIMIZER_H
#define RNNKIT_OPTIMIZER_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates an optimiser for all parameters that the model has now. `rule` is "sgd", "adam",
 * "adamw", "rmsprop" or "adagrad".
 *
 * Options (noun "optimizer"): lr (0: the rule's own: sgd, adam, adamw 0.001, rmsprop, adagrad
 * 0.01), momentum (0), nesterov (0), beta1 (0.9), beta2 (0.999), alpha (0.99), epsilon (0: the
 * rule's own: adagrad 1e-10, others 1e-8), weight_decay (-1: the rule's own: adamw 0.01, others 0),
 * clip_norm (0: off), clip_value (0: off). On rows of a sparse embedding that were not used, adam,
 * adamw and rmsprop leave value, moments and decay alone.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_optimizer_destroy; it keeps the model
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, unknown rule), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Kingma and Ba 2015 (Adam); Loshchilov and Hutter 2019 (AdamW); Duchi et al. 2011
 *   (Adagrad); Tieleman and Hinton 2012 (RMSprop); Sutskever et al. 2013 (momentum).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_optimizer_create(
    rnnkit_model *model, const char *rule, const char *options, rnnkit_optimizer **out);

/** Frees the optimiser; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_optimizer_destroy(rnnkit_optimizer *optimizer);

/** Clips the gradients (by value, then by global norm), moves the weights, and clears the
 * gradients. When the gradients' norm is not finite, weights and moments stay as they are.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_DIVERGED; RNNKIT_E_ORDER when the model got new parameters
 *   since; RNNKIT_E_DEVICE.
 * Threads: owner of the optimiser and of the model.
 * Since: 0.1.
 * Source: as rnnkit_optimizer_create; Pascanu et al. 2013 (clipping by norm).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_optimizer_step(rnnkit_optimizer *optimizer);

/** The gradients' global Euclidean norm at the last step, before clipping by norm.
 *
 * Arrays: none.
 * Ownership: *norm is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ORDER before the first step.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_optimizer_gradient_norm(
    const rnnkit_optimizer *optimizer, double *norm);

/** The learning rate that the next step will use.
 *
 * Arrays: none.
 * Ownership: *rate is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_optimizer_learning_rate(
    const rnnkit_optimizer *optimizer, double *rate);

/** Sets the learning rate.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (negative or not finite).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_optimizer_set_learning_rate(
    rnnkit_optimizer *optimizer, double rate);

/** Creates a schedule that sets an optimiser's learning rate. `shape` is "constant", "linear" (to
 * the floor over `steps`), "cosine" (the same along half a cosine), "step" (times factor every
 * `every` updates) or "plateau" (times factor when the loss has not improved). The optimiser's rate
 * at this call is the peak.
 *
 * Options (noun "schedule"): warmup (updates over which the rate rises from 0), floor, factor,
 * every, patience, threshold.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_schedule_destroy; it keeps the optimiser
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, unknown shape, steps below 1), RNNKIT_E_OPTION,
 *   RNNKIT_E_MEMORY.
 * Threads: owner of the optimiser.
 * Since: 0.1.
 * Source: Loshchilov and Hutter 2017 (cosine); PyTorch lr_scheduler.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_schedule_create(rnnkit_optimizer *optimizer,
    const char *shape, int64_t steps, const char *options, rnnkit_schedule **out);

/** Frees the schedule; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_schedule_destroy(rnnkit_schedule *schedule);

/** Sets the learning rate for the next update; call it after each rnnkit_optimizer_step.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner of the optimiser.
 * Since: 0.1.
 * Source: as rnnkit_schedule_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_schedule_step(rnnkit_schedule *schedule);

/** Tells the schedule a validation loss; only "plateau" listens.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT when loss is not a number.
 * Threads: owner of the optimiser.
 * Since: 0.1.
 * Source: PyTorch ReduceLROnPlateau.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_schedule_observe(rnnkit_schedule *schedule, double loss);

RNNKIT_END

#endif
