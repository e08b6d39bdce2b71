/* Vectors for queries, out of training. */
#include <math.h>
#include <string.h>

#include "word2vec/remote.h"
#include "word2vec/vectors.h"
#include "word2vec/word2vec.h"

typedef struct export_settings {
    int32_t output;
} export_settings;

static const rki_option rows[] = {
    {"matrix", RKI_OPTION_CHOICE, offsetof(export_settings, output), 0, 0, "input", "input|output",
        "0.1", "the words' vectors, or those that words are predicted with"},
};

const rki_option_table rki_w2v_vectors_options = {
    "word2vec_vectors", rows, sizeof rows / sizeof *rows};

static int32_t fill(const rnnkit_word2vec *word2vec, const float *matrix, rnnkit_vectors *vectors)
{
    int32_t specials = rki_vocab_specials(word2vec->vocab);
    RKI_TRY(rki_vectors_reserve(vectors, word2vec->size));
    for (int32_t i = 0; i < word2vec->size; i++) {
        int64_t length;
        const char *word = rki_vocab_token(word2vec->vocab, specials + i, &length);
        const float *from = matrix + i * word2vec->stride;
        float *row;
        RKI_TRY(rki_vectors_add(vectors, word, (size_t)length, &row));
        for (int64_t k = 0; k < vectors->dimension; k++)
            if (!isfinite(from[k]))
                return rki_fail(RNNKIT_E_DIVERGED, "a vector is not finite: lower lr");
        memcpy(row, from, (size_t)vectors->dimension * sizeof *row);
        vectors->words.words[i].count = word2vec->vocab->words.words[specials + i].count;
    }
    return RNNKIT_OK;
}

static int32_t make(const rnnkit_word2vec *word2vec, const char *options, rnnkit_vectors **out)
{
    export_settings settings;
    rnnkit_vectors *vectors;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_options_parse(&rki_w2v_vectors_options, options, &settings));
    RKI_TRY(rki_w2v_remote_fetch(word2vec));
    RKI_TRY(rki_vectors_new(rki_w2v_context(word2vec), word2vec->settings.dimension, &vectors));
    int32_t status = fill(word2vec, settings.output ? word2vec->output : word2vec->input, vectors);
    if (status < 0)
        rki_vectors_release(vectors);
    else
        *out = vectors;
    return status;
}

int32_t rnnkit_word2vec_vectors(
    const rnnkit_word2vec *word2vec, const char *options, rnnkit_vectors **out)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, make(word2vec, options, out));
}
