/** @file
 * Embedding: a table with one row of weights per token id.
 */
#ifndef RNNKIT_EMBEDDING_H
#define RNNKIT_EMBEDDING_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Adds an embedding to a model: parameter `<name>.weight` [words][width], drawn from N(0, 1).
 *
 * Options (noun "embedding"): padding (a token id whose row stays zero and gets no gradient; -1:
 * none), sparse (1: an optimiser touches only rows that were used; 0: all rows, as PyTorch does by
 * default), scale (standard deviation of the initial values), frozen (1: the table gets no
 * gradient).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_embedding_destroy; the weights are the
 *   model's.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, empty or used name, words or width below 1),
 *   RNNKIT_E_SHAPE (overflow), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: PyTorch nn.Embedding (names, shape, initial values).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_create(rnnkit_model *model, const char *name,
    int64_t words, int64_t width, const char *options, rnnkit_embedding **out);

/** A new handle of a model's embedding, by name: for models that were opened from a file.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_embedding_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND (the model's layers are
 *   named), RNNKIT_E_MEMORY.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_find(
    rnnkit_model *model, const char *name, rnnkit_embedding **out);

/** Gives up the handle; the layer stays in its model. NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_embedding_destroy(rnnkit_embedding *embedding);

/** The number of rows and the width of the table.
 *
 * Arrays: none.
 * Ownership: *words and *width are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_size(
    const rnnkit_embedding *embedding, int64_t *words, int64_t *width);

/** Looks up the rows of token ids.
 *
 * Arrays: ids: int32 [steps][batch], each from 0 to words - 1; *out: [steps][batch][width].
 * Ownership: ids are copied; *out belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; an id outside the table, with its place),
 *   RNNKIT_E_SHAPE (steps or batch below 1, overflow), RNNKIT_E_MEMORY.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_forward(rnnkit_embedding *embedding,
    rnnkit_tape *tape, const int32_t *ids, int64_t steps, int64_t batch, rnnkit_tensor **out);

/** Mean negative-sampling loss, in nats, of rows of x against rows of this embedding's table: for
 * each row of x, -log sigmoid(x . target) less the sum over its noise words of
 * log sigmoid(-x . noise). With x looked up in another embedding this is skip-gram;
 * rnnkit_pairs_next and rnnkit_noise_draw give targets and noise words.
 *
 * Arrays: x: [...][width], `count` rows; targets: int32 [count], each from 0 to words - 1; noise:
 *   int32 [count][negatives], -1: none, NULL when negatives is 0; *loss: [1].
 * Ownership: targets and noise are copied; *loss belongs to the tape.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; negatives below 0; an id outside the table,
 *   with its place), RNNKIT_E_SHAPE, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of the tape; the model is shared.
 * Since: 0.1.
 * Source: Mikolov et al., arXiv 1310.4546, equation 4; Udacity deep-learning-v2, SkipGramNeg.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_negative_sampling(rnnkit_embedding *embedding,
    rnnkit_tape *tape, rnnkit_tensor *x, const int32_t *targets, const int32_t *noise,
    int64_t count, int64_t negatives, rnnkit_tensor **loss);

/** Fills the table with word vectors: row i gets the vector of the vocabulary's word i. Specials
 * such as <unk> that have no vector keep their rows, and a padding row is zero. All or nothing.
 *
 * Options (noun "embedding_vectors"): frozen (0; 1: the table gets no gradient from now on, and
 * what it had is forgotten; the model's file says so too), missing (normal, zero, keep: rows of
 * words without a vector are drawn, zero, or as they are), scale (-1; standard deviation of rows
 * that are drawn; -1: that of the vectors' values).
 * Arrays: none.
 * Ownership: the vectors are copied; *found rows got a vector and *missing words had none
 *   (specials do not count there); either may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (vocabulary not finished), RNNKIT_E_OPTION,
 *   RNNKIT_E_SHAPE (rows and ids, or width and dimension, differ), RNNKIT_E_MEMORY,
 *   RNNKIT_E_DEVICE.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_embedding_load_vectors(rnnkit_embedding *embedding,
    const rnnkit_vectors *vectors, const rnnkit_vocab *vocab, const char *options, int64_t *found,
    int64_t *missing);

RNNKIT_END

#endif
