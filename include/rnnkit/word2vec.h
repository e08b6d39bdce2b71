/** @file
 * word2vec: learns a vector for each word of a text, so that words used alike have vectors alike.
 *
 * A vocabulary says which words there are; text is pushed, in pieces or files, until the first
 * step; then each step trains on a part of it, for `epochs` passes. Afterwards more text may be
 * pushed for another run. Words without an id are passed over, as if they were not there, and a
 * line ends a sentence (option sentence).
 *
 * Skip-gram and CBOW with negative sampling, as in word2vec.c but for these points: a window's
 * words share their noise words, and skip-gram's windows of two words in a row do; a noise word that
 * is one of these words, or was drawn before for the same window, is dropped; a sentence has no
 * longest length; the CBOW gradient is the mean's (option cbow_gradient).
 *
 * With deterministic=1 the vectors are the same bits for every number of threads; with threads=1
 * they always are. Otherwise threads write the same vectors without waiting for each other.
 *
 * Training runs on the context's device where that can do it (cuda, reference). What is drawn is the
 * same as on the CPU, but cuda adds changes up in no certain order. So deterministic=1 trains on the
 * CPU in any context, and so do windows too large for the device (option window, negative or
 * dimension); one line of log then says so. Everything else runs on the CPU.
 */
#ifndef RNNKIT_WORD2VEC_H
#define RNNKIT_WORD2VEC_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Is told how far training is: the part done (0 to 1), the epoch's mean loss so far, the learning
 * rate. What it returns other than 0 stops the training. */
typedef int32_t (*rnnkit_word2vec_progress_fn)(
    double done, double loss, double learning_rate, void *user);

/** Creates vectors for the words of a finished vocabulary (its specials have none), drawn at
 * random, ready for text.
 *
 * Options (noun "word2vec"): dimension (100), window (5), shrink (1: each word's window is drawn
 * from 1 to window), negative (5; noise words a window), power (0.75; noise words are drawn by
 * count^power), sample (0.001; 0: keep all), subsampling (word2vec, paper), epochs (5), lr (0: 0.025,
 * with cbow 0.05), min_lr (-1: lr / 10000), architecture (skipgram, cbow), cbow_gradient (mean, word2vec),
 * sentence (line, text), seed (-1: the context's), threads (0: the context's), deterministic (0),
 * memory (4096; MiB of ids, 4 bytes each, that are held in memory; what is beyond goes to an unnamed
 * temporary file), folder (where that file is made; empty: TMPDIR, else /tmp). The least count of a
 * word is an option of the vocabulary.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_word2vec_destroy; it keeps the vocabulary
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (vocabulary not finished), RNNKIT_E_ARGUMENT (NULL; no
 *   word), RNNKIT_E_OPTION, RNNKIT_E_SHAPE (too many words), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: Mikolov et al., arXiv 1301.3781 and 1310.4546; Ji et al., arXiv 1604.04661 (shared noise
 *   words).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_create(
    rnnkit_vocab *vocab, const char *options, rnnkit_word2vec **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_word2vec_destroy(rnnkit_word2vec *word2vec);

/** Appends a piece of text; pieces may be cut anywhere, within a character even. The first piece
 * after a run has ended starts the text of another run. After RNNKIT_E_ENCODING, RNNKIT_E_IO or
 * RNNKIT_E_MEMORY the text takes no more and cannot be trained on; the vectors are as they were.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL.
 * Ownership: the text is read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ENCODING (strict tokenizer),
 *   RNNKIT_E_ORDER (within a run), RNNKIT_E_IO (temporary file), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_push(
    rnnkit_word2vec *word2vec, const char *text, int64_t length);

/** Appends a file, which may be larger than memory; "/dev/stdin" is one. Beginning and end of the
 * file end a sentence. A file that cannot be opened leaves the text as it was; after
 * RNNKIT_STOPPED what was read stays.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: as rnnkit_word2vec_push; RNNKIT_E_IO; RNNKIT_STOPPED when the context was cancelled.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_push_file(
    rnnkit_word2vec *word2vec, const char *path);

/** Trains on the next part of the text, some ten milliseconds of work; RNNKIT_DONE when all epochs
 * are over. The first step ends the text.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (no word of the text has an id), RNNKIT_E_ENCODING
 *   (the text ended within a character), RNNKIT_E_ORDER (the text failed half-way), RNNKIT_E_SHAPE
 *   (a run was opened from a file, and this is not its text), RNNKIT_E_IO (temporary file),
 *   RNNKIT_E_MEMORY, RNNKIT_E_DIVERGED (a value is not finite: the vectors are lost; lower lr).
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_step(rnnkit_word2vec *word2vec);

/** Steps until all epochs are over. RNNKIT_STOPPED, after a whole step, when the context was
 * cancelled or `progress` says so; calling again goes on.
 *
 * Arrays: none.
 * Ownership: progress may be NULL; it is called after each step, on the calling thread.
 * Errors: as rnnkit_word2vec_step.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_train(
    rnnkit_word2vec *word2vec, rnnkit_word2vec_progress_fn progress, void *user);

/** Where the run is: the epoch (counted from 0; `epochs` at the end), the part of the run that is
 * done (0 to 1), the words trained on, those passed over by subsampling included, the mean loss per
 * pair in nats of this epoch or, before its first step, of the one before, and the learning rate.
 *
 * Arrays: none.
 * Ownership: each of the results may be NULL. Before the first step the loss is not a number.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_progress(const rnnkit_word2vec *word2vec,
    int64_t *epoch, double *done, int64_t *words, double *loss, double *learning_rate);

/** How many words have vectors, and the vectors' dimension.
 *
 * Arrays: none.
 * Ownership: *words and *dimension are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_size(
    const rnnkit_word2vec *word2vec, int64_t *words, int64_t *dimension);

/** The vocabulary, for a handle that was opened from a file.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_vocab_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL).
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_vocab(
    const rnnkit_word2vec *word2vec, rnnkit_vocab **out);

/** The vectors as they are now, with their words and counts: what queries are put to.
 *
 * Options (noun "word2vec_vectors"): matrix (input, output).
 * Arrays: none.
 * Ownership: *out is a copy and the caller's, to be given to rnnkit_vectors_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_vectors(
    const rnnkit_word2vec *word2vec, const char *options, rnnkit_vectors **out);

/** Writes all that training goes on from: both matrices, vocabulary, tokenizer, options, and the
 * place in the run. The text itself is not in the file.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_MEMORY; an older file of
 *   that name is then as it was.
 * Threads: owner.
 * Since: 0.1.
 * Source: safetensors (huggingface/safetensors, README, "Format").
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_save(rnnkit_word2vec *word2vec, const char *path);

/** Opens what rnnkit_word2vec_save wrote. When the run was not over, the same text must be pushed
 * again, and training goes on where it was; else any text may be pushed for another run.
 *
 * Options: those of rnnkit_word2vec_create; what is given replaces what the file
 * says. dimension cannot be changed; within a run only threads, memory and folder can.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_word2vec_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_FORMAT
 *   (another kind of file, or a damaged one), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_word2vec_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_word2vec **out);

RNNKIT_END

#endif
