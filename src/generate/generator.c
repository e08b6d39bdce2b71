/* Generators: options, creating, destroying. See generator.h. */
#include "generate/generator.h"

enum { MOST_WINDOW = 1 << 20 };

static const rki_option rows[] = {
    {"temperature", RKI_OPTION_NUMBER, offsetof(rki_generator_settings, sampling.temperature), 0,
        100, "1", NULL, "0.1", "logits are divided by it; 0: the most likely token"},
    {"top_k", RKI_OPTION_INTEGER, offsetof(rki_generator_settings, sampling.top_k), 0, INT32_MAX,
        "0", NULL, "0.1", "draw from the k most likely tokens; 0: from all"},
    {"top_p", RKI_OPTION_NUMBER, offsetof(rki_generator_settings, sampling.top_p), 0, 1, "1", NULL,
        "0.1", "draw from the most likely tokens that have this probability together; 1: from all"},
    {"repetition_penalty", RKI_OPTION_NUMBER, offsetof(rki_generator_settings, sampling.penalty),
        0.01, 100, "1", NULL, "0.1",
        "logits of the last tokens are divided by it, or multiplied when negative; 1: off"},
    {"repetition_window", RKI_OPTION_INTEGER, offsetof(rki_generator_settings, window), 1,
        MOST_WINDOW, "64", NULL, "0.1", "how many of the last tokens the penalty looks at"},
    {"seed", RKI_OPTION_INTEGER, offsetof(rki_generator_settings, seed), -1, 0x1p53, "-1", NULL,
        "0.1", "seed of the draws; -1: the context's"},
    {"unknown", RKI_OPTION_FLAG, offsetof(rki_generator_settings, unknown), 0, 1, "0", NULL, "0.1",
        "1: <unk> may be drawn"},
    {"length", RKI_OPTION_INTEGER, offsetof(rki_generator_settings, length), 0, 0x1p53, "0", NULL,
        "0.1", "tokens to give; 0: no limit"},
};
const rki_option_table rki_generator_options = {"generator", rows, sizeof rows / sizeof *rows};

static void release(rnnkit_generator *generator)
{
    rnnkit_context *context = generator->context;
    const rki_memory *memory = &context->memory;
    rki_release(memory, generator->candidates);
    rki_recent_release(&generator->recent, memory);
    rki_pending_free(&generator->pending);
    rki_predictor_free(&generator->predictor);
    if (generator->vocab != NULL) rki_vocab_release(generator->vocab);
    rki_release(memory, generator);
    rki_context_release(context);
}

/* The vocabulary. */

/* What the longest token adds to the text, with a space in front. */
static int64_t longest_piece(const rnnkit_vocab *vocab)
{
    int64_t most = 0, length;
    for (int32_t id = 0; id < rki_vocab_ids(vocab); id++) {
        (void)rki_vocab_token(vocab, id, &length);
        if (length > most) most = length;
    }
    return most + 1;
}

static int32_t check_vocab(const rnnkit_generator *generator, const rnnkit_vocab *vocab)
{
    RKI_TRY(rki_check(vocab, RKI_KIND_VOCAB, "vocab"));
    RKI_TRY(rki_vocab_check_finished(vocab));
    int64_t ids = rki_vocab_ids(vocab), words = generator->predictor.words;
    if (ids != words)
        return rki_fail(RNNKIT_E_SHAPE, "vocab has %lld ids but outputs of \"%s\" is %lld",
            (long long)ids, generator->predictor.output->layer.name, (long long)words);
    if (ids <= RNNKIT_UNK + 1 && !generator->settings.unknown)
        return rki_fail(
            RNNKIT_E_SHAPE, "vocab has no token that may be drawn, only <pad> and <unk>");
    return RNNKIT_OK;
}

static int32_t set_vocab(rnnkit_generator *generator, rnnkit_vocab *vocab)
{
    if (vocab == NULL) return RNNKIT_OK;
    RKI_TRY(check_vocab(generator, vocab));
    rki_vocab_retain(vocab);
    generator->vocab = vocab;
    rki_joiner_init(&generator->joiner, vocab->tokenizer);
    return rki_pending_init(&generator->pending, &generator->context->memory, longest_piece(vocab));
}

/* Creating. */

static int32_t allocate_arrays(rnnkit_generator *generator)
{
    const rki_memory *memory = &generator->context->memory;
    const rki_generator_settings *settings = &generator->settings;
    int64_t words = generator->predictor.words;
    void *block;
    RKI_TRY(rki_allocate(memory, words, sizeof(rki_candidate), "candidates", &block));
    generator->candidates = block;
    int off = !(settings->sampling.penalty > 1 || settings->sampling.penalty < 1);
    return off ? RNNKIT_OK : rki_recent_init(&generator->recent, memory, settings->window, words);
}

static int32_t fill(rnnkit_generator *generator, const rnnkit_embedding *embedding,
    const rnnkit_rnn *rnn, const rnnkit_linear *output, rnnkit_vocab *vocab)
{
    int64_t seed = generator->settings.seed;
    if (seed < 0) seed = generator->context->seed;
    generator->random = (rki_random){.seed = (uint64_t)seed, .purpose = RKI_PURPOSE_SAMPLE};
    RKI_TRY(rki_predictor_init(&generator->predictor, embedding, rnn, output));
    RKI_TRY(set_vocab(generator, vocab));
    return allocate_arrays(generator);
}

static int32_t create(const rnnkit_embedding *embedding, const rnnkit_rnn *rnn,
    const rnnkit_linear *output, rnnkit_vocab *vocab, const char *options, rnnkit_generator **out)
{
    RKI_TRY(rki_check(rnn, RKI_KIND_RNN, "rnn"));
    RKI_TRY(rki_check(output, RKI_KIND_LINEAR, "output"));
    RKI_TRY(rki_check_pointer(out, "out"));
    rki_generator_settings settings;
    RKI_TRY(rki_options_parse(&rki_generator_options, options, &settings));
    rnnkit_context *context = embedding->handle.model->context;
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_generator), "a generator", &block));
    rnnkit_generator *generator = block;
    rki_object_init(&generator->object, RKI_KIND_GENERATOR);
    rki_context_retain(context);
    generator->context = context;
    generator->settings = settings;
    int32_t status = fill(generator, embedding, rnn, output, vocab);
    if (status < 0)
        release(generator);
    else
        *out = generator;
    return status;
}

int32_t rnnkit_generator_create(rnnkit_embedding *embedding, rnnkit_rnn *rnn, rnnkit_linear *output,
    rnnkit_vocab *vocab, const char *options, rnnkit_generator **out)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(embedding->handle.model->context, __func__,
        create(embedding, rnn, output, vocab, options, out));
}

void rnnkit_generator_destroy(rnnkit_generator *generator)
{
    if (generator == NULL || rki_check(generator, RKI_KIND_GENERATOR, "generator") < 0) return;
    if (rki_object_release(&generator->object)) release(generator);
}
