/** @file
 * Decoders: recurrent layers that write a sequence while looking at a source.
 *
 * The source is any memory [positions][batch][memory]: an encoder's outputs, an image's features.
 * At each step the decoder reads one input (the embedding of the token before), looks at the memory
 * and gives one output, for a linear layer to turn into logits. Training is one call over the whole
 * target; search.h writes. Equations and parameters: docs/math/decoder.md.
 */
#ifndef RNNKIT_DECODER_H
#define RNNKIT_DECODER_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds a decoder of recurrent layers with attention to a model.
 *
 * With style=bahdanau the state before a step looks, and the context is part of what the first
 * layer reads; the output is tanh(Wc [context; h; x] + b). With style=luong the state after a step
 * looks, and the output is tanh(Wc [context; h] + b), which with feeding=1 is part of what the
 * first layer reads at the next step.
 *
 * Parameters: `<name>.rnn.weight_ih_l<l>` and so on as rnnkit_lstm_create has them (the first layer
 * reads inputs + memory columns, inputs + output with feeding, else inputs); `<name>.attention.`
 * with those of rnnkit_attention_create (queries are `hidden` wide, keys `memory`);
 * `<name>.combine.weight` [output][memory + hidden (+ inputs)] and `<name>.combine.bias` [output];
 * with a start vector `<name>.start.h_l<l>.weight` [hidden][start] and `<name>.start.h_l<l>.bias`
 * [hidden] for each layer, and the same for c: the first state is tanh of what they give. All are
 * uniform, in +-1/sqrt(hidden) for the recurrent layers, in +-1/sqrt(columns) for the others.
 *
 * Options (noun "decoder"): style (bahdanau), cell (lstm or gru), layers, dropout (between layers, not after the last),
 * feeding (of luong), output (width of the output; 0: hidden), start (width of the vector that the
 * first state is made from; 0: the first state is zero), score, attention_width, attention_bias,
 * attention_window (as score, width, bias and window of an attention).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_decoder_destroy; the weights are the
 *   model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, a size below 1),
 *   RNNKIT_E_SHAPE (sizes that the score cannot compare; overflow), RNNKIT_E_OPTION,
 *   RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015; Xu et al. 2015 (the first
 *   state from the memory's mean).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_decoder_create(rnnkit_model *model, const char *name,
    int64_t inputs, int64_t hidden, int64_t memory, const char *options, rnnkit_decoder **out);

/** A new handle of a model's decoder, by name.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_decoder_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_decoder_find(
    rnnkit_model *model, const char *name, rnnkit_decoder **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_decoder_destroy(rnnkit_decoder *decoder);

/** The widths of what goes in and comes out; start is 0 when the first state is zero.
 *
 * Arrays: none.
 * Ownership: *inputs, *memory, *start and *output are set; any may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_decoder_size(const rnnkit_decoder *decoder, int64_t *inputs,
    int64_t *memory, int64_t *start, int64_t *output);

/** Runs the decoder over a whole target sequence (teacher forcing): step t reads x[t]. Gradients
 * flow to x, memory and start; none through weights.
 *
 * Arrays: x: [T][B][inputs]; memory: [positions][B][memory]; lengths: int32 [B], each 1 to
 *   positions, or NULL when all are full; start: [B][start] or [1][B][start], NULL exactly when the
 *   decoder has no start vector; *out: [T][B][output]; *weights: [T][B][positions].
 * Ownership: lengths are copied; *out and *weights belong to the tape; weights may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a length outside the range, with its place),
 *   RNNKIT_E_SHAPE, RNNKIT_E_ORDER (a tensor of another tape), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: as rnnkit_decoder_create.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_decoder_forward(rnnkit_decoder *decoder, rnnkit_tape *tape,
    rnnkit_tensor *x, rnnkit_tensor *memory, const int32_t *lengths, rnnkit_tensor *start,
    rnnkit_tensor **out, rnnkit_tensor **weights);

RNNKIT_END

#endif
