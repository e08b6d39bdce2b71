/* The state of training in a file, and the vectors for queries.
 *
 * Format: safetensors. Tensors "input" and "output", F32 [words, dimension]; "place", I64 [8] (run,
 * epoch, block, words, pairs, tokens, hash, whether the run is over); "loss", F64 [2] (of this
 * epoch in all, the mean of the one before); "vocabulary", U8, as rnnkit_vocab_save writes it.
 * Metadata: "format", "tokenizer" and "word2vec" (their options), "checksum".
 */
#include <math.h>
#include <string.h>

#include "io/safetensors.h"
#include "text/argument.h"
#include "word2vec/remote.h"
#include "word2vec/vectors.h"
#include "word2vec/word2vec.h"

#define STATE_FORMAT "rnnkit.word2vec"

enum { RUN, EPOCH, BLOCK, WORDS, PAIRS, TOKENS, HASH, OVER, PLACE_SIZE };

/* Writing. */

/* A word's row in the matrix; `rows` is NULL where rows lie in the order of the words. */
static int64_t place_of(const rnnkit_word2vec *word2vec, const int32_t *rows, int64_t word)
{
    return (rows == NULL ? word : rows[word]) * word2vec->stride;
}

static int32_t put_matrix(rki_st_writer *writer, const rnnkit_word2vec *word2vec,
    const int32_t *rows, const float *matrix)
{
    for (int64_t i = 0; i < word2vec->size; i++)
        RKI_TRY(rki_st_writer_put(
            writer, matrix + place_of(word2vec, rows, i), word2vec->settings.dimension));
    return RNNKIT_OK;
}

static int32_t declare(rki_st_writer *writer, const rnnkit_word2vec *word2vec,
    const char *tokenizer, const char *options, int64_t vocabulary)
{
    const int64_t place = PLACE_SIZE, losses = 2;
    const int64_t shape[2] = {word2vec->size, word2vec->settings.dimension};
    RKI_TRY(rki_st_writer_add_text(writer, "format", STATE_FORMAT));
    RKI_TRY(rki_st_writer_add_text(writer, "tokenizer", tokenizer));
    RKI_TRY(rki_st_writer_add_text(writer, "word2vec", options));
    RKI_TRY(rki_st_writer_add_checksum(writer, "checksum"));
    RKI_TRY(rki_st_writer_add_tensor(writer, "place", RKI_ST_I64, &place, 1));
    RKI_TRY(rki_st_writer_add_tensor(writer, "loss", RKI_ST_F64, &losses, 1));
    RKI_TRY(rki_st_writer_add_tensor(writer, "input", RKI_ST_F32, shape, 2));
    RKI_TRY(rki_st_writer_add_tensor(writer, "output", RKI_ST_F32, shape, 2));
    return rki_st_writer_add_tensor(writer, "vocabulary", RKI_ST_U8, &vocabulary, 1);
}

static int32_t put_all(rki_st_writer *writer, const rnnkit_word2vec *word2vec, const char *path,
    const char *vocabulary, int64_t size)
{
    const rki_w2v_place *at = &word2vec->place;
    int64_t place[PLACE_SIZE] = {at->run, at->epoch, at->block, at->words, at->pairs, at->tokens,
        (int64_t)at->hash, word2vec->phase == RKI_W2V_DONE};
    double loss[2] = {at->loss, at->last_loss};
    RKI_TRY(rki_st_writer_open(writer, path));
    RKI_TRY(rki_st_writer_put(writer, place, PLACE_SIZE));
    RKI_TRY(rki_st_writer_put(writer, loss, 2));
    RKI_TRY(put_matrix(writer, word2vec, NULL, word2vec->input));
    RKI_TRY(put_matrix(writer, word2vec, word2vec->rows, word2vec->output));
    RKI_TRY(rki_st_writer_put(writer, vocabulary, size));
    return rki_st_writer_commit(writer);
}

static int32_t write_file(const rnnkit_word2vec *word2vec, const char *path, const char *tokenizer,
    const char *options, const char *vocabulary, int64_t size)
{
    rki_st_writer *writer;
    RKI_TRY(rki_st_writer_create(rki_w2v_memory(word2vec), &writer));
    int32_t status = declare(writer, word2vec, tokenizer, options, size);
    if (status == RNNKIT_OK) status = put_all(writer, word2vec, path, vocabulary, size);
    rki_st_writer_destroy(writer);
    return status;
}

