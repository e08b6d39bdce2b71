/** @file
 * The tape: what was computed, and how gradients go back.
 *
 * Layers record what they do on a tape; rnnkit_tape_backward walks it backwards and adds to the
 * gradients of the model's parameters. A tape keeps its memory when it is cleared, so that a
 * steady training step allocates nothing.
 */
#ifndef RNNKIT_TAPE_H
#define RNNKIT_TAPE_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates an empty tape.
 *
 * Options (noun "tape"): train (1: gradients and dropout; 0: neither).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_tape_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tape_create(
    rnnkit_context *context, const char *options, rnnkit_tape **out);

/** Frees the tape and all its tensors; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle and its tensors are invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_tape_destroy(rnnkit_tape *tape);

/** Forgets what was recorded and goes on to the next step: the tape's step number, which dropout
 * draws from, rises by one.
 *
 * Arrays: none.
 * Ownership: every tensor of the tape is invalid afterwards; the memory is kept for the next step.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tape_clear(rnnkit_tape *tape);

/** Puts values from the host on the tape.
 *
 * Arrays: values: float, dims[0] * ... * dims[rank - 1] of them, row-major; dims: `rank` sizes of
 *   at least 1; rank 1 to 4.
 * Ownership: the values are copied; *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, rank), RNNKIT_E_SHAPE, RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tape_input(
    rnnkit_tape *tape, const float *values, const int64_t *dims, int64_t rank, rnnkit_tensor **out);

/** Sets each element to 0 with probability `rate` and multiplies the others by 1 / (1 - rate);
 * on a tape that does not train, *out is x itself.
 *
 * Arrays: x: any shape; *out: the same.
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; rate outside [0, 1)), RNNKIT_E_MEMORY.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: Srivastava et al., Dropout, JMLR 15 (2014), in its inverted form.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_dropout_forward(
    rnnkit_tape *tape, rnnkit_tensor *x, double rate, rnnkit_tensor **out);

/** The sum of two tensors, element by element: what residual connections are made of.
 *
 * Arrays: a, b: any shape, the same; *out: the same.
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of
 *   another tape), RNNKIT_E_MEMORY.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_add_forward(
    rnnkit_tape *tape, rnnkit_tensor *a, rnnkit_tensor *b, rnnkit_tensor **out);

/** y = max(x, 0); the gradient at 0 is 0.
 *
 * Arrays: x: any shape; *out: the same.
 * Ownership: *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ORDER (a tensor of another tape),
 *   RNNKIT_E_MEMORY.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: PyTorch nn.ReLU.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_relu_forward(
    rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out);

/** Adds the gradients of `loss` to those of all parameters it was computed from. Once per clear.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_SHAPE when loss has more than one element; RNNKIT_E_ORDER on a
 *   tape that does not train, for a loss of another tape, or a second time; RNNKIT_E_MEMORY.
 * Threads: owner of the tape and of the model.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tape_backward(rnnkit_tape *tape, rnnkit_tensor *loss);

/** The same for a loss that the library does not have: the caller reads the tensor that his loss is
 * made from (rnnkit_tensor_read), computes loss and d loss / d tensor himself, and gives the latter
 * here. Once per clear, instead of rnnkit_tape_backward.
 *
 * Arrays: gradient: float, `count` elements, exactly as many as the tensor has, in its order. One
 *   that is not finite is passed on: the optimiser's step then says RNNKIT_E_DIVERGED.
 * Ownership: the values are copied.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_SHAPE when count is another number;
 *   RNNKIT_E_ORDER on a tape that does not train, for a tensor of another tape, or a second time;
 *   RNNKIT_E_MEMORY; RNNKIT_E_DEVICE.
 * Threads: owner of the tape and of the model.
 * Since: 0.1.
 * Source: PyTorch Tensor.backward with its argument `gradient`.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tape_backward_from(
    rnnkit_tape *tape, rnnkit_tensor *tensor, const float *gradient, int64_t count);

RNNKIT_END

#endif
