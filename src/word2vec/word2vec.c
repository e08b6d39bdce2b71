/* The word2vec object's life, and the calls that push text and train. See word2vec.h. */
#include "word2vec/word2vec.h"

#include <math.h>

#include "base/random.h"
#include "cpu/parallel.h"
#include "text/argument.h"
#include "word2vec/local.h"
#include "word2vec/rows.h"
#include "word2vec/sample.h"
#include "word2vec/team.h"

/* Life. */

void rki_w2v_release(rnnkit_word2vec *word2vec)
{
    if (!rki_object_release(&word2vec->object)) return;
    rnnkit_vocab *vocab = word2vec->vocab;
    const rki_memory *memory = rki_w2v_memory(word2vec);
    rki_w2v_team_destroy(word2vec);
    rki_w2v_encoder_release(&word2vec->encoder);
    rki_idstore_release(&word2vec->text);
    rki_w2v_noise_release(&word2vec->noise, memory);
    rki_release(memory, word2vec->keep);
    rki_release(memory, word2vec->input);
    rki_release(memory, word2vec->output);
    rki_release(memory, word2vec->rows);
    rki_release(memory, word2vec);
    rki_vocab_release(vocab);
}

/* With `copies` rows behind it. */
static int32_t allocate_matrix(
    const rnnkit_word2vec *word2vec, int64_t copies, const char *what, float **out)
{
    int64_t rows = word2vec->size + copies, count;
    void *block;
    if (rows > INT32_MAX) return rki_fail(RNNKIT_E_SHAPE, "more than 2^31 rows of %s", what);
    RKI_TRY(rki_multiply(rows, word2vec->stride, &count));
    RKI_TRY(rki_allocate(rki_w2v_memory(word2vec), count, sizeof(float), what, &block));
    *out = block;
    return RNNKIT_OK;
}

static int32_t allocate(rnnkit_word2vec *word2vec)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    int64_t inputs = 0, outputs = 0;
    RKI_TRY(rki_w2v_keep_limits(word2vec->vocab, settings->sample,
        (rki_w2v_formula)settings->subsampling, &word2vec->keep));
    if (settings->deterministic) rki_w2v_local_rows(word2vec, &inputs, &outputs);
    RKI_TRY(allocate_matrix(word2vec, inputs, "the words' vectors", &word2vec->input));
    RKI_TRY(allocate_matrix(word2vec, outputs, "the output vectors", &word2vec->output));
    RKI_TRY(rki_w2v_rows_init(word2vec, &word2vec->rows));
    RKI_TRY(rki_w2v_noise_init(&word2vec->noise, word2vec->vocab, settings->power));
    return rki_w2v_encoder_init(&word2vec->encoder, word2vec->vocab, settings->threads,
        settings->sentence == RKI_W2V_SENTENCE_LINE, &word2vec->text);
}

int32_t rki_w2v_new(rnnkit_vocab *vocab, const rki_w2v_settings *settings, rnnkit_word2vec **out)
{
    const rki_memory *memory = &vocab->tokenizer->context->memory;
    int64_t size = rki_vocab_ids(vocab) - rki_vocab_specials(vocab);
    void *block;
    if (size < 1)
        return rki_fail(RNNKIT_E_ARGUMENT, "the vocabulary has no word besides its specials");
    RKI_TRY(rki_allocate(memory, 1, sizeof(rnnkit_word2vec), "a word2vec handle", &block));
    rnnkit_word2vec *word2vec = block;
    rki_object_init(&word2vec->object, RKI_KIND_WORD2VEC);
    rki_vocab_retain(vocab);
    word2vec->vocab = vocab;
    word2vec->settings = *settings;
    word2vec->kernels = rki_w2v_kernels_of(rki_isa_chosen(vocab->tokenizer->context->isa));
    word2vec->size = size;
    word2vec->stride = (settings->dimension + RKI_W2V_ALIGN - 1) / RKI_W2V_ALIGN * RKI_W2V_ALIGN;
    word2vec->place.last_loss = NAN;
    rki_idstore_init(&word2vec->text, memory, settings->memory, word2vec->settings.folder);
    int32_t status = allocate(word2vec);
    if (status < 0)
        rki_w2v_release(word2vec);
    else
        *out = word2vec;
    return status;
}

