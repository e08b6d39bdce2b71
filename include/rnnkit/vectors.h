/** @file
 * Word vectors: words, a vector each, and the questions that are put to them.
 *
 * From training (rnnkit_word2vec_vectors), from a file, or from memory. A words' id is its place,
 * counted from 0; files and training have frequent words first. Queries are named and computed as
 * in gensim's KeyedVectors; they take ids, which rnnkit_vectors_find gives. A handle never changes,
 * so any number of threads may query it at once. Words are bytes without NUL, not checked to be
 * UTF-8. A vector of zeros, or one shorter than 1e-38 or longer than 8e37, has cosine 0 with all.
 *
 * A query for the nearest words reads every vector once, and takes as long as memory takes to give
 * them. With option scan it reads a copy instead, a half (bf16) or a quarter (int8) as large, which
 * the first such query makes and the handle keeps: dimension values of 2 bytes, or of 1 and 4 bytes
 * more, for each word, rows rounded up to 64 bytes. The copy gives 8 candidates for each word asked
 * for, and 128 more; their scores are then computed from the vectors themselves, and have the same
 * bits as without. So a word is missed only where more than so many others pass it in the copy:
 * hardly ever. Where there are not more words than that, no copy is made or read.
 */
#ifndef RNNKIT_VECTORS_H
#define RNNKIT_VECTORS_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates vectors from memory.
 *
 * Arrays: words: `count` words, each followed by a NUL, none empty, none twice; values: float
 *   [count][dimension], finite.
 * Ownership: words and values are copied; *out is the caller's, to be given to
 *   rnnkit_vectors_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; count or dimension below 1; an empty word, one
 *   that was there before, a value that is not finite, with its place), RNNKIT_E_SHAPE (too many),
 *   RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_create(rnnkit_context *context, const char *words,
    int64_t count, const float *values, int64_t dimension, rnnkit_vectors **out);

