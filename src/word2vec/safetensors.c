/* Vectors as safetensors. See format.h. */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "text/argument.h"
#include "word2vec/format.h"

/* Reading. */

typedef struct parts {
    const rki_st_entry *values, *counts, *ends, *words;
} parts;

static int32_t bad(const char *path, const char *what)
{
    return rki_fail(RNNKIT_E_FORMAT, "%s: %s", rki_path_end(path), what);
}

static int32_t find_parts(const rki_st *st, const char *path, parts *out)
{
    const char *format = rki_st_metadata(st, "format");
    if (format == NULL || strcmp(format, RKI_VECTORS_FORMAT) != 0)
        return bad(path, "expected a file of vectors: its \"format\" is not " RKI_VECTORS_FORMAT);
    *out = (parts){rki_st_find(st, "vectors"), rki_st_find(st, "counts"),
        rki_st_find(st, "word_ends"), rki_st_find(st, "words")};
    if (out->values == NULL || out->counts == NULL || out->ends == NULL || out->words == NULL)
        return bad(path, "expected tensors vectors, counts, word_ends and words");
    if (out->values->dtype != RKI_ST_F32 || out->values->rank != 2 || out->values->count < 1)
        return bad(path, "expected \"vectors\" of type F32 with two dimensions");
    if (out->values->dims[0] > INT32_MAX) return bad(path, "more words than 2^31 - 1");
    int64_t count = out->values->dims[0];
    if (out->ends->dtype != RKI_ST_I64 || out->ends->count != count ||
        out->counts->dtype != RKI_ST_I64 || out->counts->count != count)
        return bad(path, "expected \"word_ends\" and \"counts\" of type I64, one a word");
    if (out->words->dtype != RKI_ST_U8) return bad(path, "expected \"words\" of type U8");
    return RNNKIT_OK;
}

static int64_t integer_at(const rki_st_entry *entry, int64_t place)
{
    return (int64_t)rki_load64(entry->data + 8 * place);
}

static int32_t read_words(
    rnnkit_vectors *vectors, const parts *from, const char *path, int64_t count)
{
    int64_t start = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t end = integer_at(from->ends, i), counted = integer_at(from->counts, i);
        int32_t place;
        if (end <= start || end > (int64_t)from->words->bytes)
            return bad(path, "\"word_ends\" do not ascend within \"words\"");
        const char *word = (const char *)from->words->data + start;
        if (memchr(word, 0, (size_t)(end - start)) != NULL) return bad(path, "a word holds NUL");
        if (counted < 0) return bad(path, "a count is below 0");
        RKI_TRY(rki_wordmap_add(&vectors->words, word, (size_t)(end - start), &place));
        if (place != i) return bad(path, "a word is there twice");
        vectors->words.words[place].count = counted;
        start = end;
    }
    return RNNKIT_OK;
}

static int32_t check_finite(const rnnkit_vectors *vectors, const char *path)
{
    int64_t count = vectors->size * vectors->dimension;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(vectors->values[i])) return bad(path, "a value is not finite");
    return RNNKIT_OK;
}

/* Values in place want little-endian order and an aligned address. */
static int usable_in_place(const rki_st_entry *values)
{
    const uint32_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1 && (uintptr_t)values->data % sizeof(float) == 0;
}

static int32_t fill(
    rnnkit_vectors *vectors, const parts *from, const char *path, int64_t count, int in_place)
{
    RKI_TRY(read_words(vectors, from, path, count));
    if (in_place) {
        vectors->values = (const float *)(const void *)from->values->data;
    } else {
        rki_st_entry part = rki_st_entry_part(from->values, 0, count * vectors->dimension);
        RKI_TRY(rki_vectors_reserve(vectors, count));
        RKI_TRY(rki_st_read_float32(&part, vectors->owned));
    }
    vectors->size = count;
    return check_finite(vectors, path);
}

int32_t rki_vectors_read_safetensors(
    rnnkit_context *context, const char *path, int64_t limit, int map, rnnkit_vectors **out)
{
    rki_st *st;
    parts from = {0};
    rnnkit_vectors *vectors = NULL;
    RKI_TRY(rki_st_open_file(&context->memory, path, &st));
    int32_t status = find_parts(st, path, &from);
    if (status == RNNKIT_OK) status = rki_vectors_new(context, from.values->dims[1], &vectors);
    if (status == RNNKIT_OK) {
        int64_t count = from.values->dims[0] < limit ? from.values->dims[0] : limit;
        int in_place = map && usable_in_place(from.values);
        status = fill(vectors, &from, path, count, in_place);
        if (in_place) {
            vectors->file = st;
            st = NULL;
        }
    }
    rki_st_close(st);
    if (status == RNNKIT_OK)
        *out = vectors;
    else if (vectors != NULL)
        rki_vectors_release(vectors);
    return status;
}

/* Writing. */

static int32_t put_integers(rki_st_writer *writer, const rnnkit_vectors *vectors, int ends)
{
    int64_t end = 0;
    for (int32_t i = 0; i < vectors->size; i++) {
        end += vectors->words.words[i].length;
        RKI_TRY(rki_st_writer_put(writer, ends ? &end : &vectors->words.words[i].count, 1));
    }
    return RNNKIT_OK;
}

static int32_t write_parts(rki_st_writer *writer, const rnnkit_vectors *vectors, const char *path)
{
    int64_t shape[2] = {vectors->size, vectors->dimension}, bytes = 0;
    for (int32_t i = 0; i < vectors->size; i++)
        bytes += vectors->words.words[i].length;
    RKI_TRY(rki_st_writer_add_text(writer, "format", RKI_VECTORS_FORMAT));
    RKI_TRY(rki_st_writer_add_tensor(writer, "counts", RKI_ST_I64, shape, 1));
    RKI_TRY(rki_st_writer_add_tensor(writer, "word_ends", RKI_ST_I64, shape, 1));
    RKI_TRY(rki_st_writer_add_tensor(writer, "vectors", RKI_ST_F32, shape, 2));
    RKI_TRY(rki_st_writer_add_tensor(writer, "words", RKI_ST_U8, &bytes, 1));
    RKI_TRY(rki_st_writer_open(writer, path));
    RKI_TRY(put_integers(writer, vectors, 0));
    RKI_TRY(put_integers(writer, vectors, 1));
    RKI_TRY(rki_st_writer_put(writer, vectors->values, vectors->size * vectors->dimension));
    for (int32_t i = 0; i < vectors->size; i++)
        RKI_TRY(rki_st_writer_put(
            writer, rki_wordmap_bytes(&vectors->words, i), vectors->words.words[i].length));
    return rki_st_writer_commit(writer);
}

int32_t rki_vectors_write_safetensors(const rnnkit_vectors *vectors, const char *path)
{
    rki_st_writer *writer;
    RKI_TRY(rki_st_writer_create(&vectors->context->memory, &writer));
    int32_t status = write_parts(writer, vectors, path);
    rki_st_writer_destroy(writer);
    return status;
}
