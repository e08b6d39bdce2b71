/** @file
 * Tensors: the values that stand on a tape, row-major, time first ([T][B][F]).
 *
 * A tensor belongs to the tape it was made on and is valid until that tape is cleared or gone.
 */
#ifndef RNNKIT_TENSOR_H
#define RNNKIT_TENSOR_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** The sizes of a tensor.
 *
 * Arrays: dims: room for `capacity` sizes (4 are always enough); *rank: how many there are.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_TOO_SMALL when capacity < rank, and
 *   *rank is set all the same.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tensor_shape(
    const rnnkit_tensor *tensor, int64_t *dims, int64_t capacity, int64_t *rank);

/** Copies a tensor's values to the host.
 *
 * Arrays: values: `count` floats, exactly as many as the tensor has.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_SHAPE when count is another number;
 *   RNNKIT_E_DEVICE.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tensor_read(
    const rnnkit_tensor *tensor, float *values, int64_t count);

/** Copies the gradient that rnnkit_tape_backward found for a tensor; zeros where none flowed.
 *
 * Arrays: values: `count` floats, exactly as many as the tensor has.
 * Ownership: the caller's array is filled.
 * Errors: as rnnkit_tensor_read; RNNKIT_E_ORDER when the tape does not train.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tensor_read_gradient(
    const rnnkit_tensor *tensor, float *values, int64_t count);

/** The value of a tensor that has one element: a loss, in nats.
 *
 * Arrays: none.
 * Ownership: *value is set.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_SHAPE when it has more elements.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tensor_item(const rnnkit_tensor *tensor, double *value);

RNNKIT_END

#endif