/** Opens a file: word2vec's text (fastText's .vec is the same) or binary format, GloVe's text
 * without a first line, or what rnnkit_vectors_save wrote as safetensors. A word that comes again
 * is left out, with one line of log that says how many were. In text, a word may hold spaces: the
 * last `dimension` fields of a line are its vector. The last line feed may be missing.
 *
 * Options (noun "vectors_open"): format (auto, text, binary, glove, safetensors), limit (0; read
 * the first words only; 0: all), map (0; 1: safetensors alone: values stay in the file, shared by
 * all processes that map it; the file must not be shortened meanwhile).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_vectors_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_FORMAT
 *   (damaged, truncated, a value that is not finite; with the line or word), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: word2vec.c (tmikolov/word2vec); fastText; GloVe (stanfordnlp/GloVe); safetensors.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_vectors **out);

/** Writes the vectors. Text has the shortest digits that read back to the same float, whatever the
 * locale; vec is text with a space at the end of each line, as fastText writes.
 *
 * Options (noun "vectors_save"): format (text, binary, vec, glove, safetensors).
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; a word with white space, which only safetensors
 *   holds), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_MEMORY; an older file of that name is then as it
 *   was.
 * Threads: any.
 * Since: 0.1.
 * Source: as rnnkit_vectors_open.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_save(
    const rnnkit_vectors *vectors, const char *path, const char *options);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_vectors_destroy(rnnkit_vectors *vectors);

/** How many words there are, and the vectors' dimension.
 *
 * Arrays: none.
 * Ownership: *words and *dimension are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_size(
    const rnnkit_vectors *vectors, int64_t *words, int64_t *dimension);

/** The word of an id, and how often it was counted (0: not known).
 *
 * Arrays: buffer: room for `capacity` bytes, NULL when capacity is 0; *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled; count may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_NOT_FOUND (no such id), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_TOO_SMALL (*needed is set all the same).
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_word(const rnnkit_vectors *vectors, int32_t id,
    char *buffer, int64_t capacity, int64_t *needed, int64_t *count);

/** The id of a word. When there is none, the message offers a word that is spelled alike.
 *
 * Arrays: word: `length` bytes, or -1 when it ends with NUL.
 * Ownership: *id is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_find(
    const rnnkit_vectors *vectors, const char *word, int64_t length, int32_t *id);

/** Copies vectors as they are.
 *
 * Arrays: ids: `count` int32; values: float [count][dimension].
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, negative count), RNNKIT_E_NOT_FOUND (no such
 *   id, with its place).
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_read(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, float *values);

/** The cosine of two words' vectors.
 *
 * Arrays: none.
 * Ownership: *similarity is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND (no such id),
 *   RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.similarity.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_similarity(
    const rnnkit_vectors *vectors, int32_t first, int32_t second, double *similarity);

/** The cosine of the means of two lists of words.
 *
 * Arrays: first, second: `first_count` and `second_count` ids.
 * Ownership: *similarity is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, an empty list), RNNKIT_E_NOT_FOUND (no such id,
 *   with its place), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.n_similarity.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_n_similarity(const rnnkit_vectors *vectors,
    const int32_t *first, int64_t first_count, const int32_t *second, int64_t second_count,
    double *similarity);

/** The words nearest to the positive ones and far from the negative ones, which are not among them:
 * by the cosine with the sum of the words' unit vectors (method add), or by the product of the
 * positive similarities, each (1 + cosine) / 2, over that of the negative ones plus 1e-6 (method
 * mul). "king" - "man" + "woman" is positive king and woman, negative man.
 *
 * Options (noun "vectors_query"): method (add, mul), restrict (0; only the first words are looked
 * at; 0: all), scan (f32, bf16, int8; a copy that candidates are found in).
 * Arrays: positive, negative: ids; either may be NULL when its count is 0; ids, scores: room for
 *   `capacity`, the nearest first. *found: how many were given.
 * Ownership: the caller's arrays are filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; no word at all; capacity below 1),
 *   RNNKIT_E_OPTION, RNNKIT_E_NOT_FOUND (no such id, with its place), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.most_similar and most_similar_cosmul; Levy and Goldberg, "Linguistic
 *   regularities in sparse and explicit word representations", CoNLL 2014.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_most_similar(const rnnkit_vectors *vectors,
    const int32_t *positive, int64_t positive_count, const int32_t *negative,
    int64_t negative_count, const char *options, int64_t capacity, int32_t *ids, float *scores,
    int64_t *found);

/** The words nearest to each of several vectors, by cosine: one pass over the words for all.
 *
 * Options (noun "vectors_query"): method (of no effect), restrict (0; only the first words are looked
 *   at; 0: all), scan (f32, bf16, int8; a copy that candidates are found in).
 * Arrays: queries: float [count][dimension], finite; ids: int32 [count][top] and scores: float
 *   [count][top], the nearest first; where there are fewer words, id -1 and score 0.
 * Ownership: the caller's arrays are filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; count or top below 1; a value that is not
 *   finite), RNNKIT_E_SHAPE (count or top too large), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.similar_by_vector.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_similar_by_vector(const rnnkit_vectors *vectors,
    const float *queries, int64_t count, const char *options, int64_t top, int32_t *ids,
    float *scores);

/** The word that goes least with the others: the one whose cosine with the mean of all their unit
 * vectors is least.
 *
 * Arrays: ids: `count` int32.
 * Ownership: *place is set: which of them it is.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, count below 1), RNNKIT_E_NOT_FOUND (no such id,
 *   with its place), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.doesnt_match.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_doesnt_match(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, int64_t *place);

/** The place of the second word among the neighbours of the first, counted from 1.
 *
 * Arrays: none.
 * Ownership: *rank is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND (no such id),
 *   RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.rank.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_rank(
    const rnnkit_vectors *vectors, int32_t first, int32_t second, int64_t *rank);

/** Correlates the words' similarity with people's: a file of lines `word word score`, parted by
 * tabs, spaces or commas; lines that begin with # and others that are no such line are passed over.
 * A pair with a word that is not there is left out. Case is ignored: of words that differ in case
 * alone the first one counts.
 *
 * Options (noun "vectors_evaluate"): restrict (300000; only the first words count; 0: all), unknown
 * (skip, wrong: such a pair has similarity 0), method (add, mul; analogies only).
 * Arrays: none.
 * Ownership: *pearson and *spearman (not a number with fewer than two pairs), *pairs that were
 *   used and *unknown that were not (or got 0) are set; each may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL path), RNNKIT_E_OPTION, RNNKIT_E_IO,
 *   RNNKIT_E_FORMAT (no such line at all), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.evaluate_word_pairs.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_evaluate_pairs(const rnnkit_vectors *vectors,
    const char *path, const char *options, double *pearson, double *spearman, int64_t *pairs,
    int64_t *unknown);

/** Answers analogies: a file of lines `a b c d`, where d is to be found from b - a + c, in sections
 * that begin with a line `: name`. Questions with a word that is not there are left out. Case is
 * ignored as in rnnkit_vectors_evaluate_pairs.
 *
 * Options (noun "vectors_evaluate"): restrict, unknown, method.
 * Arrays: buffer: room for `capacity` bytes, NULL when capacity is 0: a line for each section, name,
 *   right answers and answered questions parted by tabs, and a last one named "total"; *needed:
 *   bytes including NUL.
 * Ownership: the caller's buffer is filled; *right and *answered are set, either may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_IO, RNNKIT_E_FORMAT
 *   (no question at all), RNNKIT_E_TOO_SMALL (*needed, *right and *answered are set all the same),
 *   RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: gensim, KeyedVectors.evaluate_word_analogies.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vectors_evaluate_analogies(const rnnkit_vectors *vectors,
    const char *path, const char *options, char *buffer, int64_t capacity, int64_t *needed,
    int64_t *right, int64_t *answered);

RNNKIT_END

#endif
