/* The file formats of word vectors, and how each is told from the others.
 *
 *   text         "count dimension\n", then a line a word: word, space, values parted by spaces.
 *                word2vec.c and fastText end lines with a space, gensim does not
 *   binary       the same first line, then for each word: word, space, values as little-endian
 *                float32, and with word2vec.c but not with gensim a line feed
 *   glove        text without the first line
 *   safetensors  tensors "vectors" F32 [count, dimension], "counts" and "word_ends" I64 [count],
 *                "words" U8: all words in a row, word i ending at word_ends[i]; metadata
 *                "format": "rnnkit.vectors"
 */
#ifndef RKI_WORD2VEC_FORMAT_H
#define RKI_WORD2VEC_FORMAT_H

#include <stdint.h>

#include "base/file.h"
#include "word2vec/vectors.h"

#define RKI_VECTORS_FORMAT "rnnkit.vectors"

typedef struct rki_vectors_source {
    rnnkit_context *context;
    const char *path;
    const char *cursor, *end; /* what is not read yet */
    int64_t limit;            /* most words */
    int64_t line;             /* number of the line in hand */
    int64_t repeated;         /* words that were there before */
} rki_vectors_source;

/* The first line of text and binary: 1 when it is one, and the cursor is behind it. */
int rki_vectors_header(rki_vectors_source *source, int64_t *count, int64_t *dimension);

/* Whether what is at the cursor is a line of text with `dimension` values. */
int rki_vectors_is_text(const rki_vectors_source *source, int64_t dimension);

/* count -1: the lines say. */
int32_t rki_vectors_read_text(
    rki_vectors_source *source, int64_t count, int64_t dimension, rnnkit_vectors **out);
int32_t rki_vectors_read_binary(
    rki_vectors_source *source, int64_t count, int64_t dimension, rnnkit_vectors **out);
int32_t rki_vectors_read_safetensors(
    rnnkit_context *context, const char *path, int64_t limit, int map, rnnkit_vectors **out);
int32_t rki_vectors_write_safetensors(const rnnkit_vectors *vectors, const char *path);

#endif
