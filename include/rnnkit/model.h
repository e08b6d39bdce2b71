/** @file
 * Models: parameters by name, the layers that own them, and the file they travel in.
 *
 * The file is safetensors: parameters under PyTorch's names and shapes; the layers with their
 * options, the vocabulary and the caller's own entries in its metadata (docs/file-format.md).
 * A model that is not being trained may be used by any number of threads.
 */
#ifndef RNNKIT_MODEL_H
#define RNNKIT_MODEL_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a model without layers.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_model_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_create(rnnkit_context *context, rnnkit_model **out);

/** Gives up the handle; the model goes when its layers', states' and optimisers' handles have gone
 * too. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_model_destroy(rnnkit_model *model);

/** Writes the model to a file, which appears under its name only when it is complete.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE;
 *   an older file of that name is then as it was.
 * Threads: shared.
 * Since: 0.1.
 * Source: safetensors format (huggingface/safetensors, README).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_save(rnnkit_model *model, const char *path);

/** Opens a model that rnnkit_model_save wrote: layers, parameters, vocabulary, entries.
 *
 * Options (noun "open"): weights (f32, packed, bf16 or int8: how layers hold their weights. packed
 * is f32 in the order in which products read it, of all weights but embeddings that no linear layer
 * shares: it takes no less memory, gives the same outputs to the bit, and is several times as fast
 * in single steps and wherever rows are few. bf16 is a float's upper half, of all weights, in that
 * order too; int8 has a scale for each row, and brings what a weight is multiplied with to 16 bits.
 * These two are rounded while the file is read, take a half and a quarter of the memory, and are
 * the faster the larger the layer is. int8 is for embeddings, recurrent and linear layers: decoders and
 * attention are bf16 then. Biases and norms are f32 with all. A model that is not f32 runs, as ever,
 * by rnnkit_rnn_step, generators and tapes with train=0; it is not trained, saved or loaded into).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_model_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_FORMAT
 *   (damaged, or without our metadata: then create the layers and use rnnkit_model_load_parameters),
 *   RNNKIT_E_UNSUPPORTED (all but f32: on a device that is not the CPU), RNNKIT_E_MEMORY. Of a model
 *   that was not opened in f32, RNNKIT_E_ORDER from what it does not do.
 * Threads: any.
 * Since: 0.1.
 * Source: safetensors format; bfloat16 (Kalamkar et al. 2019); int8 with a scale per row (Wu et al.
 *   2020, section 3).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_model **out);

/** The same from memory.
 *
 * Options are those of rnnkit_model_open.
 * Arrays: bytes: `size` bytes.
 * Ownership: the bytes are read during the call only; *out is the caller's.
 * Errors: as rnnkit_model_open, without RNNKIT_E_IO.
 * Threads: any.
 * Since: 0.1.
 * Source: as rnnkit_model_open.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_open_memory(rnnkit_context *context, const void *bytes,
    size_t size, const char *options, rnnkit_model **out);

/** Sets the parameters of a model from any safetensors file with F32, F16, BF16 or F64 tensors of
 * the same names and shapes: a PyTorch state_dict, say. All or nothing.
 *
 * Options (noun "load"): strict (1: a parameter missing from the file, or a tensor that no
 * parameter takes, is an error; 0: both are passed over).
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_FORMAT,
 *   RNNKIT_E_NOT_FOUND (strict), RNNKIT_E_SHAPE (both shapes are named), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: safetensors format.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_load_parameters(
    rnnkit_model *model, const char *path, const char *options);

/** How many parameter arrays the model has, and how many numbers they hold in all.
 *
 * Arrays: none.
 * Ownership: *parameters and *values are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_size(
    const rnnkit_model *model, int64_t *parameters, int64_t *values);

/** The name of parameter `index`, counted from 0 in the order of creation; NULL behind the last.
 *
 * Arrays: none.
 * Ownership: the text lives as long as the model.
 * Errors: none; NULL for a bad handle.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_model_parameter_name(const rnnkit_model *model, int64_t index);

/** The sizes of a parameter.
 *
 * Arrays: dims: room for `capacity` sizes (4 are always enough); *rank: how many there are.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_TOO_SMALL (*rank is
 *   set all the same).
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_parameter_shape(
    const rnnkit_model *model, const char *name, int64_t *dims, int64_t capacity, int64_t *rank);

/** Copies a parameter's values to the host.
 *
 * Arrays: values: `count` floats, exactly as many as the parameter has.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND, RNNKIT_E_SHAPE,
 *   RNNKIT_E_DEVICE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_parameter_read(
    const rnnkit_model *model, const char *name, float *values, int64_t count);

/** Sets a parameter's values from the host.
 *
 * Arrays: values: `count` floats, exactly as many as the parameter has.
 * Ownership: the values are copied.
 * Errors: as rnnkit_model_parameter_read.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_parameter_write(
    rnnkit_model *model, const char *name, const float *values, int64_t count);

/** Copies a parameter's gradient, as added up since the last optimiser step, to the host.
 *
 * Arrays: values: `count` floats, exactly as many as the parameter has.
 * Ownership: the caller's array is filled.
 * Errors: as rnnkit_model_parameter_read.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_gradient_read(
    const rnnkit_model *model, const char *name, float *values, int64_t count);

/** Sets all gradients to zero (rnnkit_optimizer_step does so itself).
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_DEVICE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_clear_gradients(rnnkit_model *model);

/** Lets the model carry a vocabulary, and with it the tokenizer, in its file.
 *
 * Arrays: none.
 * Ownership: the model keeps the vocabulary alive; NULL takes it away.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ORDER when the vocabulary is not finished.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_set_vocab(rnnkit_model *model, rnnkit_vocab *vocab);

/** A new handle of the vocabulary that the model carries.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_vocab_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND when it carries none.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_vocab(rnnkit_model *model, rnnkit_vocab **out);

/** Lets the model carry a text of the caller's under a key; value NULL removes it.
 *
 * Arrays: none.
 * Ownership: key and value are copied.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL or empty key, one that starts with "rnnkit.", or
 *   text that is not UTF-8); RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_model_set_entry(
    rnnkit_model *model, const char *key, const char *value);

/** The text that the model carries under a key; NULL when there is none.
 *
 * Arrays: none.
 * Ownership: the text lives until the entry is set again or the model goes.
 * Errors: none; NULL for a bad handle.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_model_entry(const rnnkit_model *model, const char *key);

RNNKIT_END

#endif
