/** @file
 * Recurrent layers - Elman, GRU, LSTM - and the state that is carried from step to step.
 *
 * Equations, gate orders and parameter names are PyTorch's; docs/math/elman.md, gru.md, lstm.md. What
 * the layers can do, by task: docs/recurrent-layers.md.
 */
#ifndef RNNKIT_RNN_H
#define RNNKIT_RNN_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds an LSTM to a model. Parameters, for layer l: `<name>.weight_ih_l<l>` [4 hidden][inputs of
 * that layer], `<name>.weight_hh_l<l>` [4 hidden][hidden], `<name>.bias_ih_l<l>` and
 * `<name>.bias_hh_l<l>` [4 hidden]; those of the reverse direction have `_reverse` behind. With a
 * projection, `weight_hr_l<l>` [projection][hidden], and weight_hh has `projection` columns. With
 * layer_norm, `norm_ih_l<l>`, `norm_hh_l<l>` [4 hidden], `norm_c_l<l>`, `norm_c_bias_l<l>` [hidden].
 * With initial=learned, `h0_l<l>` and `c0_l<l>`.
 *
 * Options (noun "rnn"): layers, hidden (a width for each layer, "512,256", the last as the argument),
 * bidirectional, projection (LSTM: the width that h is brought to), activation (Elman: tanh or relu),
 * reset (GRU: after the product with h, as PyTorch, or before it), dropout (between layers, not after
 * the last), locked (dropout drops the same values at all steps), weight_drop (of weight_hh), zoneout,
 * zoneout_cell (LSTM: of c), layer_norm (not with reset=before), bias (0: none), forget_bias (LSTM:
 * added to the initial forget-gate bias), init (uniform in +-1/sqrt(hidden) as PyTorch, xavier,
 * orthogonal), initial (zero or learned first state), padding (right or left: where rows shorter than
 * the steps are padded). One that is marked for another cell is refused.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_rnn_destroy; the weights are the model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_SHAPE (overflow), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000 (forget gate); PyTorch nn.LSTM; Ba et al.
 *   2016 (layer norm), Krueger et al. 2017 (zoneout), Gal and Ghahramani 2016 (locked dropout), Merity
 *   et al. 2018 (weight drop).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_lstm_create(rnnkit_model *model, const char *name,
    int64_t inputs, int64_t hidden, const char *options, rnnkit_rnn **out);

