/** @file
 * Recurrent layers, and the state that is carried from step to step.
 *
 * Equations, gate order (i, f, g, o) and parameter names are PyTorch's; docs/math/lstm.md.
 */
#ifndef RNNKIT_RNN_H
#define RNNKIT_RNN_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds an LSTM to a model. Parameters, for layer l: `<name>.weight_ih_l<l>` [4 hidden][inputs of
 * that layer], `<name>.weight_hh_l<l>` [4 hidden][hidden], `<name>.bias_ih_l<l>` and
 * `<name>.bias_hh_l<l>` [4 hidden]; all uniform in +-1/sqrt(hidden).
 *
 * Options (noun "rnn"): layers, dropout (between layers, not after the last), bias (0: none),
 * forget_bias (added to the initial forget-gate bias).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_rnn_destroy; the weights are the model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_SHAPE (overflow), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000 (forget gate); PyTorch nn.LSTM.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_lstm_create(rnnkit_model *model, const char *name,
    int64_t inputs, int64_t hidden, const char *options, rnnkit_rnn **out);

/** A new handle of a model's recurrent layer, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_rnn_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_find(
    rnnkit_model *model, const char *name, rnnkit_rnn **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_rnn_destroy(rnnkit_rnn *rnn);

/** The sizes of the layer.
 *
 * Arrays: none.
 * Ownership: *inputs, *hidden and *layers are set; any may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_size(
    const rnnkit_rnn *rnn, int64_t *inputs, int64_t *hidden, int64_t *layers);

/** Runs the layer over a whole sequence. The state, when given, is where the sequence starts and
 * afterwards where it ended; no gradient flows into the state (truncated BPTT). A row shorter than
 * the sequence stops at its length: its outputs behind it are 0 and its state stays.
 *
 * Arrays: x: [T][B][inputs]; lengths: int32 [B], each 0 to T, or NULL when all rows are full;
 *   *out: [T][B][hidden].
 * Ownership: lengths are copied; *out belongs to the tape; the state is the caller's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range), RNNKIT_E_SHAPE
 *   (x, or a state of another batch size or another layer), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE. On
 *   failure the state is as it was.
 * Threads: owner of the tape and of the state; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.LSTM; Williams and Peng 1990 (truncated back-propagation through time).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_forward(rnnkit_rnn *rnn, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *lengths, rnnkit_state *state, rnnkit_tensor **out);

/** One step of streaming inference: no tape, no dropout, no allocation, no lock.
 *
 * Arrays: x: float [B][inputs], `x_count` elements in all; y: float [B][hidden], `y_count` elements
 *   in all, with the B of the state.
 * Ownership: x is read, y filled, the state moved on.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_DEVICE.
 * Threads: owner of the state; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_rnn_forward.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_step(rnnkit_rnn *rnn, rnnkit_state *state,
    const float *x, int64_t x_count, float *y, int64_t y_count);

/** Creates a state of zeros for `batch` rows.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_state_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, batch below 1), RNNKIT_E_SHAPE (overflow),
 *   RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_state_create(
    rnnkit_rnn *rnn, int64_t batch, rnnkit_state **out);

/** Frees the state; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_state_destroy(rnnkit_state *state);

/** Sets one row of the state to zeros, or all of them (row -1).
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (row outside the batch), RNNKIT_E_DEVICE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_state_reset(rnnkit_state *state, int64_t row);

/** Makes a state equal to another one of the same layer and batch size.
 *
 * Arrays: none.
 * Ownership: source is read, target overwritten.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_SHAPE, RNNKIT_E_DEVICE.
 * Threads: owner of both.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_state_copy(rnnkit_state *target, const rnnkit_state *source);

/** Copies the state's values to the host.
 *
 * Arrays: values: float [layers][2][batch][hidden], `count` elements in all; of the 2, hidden state
 *   h comes first, cell state c second.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_SHAPE, RNNKIT_E_DEVICE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_state_read(
    const rnnkit_state *state, float *values, int64_t count);

/** Sets the state's values from the host.
 *
 * Arrays: values: as rnnkit_state_read.
 * Ownership: the values are copied.
 * Errors: as rnnkit_state_read.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_state_write(
    rnnkit_state *state, const float *values, int64_t count);

RNNKIT_END

#endif
