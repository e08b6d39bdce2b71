/* Noise words for models of one's own. See rnnkit/pairs.h. */
#include "base/random.h"
#include "word2vec/noise.h"
#include "word2vec/pairs.h"

typedef struct noise_settings {
    double power;
    int64_t seed;
} noise_settings;

static const rki_option rows[] = {
    {"power", RKI_OPTION_NUMBER, offsetof(noise_settings, power), -10, 10, "0.75", NULL, "0.1",
        "words are drawn in proportion to count^power"},
    {"seed", RKI_OPTION_INTEGER, offsetof(noise_settings, seed), -1, 0x1p53, "-1", NULL, "0.1",
        "of the draws; -1: the context's"},
};

const rki_option_table rki_noise_options = {"noise", rows, sizeof rows / sizeof *rows};

struct rnnkit_noise {
    rki_object object;
    rnnkit_vocab *vocab;
    rki_w2v_noise table;
    int64_t seed;
    uint64_t drawn;
};

static int32_t create(rnnkit_vocab *vocab, const char *options, rnnkit_noise **out)
{
    const rnnkit_context *context = vocab->tokenizer->context;
    noise_settings settings;
    void *block;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_options_parse(&rki_noise_options, options, &settings));
    if (rki_vocab_ids(vocab) == rki_vocab_specials(vocab))
        return rki_fail(RNNKIT_E_ARGUMENT, "the vocabulary has no word besides its specials");
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_noise), "a noise table", &block));
    rnnkit_noise *noise = block;
    int32_t status = rki_w2v_noise_init(&noise->table, vocab, settings.power);
    if (status < 0) {
        rki_release(&context->memory, noise);
        return status;
    }
    rki_object_init(&noise->object, RKI_KIND_NOISE);
    rki_vocab_retain(vocab);
    noise->vocab = vocab;
    noise->seed = settings.seed < 0 ? context->seed : settings.seed;
    *out = noise;
    return RNNKIT_OK;
}

int32_t rnnkit_noise_create(rnnkit_vocab *vocab, const char *options, rnnkit_noise **out)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, create(vocab, options, out));
}

void rnnkit_noise_destroy(rnnkit_noise *noise)
{
    if (noise == NULL || rki_check(noise, RKI_KIND_NOISE, "noise") < 0) return;
    if (!rki_object_release(&noise->object)) return;
    rnnkit_vocab *vocab = noise->vocab;
    const rki_memory *memory = vocab->words.memory;
    rki_w2v_noise_release(&noise->table, memory);
    rki_release(memory, noise);
    rki_vocab_release(vocab);
}

static int32_t draw(rnnkit_noise *noise, int64_t count, int32_t *ids)
{
    rki_random random = {(uint64_t)noise->seed, RKI_PURPOSE_WORD2VEC, 2};
    int32_t specials = rki_vocab_specials(noise->vocab);
    RKI_TRY(rki_check_pointer(ids, "ids"));
    if (count < 0) return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld, below 0", (long long)count);
    for (int64_t i = 0; i < count; i++) {
        uint32_t words[4];
        rki_random_draw(random, 0, noise->drawn++, words);
        int32_t column = (int32_t)((uint64_t)words[0] * (uint64_t)noise->table.size >> 32);
        int own = words[1] < (uint32_t)noise->table.limits[column];
        ids[i] = specials + (own ? column : noise->table.aliases[column]);
    }
    return RNNKIT_OK;
}

int32_t rnnkit_noise_draw(rnnkit_noise *noise, int64_t count, int32_t *ids)
{
    int32_t status = rki_check(noise, RKI_KIND_NOISE, "noise");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(noise->vocab->tokenizer->context, __func__, draw(noise, count, ids));
}