/** Adds a GRU to a model. Parameters as rnnkit_lstm_create, with 3 for 4 and without projection and
 * cell state.
 *
 * Options are those of rnnkit_lstm_create, noun "rnn", but for what is an LSTM's or an Elman network's.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_rnn_destroy; the weights are the model's.
 * Errors: as rnnkit_lstm_create.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Cho et al. 2014; PyTorch nn.GRU.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_gru_create(rnnkit_model *model, const char *name,
    int64_t inputs, int64_t hidden, const char *options, rnnkit_rnn **out);

/** Adds an Elman network, the plain recurrent layer, to a model. Parameters as rnnkit_lstm_create,
 * with 1 for 4 and without projection and cell state.
 *
 * Options are those of rnnkit_lstm_create, noun "rnn", but for what is an LSTM's or a GRU's.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_rnn_destroy; the weights are the model's.
 * Errors: as rnnkit_lstm_create.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Elman 1990; PyTorch nn.RNN.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_elman_create(rnnkit_model *model, const char *name,
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

/** The widths of what the layer gives.
 *
 * Arrays: none.
 * Ownership: *outputs is set to the last dimension of what rnnkit_rnn_forward gives (that of h, twice
 *   with two directions), *state to the numbers of a state's row; any may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_widths(
    const rnnkit_rnn *rnn, int64_t *outputs, int64_t *state);

/** Runs the layer over a whole sequence. The state, when given, is where the sequence starts and
 * afterwards where it ended; no gradient flows into the state (truncated BPTT). Without one the
 * sequence starts from zeros, or from the learned first state. A row shorter than the sequence does
 * nothing in its padding: its outputs there are 0, its state is that of its own last step, and the
 * reverse direction begins at that step.
 *
 * Arrays: x: [T][B][inputs]; lengths: int32 [B] in any order, each 0 to T, or NULL when all rows are
 *   full; *out: [T][B][outputs], the reverse direction's behind the other's.
 * Ownership: lengths are copied; *out belongs to the tape; the state is the caller's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range), RNNKIT_E_SHAPE
 *   (x, or a state of another batch size or another layer), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE. On
 *   failure the state is as it was.
 * Threads: owner of the tape and of the state; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.LSTM; Schuster and Paliwal 1997 (two directions); Williams and Peng 1990
 *   (truncated back-propagation through time).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_forward(rnnkit_rnn *rnn, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *lengths, rnnkit_state *state, rnnkit_tensor **out);

/** The same with tensors in place of a state: gradients flow to the start from all that comes behind
 * it, and from the end into all that led to it. So an encoder's end can be a decoder's start, and
 * gradients can go back over more steps than there are between two updates
 * (docs/recurrent-layers.md).
 *
 * Arrays: x, lengths, *out: as for rnnkit_rnn_forward; start: as many numbers as a state has, in the
 *   order of rnnkit_state_read, whatever the shape, or NULL: zeros, or the learned first state; *end:
 *   the same afterwards, of a layer whose h and c are all as wide [arrays][B][hidden] (an LSTM:
 *   [layers * directions * 2][B][hidden]), else in one row. end may be NULL: not wanted.
 * Ownership: lengths are copied; *out and *end belong to the tape.
 * Errors: as rnnkit_rnn_forward; RNNKIT_E_SHAPE for a start of another size.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: PyTorch nn.LSTM (h_0, c_0, h_n, c_n); Sutskever et al. 2014; Williams and Peng 1990.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_forward_from(rnnkit_rnn *rnn, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *lengths, rnnkit_tensor *start, rnnkit_tensor **out,
    rnnkit_tensor **end);

/** One vector for each row, out of what rnnkit_rnn_forward gave: where it ended, or the mean or the
 * largest values over the steps that it has. Where it ended means each direction's own end: a row's
 * last step, and for the reverse direction its first. A row of length 0 gives zeros.
 *
 * Options (noun "pool"): pooling (last, mean or max).
 * Arrays: y: [T][B][outputs]; lengths: as they were for rnnkit_rnn_forward; *out: [B][outputs].
 * Ownership: lengths are copied; *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range), RNNKIT_E_SHAPE,
 *   RNNKIT_E_OPTION, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_pool(rnnkit_rnn *rnn, rnnkit_tape *tape,
    rnnkit_tensor *y, const int32_t *lengths, const char *options, rnnkit_tensor **out);

/** Looks into a layer: the values that the gates had, for teaching and for finding faults. At steps
 * that a row does not have they are 0.
 *
 * Arrays: y: what rnnkit_rnn_forward gave on a tape with train=1; layer counts from 0, reverse is 1
 *   for the second direction; *gates: [T][B][gates * hidden], of an LSTM i, f, g, o, of a GRU r, z, n,
 *   of an Elman network h; *cells: [T][B][hidden], an LSTM's c, NULL for the others; cells may be NULL.
 * Ownership: *gates and *cells belong to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; layer or direction that there is not),
 *   RNNKIT_E_ORDER (y is another tensor, or the tape does not train), RNNKIT_E_MEMORY,
 *   RNNKIT_E_DEVICE.
 * Threads: owner of the tape.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_gates(rnnkit_rnn *rnn, rnnkit_tape *tape,
    rnnkit_tensor *y, int64_t layer, int32_t reverse, rnnkit_tensor **gates, rnnkit_tensor **cells);

/** One or more steps of streaming inference: no tape, no dropout, no allocation, no lock. Not for two
 * directions, of which one has to see the end first.
 *
 * Arrays: x: float [n][B][inputs], `x_count` elements in all; y: float [n][B][outputs], `y_count`
 *   elements in all, with the B of the state and any n from 1.
 * Ownership: x is read, y filled, the state moved on.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a bidirectional layer), RNNKIT_E_SHAPE,
 *   RNNKIT_E_DEVICE.
 * Threads: owner of the state; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_rnn_forward.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_rnn_step(rnnkit_rnn *rnn, rnnkit_state *state,
    const float *x, int64_t x_count, float *y, int64_t y_count);

/** Creates a state for `batch` rows, at the beginning: zeros, or the learned first state.
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

/** Sets one row of the state, or all of them (row -1), back to the beginning: zeros, or the learned
 * first state.
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
 * Arrays: values: float, `count` elements in all, rnnkit_rnn_widths' state times the batch. For each
 *   layer, for each direction: the hidden state h [batch][its width], then of an LSTM the cell state c
 *   [batch][hidden]. So of a plain LSTM: [layers][2][batch][hidden].
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