static int32_t save(const rnnkit_word2vec *word2vec, const char *path)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    char *tokenizer = NULL, *options = NULL, *vocabulary = NULL;
    int64_t size = 0;
    RKI_TRY(rki_check_pointer(path, "path"));
    if (word2vec->phase == RKI_W2V_LOST)
        return rki_fail(RNNKIT_E_ORDER, "training has diverged: there are no vectors any more");
    RKI_TRY(rki_w2v_remote_fetch(word2vec));
    int32_t status = rki_tokenizer_options(word2vec->vocab->tokenizer, memory, &tokenizer);
    if (status == RNNKIT_OK)
        status = rki_w2v_settings_course(&word2vec->settings, memory, &options);
    if (status == RNNKIT_OK)
        status = rki_vocab_write_text(word2vec->vocab, memory, &vocabulary, &size);
    if (status == RNNKIT_OK)
        status = write_file(word2vec, path, tokenizer, options, vocabulary, size);
    rki_release(memory, tokenizer);
    rki_release(memory, options);
    rki_release(memory, vocabulary);
    return status;
}

int32_t rnnkit_word2vec_save(rnnkit_word2vec *word2vec, const char *path)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, save(word2vec, path));
}

/* Reading. */

static int32_t bad(const char *path, const char *what)
{
    return rki_fail(RNNKIT_E_FORMAT, "%s: %s", rki_path_end(path), what);
}

/* What is needed of the file, found and of the right kind. */
typedef struct parts {
    const rki_st_entry *place, *loss, *input, *output, *vocabulary;
    const char *tokenizer, *options;
} parts;

static int32_t find_parts(const rki_st *st, const char *path, parts *out)
{
    const char *format = rki_st_metadata(st, "format");
    if (format == NULL || strcmp(format, STATE_FORMAT) != 0)
        return bad(path, "expected a state of word2vec: its \"format\" is not " STATE_FORMAT);
    if (rki_st_metadata(st, "checksum") == NULL) return bad(path, "the checksum is missing");
    RKI_TRY(rki_st_check(st, "checksum"));
    *out = (parts){rki_st_find(st, "place"), rki_st_find(st, "loss"), rki_st_find(st, "input"),
        rki_st_find(st, "output"), rki_st_find(st, "vocabulary"), rki_st_metadata(st, "tokenizer"),
        rki_st_metadata(st, "word2vec")};
    if (out->place == NULL || out->loss == NULL || out->input == NULL || out->output == NULL ||
        out->vocabulary == NULL || out->tokenizer == NULL || out->options == NULL)
        return bad(path, "expected tensors place, loss, input, output and vocabulary, and "
                         "metadata tokenizer and word2vec");
    if (out->place->count != PLACE_SIZE || out->loss->count != 2 ||
        out->vocabulary->dtype != RKI_ST_U8)
        return bad(path, "expected 8 numbers of \"place\", 2 of \"loss\", bytes of \"vocabulary\"");
    return RNNKIT_OK;
}

static int32_t read_matrix(const rnnkit_word2vec *word2vec, const rki_st_entry *entry,
    const char *path, const int32_t *rows, float *matrix)
{
    int64_t width = word2vec->settings.dimension;
    if (entry->rank != 2 || entry->dims[0] != word2vec->size || entry->dims[1] != width)
        return rki_fail(RNNKIT_E_FORMAT, "%s: a matrix does not have %lld rows of %lld values",
            rki_path_end(path), (long long)word2vec->size, (long long)width);
    for (int64_t i = 0; i < word2vec->size; i++) {
        rki_st_entry row = rki_st_entry_part(entry, i * width, width);
        float *values = matrix + place_of(word2vec, rows, i);
        RKI_TRY(rki_st_read_float32(&row, values));
        for (int64_t k = 0; k < width; k++)
            if (!isfinite(values[k])) return bad(path, "a value is not finite");
    }
    return RNNKIT_OK;
}