/* Uniform in [-0.5, 0.5) / dimension, as in word2vec.c; output rows start at 0. */
static void draw_rows(void *user, int64_t begin, int64_t end)
{
    rnnkit_word2vec *word2vec = user;
    const rki_w2v_settings *settings = &word2vec->settings;
    rki_random random = {(uint64_t)settings->seed, RKI_PURPOSE_INITIAL, 0};
    for (int64_t i = begin; i < end; i++) {
        float *row = word2vec->input + i * word2vec->stride;
        for (int64_t k = 0; k < settings->dimension; k += 4) {
            uint32_t words[4];
            rki_random_draw(random, (uint64_t)k / 4, (uint64_t)i, words);
            for (int64_t j = k; j < settings->dimension && j < k + 4; j++)
                row[j] =
                    ((float)(words[j - k] >> 8) * 0x1p-24f - 0.5f) / (float)settings->dimension;
        }
    }
}

static int32_t create(rnnkit_vocab *vocab, const char *options, rnnkit_word2vec **out)
{
    rki_w2v_settings settings;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_w2v_settings_read(vocab->tokenizer->context, options, &settings));
    RKI_TRY(rki_w2v_new(vocab, &settings, out));
    rki_parallel_blocks(settings.threads, (*out)->size, 256, draw_rows, *out);
    return RNNKIT_OK;
}

int32_t rnnkit_word2vec_create(rnnkit_vocab *vocab, const char *options, rnnkit_word2vec **out)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, create(vocab, options, out));
}

void rnnkit_word2vec_destroy(rnnkit_word2vec *word2vec)
{
    if (word2vec == NULL || rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec") < 0) return;
    rki_w2v_release(word2vec);
}

/* Text. */

/* The text of another run takes the place of that of the last one. */
static int32_t accept_text(rnnkit_word2vec *word2vec)
{
    switch (word2vec->phase) {
    case RKI_W2V_RUN:
        return rki_fail(RNNKIT_E_ORDER,
            "training has begun: text may be pushed before the first step or after the last");
    case RKI_W2V_BROKEN:
        return rki_fail(RNNKIT_E_ORDER, "text that was pushed failed half-way: it takes no more");
    case RKI_W2V_LOST:
        return rki_fail(RNNKIT_E_ORDER, "training has diverged: there are no vectors any more");
    case RKI_W2V_DONE:
        rki_idstore_release(&word2vec->text);
        word2vec->encoder.last = -1;
        word2vec->encoder.words = 0;
        word2vec->place =
            (rki_w2v_place){.run = word2vec->place.run + 1, .last_loss = word2vec->place.last_loss};
        word2vec->phase = RKI_W2V_TEXT;
        break;
    case RKI_W2V_TEXT: break;
    }
    return RNNKIT_OK;
}

static int32_t broken_by(rnnkit_word2vec *word2vec, int32_t status)
{
    if (status < 0) word2vec->phase = RKI_W2V_BROKEN;
    return status;
}

static int32_t push(rnnkit_word2vec *word2vec, const char *text, int64_t length)
{
    size_t size;
    RKI_TRY(rki_check_text(text, length, "text", &size));
    RKI_TRY(accept_text(word2vec));
    return broken_by(word2vec, rki_w2v_encoder_text(&word2vec->encoder, text, size));
}

int32_t rnnkit_word2vec_push(rnnkit_word2vec *word2vec, const char *text, int64_t length)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, push(word2vec, text, length));
}

static int32_t push_file(rnnkit_word2vec *word2vec, const char *path)
{
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(accept_text(word2vec));
    int begun;
    int32_t status = rki_w2v_encoder_file(&word2vec->encoder, path, &begun);
    return begun ? broken_by(word2vec, status) : status;
}

int32_t rnnkit_word2vec_push_file(rnnkit_word2vec *word2vec, const char *path)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, push_file(word2vec, path));
}

/* What there is. */

static int32_t size(const rnnkit_word2vec *word2vec, int64_t *words, int64_t *dimension)
{
    RKI_TRY(rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec"));
    if (words != NULL) *words = word2vec->size;
    if (dimension != NULL) *dimension = word2vec->settings.dimension;
    return RNNKIT_OK;
}

int32_t rnnkit_word2vec_size(const rnnkit_word2vec *word2vec, int64_t *words, int64_t *dimension)
{
    return rki_leave(NULL, __func__, size(word2vec, words, dimension));
}

static int32_t vocab(const rnnkit_word2vec *word2vec, rnnkit_vocab **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    rki_vocab_retain(word2vec->vocab);
    *out = word2vec->vocab;
    return RNNKIT_OK;
}

int32_t rnnkit_word2vec_vocab(const rnnkit_word2vec *word2vec, rnnkit_vocab **out)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, vocab(word2vec, out));
}
