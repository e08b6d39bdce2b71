/* A model in a safetensors file (docs/file-format.md), in the steps that model files and
 * checkpoints share.
 */
#ifndef RKI_NN_MODEL_FILE_H
#define RKI_NN_MODEL_FILE_H

#include "io/safetensors.h"
#include "nn/model.h"

#define RKI_RESERVED_PREFIX "rnnkit." /* of metadata and tensors that no parameter has */

enum { RKI_JSON_LIMIT = 100000000 }; /* what a header can hold anyway */

/* Saving (RNNKIT_E_ORDER for a model whose weights are in a format): format, version, layers, vocabulary, entries, checksum; then the parameters. */
int32_t rki_model_add_texts(const rnnkit_model *model, rki_st_writer *writer);
int32_t rki_model_declare(const rnnkit_model *model, rki_st_writer *writer);
int32_t rki_model_put(const rnnkit_model *model, void *piece, rki_st_writer *writer);

/* RNNKIT_E_FORMAT unless the file is a model of a version that is known here, and undamaged. */
int32_t rki_model_check_file(const rki_st *st);

/* RNNKIT_E_ORDER for a model whose weights were rounded. Every parameter must have a tensor of its name, shape and of floats. When strict, the other way
 * round as well, but for tensors under the reserved prefix; else parameters without one are fine. */
int32_t rki_model_check_parameters(const rnnkit_model *model, const rki_st *st, int strict);

/* Sets the parameters to the file's tensors, which were checked; those without one stay. */
int32_t rki_model_take(rnnkit_model *model, const rki_st *st, void *piece);

/* RNNKIT_E_SHAPE when model and file have vocabularies, and other ones. */
int32_t rki_model_check_vocab(const rnnkit_model *model, const rki_st *st);

/* The caller's entries that the file holds. */
int32_t rki_model_read_entries(const rki_memory *memory, const rki_st *st, rki_entries *out);

extern const rki_option_table rki_open_options, rki_load_options;

#endif