static int32_t read_place(rnnkit_word2vec *word2vec, const parts *from, const char *path)
{
    int64_t place[PLACE_SIZE];
    double loss[2];
    RKI_TRY(rki_st_read_int64(from->place, place));
    RKI_TRY(rki_st_read_float64(from->loss, loss));
    for (int i = 0; i < PLACE_SIZE; i++)
        if (place[i] < 0 && i != HASH) return bad(path, "a number of \"place\" is below 0");
    if (place[RUN] > UINT32_MAX) return bad(path, "the run's number is beyond 2^32");
    word2vec->place = (rki_w2v_place){place[RUN], place[EPOCH], place[BLOCK], place[WORDS],
        place[PAIRS], loss[0], loss[1], place[TOKENS], (uint64_t)place[HASH]};
    if (place[OVER]) {
        word2vec->phase = RKI_W2V_DONE;
        return RNNKIT_OK;
    }
    word2vec->resumed = place[TOKENS] > 0;
    if (place[EPOCH] >= word2vec->settings.epochs)
        return bad(path, "the run is beyond its last epoch");
    return RNNKIT_OK;
}

static int32_t fill(rnnkit_word2vec *word2vec, const parts *from, const char *path)
{
    RKI_TRY(read_place(word2vec, from, path));
    RKI_TRY(read_matrix(word2vec, from->input, path, NULL, word2vec->input));
    return read_matrix(word2vec, from->output, path, word2vec->rows, word2vec->output);
}

static int32_t read_settings(const rnnkit_context *context, const parts *from, const char *options,
    rki_w2v_settings *settings)
{
    RKI_TRY(rki_w2v_settings_read(context, from->options, settings));
    int64_t dimension = settings->dimension;
    RKI_TRY(rki_w2v_settings_change(context, options, settings));
    if (settings->dimension != dimension)
        return rki_fail(RNNKIT_E_OPTION, "option dimension=%lld cannot be changed from %lld",
            (long long)settings->dimension, (long long)dimension);
    return RNNKIT_OK;
}

/* Within a run, options that change its course would make it another one. */
static int32_t check_course(const rnnkit_word2vec *word2vec, const parts *from)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    rki_w2v_settings stored;
    char *before = NULL, *now = NULL;
    if (!word2vec->resumed) return RNNKIT_OK;
    RKI_TRY(rki_w2v_settings_read(rki_w2v_context(word2vec), from->options, &stored));
    int32_t status = rki_w2v_settings_course(&stored, memory, &before);
    if (status == RNNKIT_OK) status = rki_w2v_settings_course(&word2vec->settings, memory, &now);
    if (status == RNNKIT_OK && strcmp(before, now) != 0)
        status = rki_fail(RNNKIT_E_OPTION,
            "the file is of a run that is not over: only threads, memory and folder may be "
            "changed");
    rki_release(memory, before);
    rki_release(memory, now);
    return status;
}

static int32_t build(rnnkit_context *context, const char *path, const parts *from,
    const char *options, rnnkit_word2vec **out)
{
    rki_w2v_settings settings;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab = NULL;
    rnnkit_word2vec *word2vec = NULL;
    RKI_TRY(read_settings(context, from, options, &settings));
    RKI_TRY(rnnkit_tokenizer_create(context, from->tokenizer, &tokenizer));
    int32_t status = rki_vocab_read_text(
        tokenizer, (const char *)from->vocabulary->data, (int64_t)from->vocabulary->bytes, &vocab);
    if (status == RNNKIT_OK) status = rki_w2v_new(vocab, &settings, &word2vec);
    if (status == RNNKIT_OK) status = fill(word2vec, from, path);
    if (status == RNNKIT_OK) status = check_course(word2vec, from);
    if (status == RNNKIT_OK)
        *out = word2vec;
    else if (word2vec != NULL)
        rki_w2v_release(word2vec);
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    return status;
}

static int32_t open_state(
    rnnkit_context *context, const char *path, const char *options, rnnkit_word2vec **out)
{
    rki_st *st;
    parts from = {0};
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_st_open_file(&context->memory, path, &st));
    int32_t status = find_parts(st, path, &from);
    if (status == RNNKIT_OK) status = build(context, path, &from, options, out);
    rki_st_close(st);
    return status;
}

int32_t rnnkit_word2vec_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_word2vec **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, open_state(context, path, options, out));
}
