/* Writing vectors. See format.h. Lines of text are made by several threads, a block of words at a
 * time, and written in order. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/float_mode.h"
#include "cpu/parallel.h"
#include "text/argument.h"
#include "text/characters.h"
#include "word2vec/float_text.h"
#include "word2vec/format.h"

typedef enum format {
    FORMAT_TEXT,
    FORMAT_BINARY,
    FORMAT_VEC,
    FORMAT_GLOVE,
    FORMAT_SAFETENSORS
} format;

typedef struct save_settings {
    int32_t format;
} save_settings;

static const rki_option rows[] = {
    {"format", RKI_OPTION_CHOICE, offsetof(save_settings, format), 0, 0, "text",
        "text|binary|vec|glove|safetensors", "0.1",
        "word2vec's text or binary, fastText's .vec, GloVe's text, or safetensors"},
};

const rki_option_table rki_vectors_save_options = {
    "vectors_save", rows, sizeof rows / sizeof *rows};

/* White space would end a word for readers of any kind: Unicode's is left to them. */
static int32_t check_words(const rnnkit_vectors *vectors)
{
    for (int32_t id = 0; id < vectors->size; id++) {
        const char *word = rki_wordmap_bytes(&vectors->words, id);
        size_t length = (size_t)vectors->words.words[id].length;
        char shown[RKI_UTF8_SHOWN];
        if (length > 0 && strcspn(word, " \t\n\r\v\f") == length) continue;
        return rki_fail(RNNKIT_E_ARGUMENT,
            "this format cannot hold the word '%s'; format=safetensors can",
            rki_utf8_show(word, length, shown));
    }
    return RNNKIT_OK;
}

/* A block of words as bytes. */
typedef struct piece {
    char *bytes;
    int64_t size;
} piece;

enum { PIECE_WORDS = 64, PIECES = 64 };

typedef struct pieces {
    const rnnkit_vectors *vectors;
    int32_t format;
    int64_t first; /* word of piece 0 */
    piece list[PIECES];
} pieces;

static size_t write_text(const pieces *all, int64_t id, char *out)
{
    const float *row = rki_vectors_row(all->vectors, id);
    size_t used = (size_t)all->vectors->words.words[id].length;
    memcpy(out, rki_wordmap_bytes(&all->vectors->words, (int32_t)id), used);
    for (int64_t k = 0; k < all->vectors->dimension; k++) {
        out[used++] = ' ';
        used += rki_float_write(row[k], out + used);
    }
    if (all->format == FORMAT_VEC) out[used++] = ' ';
    out[used++] = '\n';
    return used;
}

static size_t write_binary(const pieces *all, int64_t id, char *out)
{
    const float *row = rki_vectors_row(all->vectors, id);
    size_t used = (size_t)all->vectors->words.words[id].length;
    memcpy(out, rki_wordmap_bytes(&all->vectors->words, (int32_t)id), used);
    out[used++] = ' ';
    for (int64_t k = 0; k < all->vectors->dimension; k++, used += 4) {
        uint32_t bits;
        memcpy(&bits, &row[k], sizeof bits);
        rki_store32((unsigned char *)out + used, bits);
    }
    out[used++] = '\n';
    return used;
}

static void fill_piece(void *user, int64_t begin, int64_t end)
{
    pieces *all = user;
    piece *to = &all->list[(begin - all->first) / PIECE_WORDS];
    for (int64_t id = begin; id < end; id++) {
        char *out = to->bytes + to->size;
        to->size += (int64_t)(all->format == FORMAT_BINARY ? write_binary(all, id, out)
                                                           : write_text(all, id, out));
    }
}

/* rki_parallel_blocks counts from 0. */
static void fill_from_first(void *user, int64_t begin, int64_t end)
{
    const pieces *all = user;
    uint64_t mode = rki_float_enter_exact();
    fill_piece(user, all->first + begin, all->first + end);
    rki_float_leave(mode);
}

/* Bytes that the words of a piece may need. */
static int64_t room(const rnnkit_vectors *vectors, int64_t first)
{
    int64_t bytes = 0;
    for (int64_t id = first; id < first + PIECE_WORDS && id < vectors->size; id++)
        bytes += vectors->words.words[id].length + vectors->dimension * (RKI_FLOAT_TEXT + 1) + 2;
    return bytes;
}

static int32_t fill_and_write(pieces *all, rki_writer *writer)
{
    const rnnkit_vectors *vectors = all->vectors;
    const rki_memory *memory = &vectors->context->memory;
    int64_t count = vectors->size - all->first;
    if (count > PIECES * PIECE_WORDS) count = PIECES * PIECE_WORDS;
    int32_t status = RNNKIT_OK;
    for (int64_t i = 0; i * PIECE_WORDS < count && status == RNNKIT_OK; i++) {
        void *block = NULL;
        status = rki_allocate(
            memory, room(vectors, all->first + i * PIECE_WORDS), 1, "lines of vectors", &block);
        all->list[i] = (piece){block, 0};
    }
    if (status == RNNKIT_OK)
        rki_parallel_blocks(vectors->context->threads, count, PIECE_WORDS, fill_from_first, all);
    for (int64_t i = 0; i < PIECES; i++) {
        if (status == RNNKIT_OK && all->list[i].size > 0)
            status = rki_writer_write(writer, all->list[i].bytes, (size_t)all->list[i].size);
        rki_release(memory, all->list[i].bytes);
        all->list[i] = (piece){0};
    }
    all->first += count;
    return status;
}

static int32_t write_all(const rnnkit_vectors *vectors, int32_t kind, rki_writer *writer)
{
    pieces all = {.vectors = vectors, .format = kind};
    if (kind != FORMAT_GLOVE) {
        char header[64];
        int size = snprintf(header, sizeof header, "%lld %lld\n", (long long)vectors->size,
            (long long)vectors->dimension);
        RKI_TRY(rki_writer_write(writer, header, (size_t)size));
    }
    while (all.first < vectors->size)
        RKI_TRY(fill_and_write(&all, writer));
    return RNNKIT_OK;
}

static int32_t save(const rnnkit_vectors *vectors, const char *path, const char *options)
{
    save_settings settings;
    rki_writer *writer;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_options_parse(&rki_vectors_save_options, options, &settings));
    if (settings.format == FORMAT_SAFETENSORS) return rki_vectors_write_safetensors(vectors, path);
    RKI_TRY(check_words(vectors));
    RKI_TRY(rki_writer_open(&vectors->context->memory, path, &writer));
    int32_t status = write_all(vectors, settings.format, writer);
    if (status == RNNKIT_OK) return rki_writer_commit(writer);
    rki_writer_abandon(writer);
    return status;
}

int32_t rnnkit_vectors_save(const rnnkit_vectors *vectors, const char *path, const char *options)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, save(vectors, path, options));
}
