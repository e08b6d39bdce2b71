/* Pairs of words and neighbours out of a token stream. See rnnkit/pairs.h.
 *
 * Tokens are read in pieces; those kept stand in `kept` with their places, `window` words behind the
 * next batch and as many ahead of it at least, until the stream ends. What is drawn depends on the
 * seed, the epoch and the token's place.
 */
#include "word2vec/pairs.h"

#include <string.h>

#include "base/object.h"
#include "base/random.h"
#include "text/tokens.h"
#include "word2vec/sample.h"

enum { PIECE = 1024 };

typedef struct pairs_settings {
    int64_t batch, window, seed;
    double sample;
    int32_t shrink, subsampling;
} pairs_settings;

#define AT(field) offsetof(pairs_settings, field)

static const rki_option rows[] = {
    {"batch", RKI_OPTION_INTEGER, AT(batch), 1, 1 << 24, "512", NULL, "0.1",
        "words whose pairs make a batch"},
    {"window", RKI_OPTION_INTEGER, AT(window), 1, 1000, "5", NULL, "0.1",
        "most words to each side that a word is paired with"},
    {"shrink", RKI_OPTION_FLAG, AT(shrink), 0, 1, "1", NULL, "0.1",
        "1: each word's window is drawn from 1 to window; 0: it is window"},
    {"sample", RKI_OPTION_NUMBER, AT(sample), 0, 1, "0", NULL, "0.1",
        "share of the text from which on a word is thinned out; 0: all words are kept"},
    {"subsampling", RKI_OPTION_CHOICE, AT(subsampling), 0, 0, "word2vec", "word2vec|paper", "0.1",
        "by word2vec.c's formula or the paper's"},
    {"seed", RKI_OPTION_INTEGER, AT(seed), -1, 0x1p53, "-1", NULL, "0.1",
        "of all random choices; -1: the context's"},
};

#undef AT

const rki_option_table rki_pairs_options = {"pairs", rows, sizeof rows / sizeof *rows};

typedef struct kept_word {
    int32_t id, reach;
} kept_word;

struct rnnkit_pairs {
    rki_object object;
    rnnkit_tokens *tokens;
    pairs_settings settings;
    int32_t *keep;             /* limits of the words (sample.h) */
    int64_t epoch, read;       /* tokens read in this epoch */
    int64_t room, count, next; /* of kept; the first word of the next batch */
    kept_word *kept;           /* [room] */
    int32_t *inputs, *targets; /* [batch * 2 * window] */
    int32_t *words;            /* [batch]: those of the batch in hand */
    int64_t words_count;
};

static rnnkit_context *context_of(const rnnkit_pairs *pairs)
{
    return pairs->tokens->vocab->tokenizer->context;
}

static void release(rnnkit_pairs *pairs)
{
    if (!rki_object_release(&pairs->object)) return;
    rnnkit_tokens *tokens = pairs->tokens;
    const rki_memory *memory = &context_of(pairs)->memory;
    rki_release(memory, pairs->keep);
    rki_release(memory, pairs->kept);
    rki_release(memory, pairs->inputs);
    rki_release(memory, pairs->targets);
    rki_release(memory, pairs->words);
    rki_release(memory, pairs);
    rki_tokens_release(tokens);
}

static int32_t allocate(rnnkit_pairs *pairs)
{
    const rki_memory *memory = &context_of(pairs)->memory;
    const pairs_settings *settings = &pairs->settings;
    int64_t most = settings->batch * 2 * settings->window;
    void *block;
    RKI_TRY(rki_w2v_keep_limits(pairs->tokens->vocab, settings->sample,
        (rki_w2v_formula)settings->subsampling, &pairs->keep));
    pairs->room = settings->batch + 2 * settings->window + PIECE;
    RKI_TRY(rki_allocate(memory, pairs->room, sizeof(kept_word), "words to pair", &block));
    pairs->kept = block;
    RKI_TRY(rki_allocate(memory, most, sizeof(int32_t), "pairs", &block));
    pairs->inputs = block;
    RKI_TRY(rki_allocate(memory, most, sizeof(int32_t), "pairs", &block));
    pairs->targets = block;
    RKI_TRY(rki_allocate(memory, settings->batch, sizeof(int32_t), "words", &block));
    pairs->words = block;
    return RNNKIT_OK;
}

static int32_t create(rnnkit_tokens *tokens, const char *options, rnnkit_pairs **out)
{
    rnnkit_context *context = tokens->vocab->tokenizer->context;
    pairs_settings settings;
    void *block;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_tokens_check_finished(tokens));
    RKI_TRY(rki_options_parse(&rki_pairs_options, options, &settings));
    if (settings.seed < 0) settings.seed = context->seed;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_pairs), "a pairs handle", &block));
    rnnkit_pairs *pairs = block;
    rki_object_init(&pairs->object, RKI_KIND_PAIRS);
    pairs->tokens = tokens;
    pairs->settings = settings;
    rki_tokens_retain(tokens);
    int32_t status = allocate(pairs);
    if (status < 0)
        release(pairs);
    else
        *out = pairs;
    return status;
}

int32_t rnnkit_pairs_create(rnnkit_tokens *tokens, const char *options, rnnkit_pairs **out)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(tokens->vocab->tokenizer->context, __func__, create(tokens, options, out));
}

void rnnkit_pairs_destroy(rnnkit_pairs *pairs)
{
    if (pairs == NULL || rki_check(pairs, RKI_KIND_PAIRS, "pairs") < 0) return;
    release(pairs);
}

/* Adds the token at a place, unless it is a special or thinned out. */
static void add_token(rnnkit_pairs *pairs, int64_t place, int32_t id)
{
    int32_t specials = rki_vocab_specials(pairs->tokens->vocab);
    rki_random random = {(uint64_t)pairs->settings.seed, RKI_PURPOSE_WORD2VEC, 1};
    uint32_t drawn[4];
    if (id < specials) return;
    rki_random_draw(random, (uint64_t)pairs->epoch, (uint64_t)place, drawn);
    if ((drawn[0] & ~1u) >= (uint32_t)pairs->keep[1 + id - specials]) return;
    int64_t reach = pairs->settings.window;
    if (pairs->settings.shrink)
        reach = 1 + (int64_t)((uint64_t)drawn[1] * (uint64_t)pairs->settings.window >> 32);
    pairs->kept[pairs->count++] = (kept_word){id, (int32_t)reach};
}

/* Reads on until the next batch and the words behind it are there. */
static int32_t fill(rnnkit_pairs *pairs)
{
    int64_t window = pairs->settings.window, all = pairs->tokens->ids.count;
    int64_t dropped = pairs->next - window;
    if (dropped > 0) {
        memmove(pairs->kept, pairs->kept + dropped,
            (size_t)(pairs->count - dropped) * sizeof *pairs->kept);
        pairs->count -= dropped;
        pairs->next -= dropped;
    }
    while (pairs->read < all && pairs->count < pairs->next + pairs->settings.batch + window) {
        int32_t ids[PIECE];
        int64_t count = all - pairs->read;
        if (count > pairs->room - pairs->count) count = pairs->room - pairs->count;
        if (count > PIECE) count = PIECE;
        RKI_TRY(rki_tokens_copy(pairs->tokens, pairs->read, ids, count));
        for (int64_t i = 0; i < count; i++)
            add_token(pairs, pairs->read + i, ids[i]);
        pairs->read += count;
    }
    return RNNKIT_OK;
}

static int32_t next(
    rnnkit_pairs *pairs, const int32_t **inputs, const int32_t **targets, int64_t *count)
{
    RKI_TRY(rki_check_pointer(inputs, "inputs"));
    RKI_TRY(rki_check_pointer(targets, "targets"));
    RKI_TRY(rki_check_pointer(count, "count"));
    RKI_TRY(fill(pairs));
    int64_t used = 0, first = pairs->next, last = first + pairs->settings.batch;
    if (last > pairs->count) last = pairs->count;
    pairs->words_count = last - first;
    if (first == last) return RNNKIT_DONE;
    for (int64_t i = first; i < last; i++) {
        pairs->words[i - first] = pairs->kept[i].id;
        int64_t reach = pairs->kept[i].reach;
        for (int64_t j = i > reach ? i - reach : 0; j <= i + reach && j < pairs->count; j++) {
            if (j == i) continue;
            pairs->inputs[used] = pairs->kept[i].id;
            pairs->targets[used++] = pairs->kept[j].id;
        }
    }
    pairs->next = last;
    *inputs = pairs->inputs;
    *targets = pairs->targets;
    *count = used;
    return RNNKIT_OK;
}

int32_t rnnkit_pairs_next(
    rnnkit_pairs *pairs, const int32_t **inputs, const int32_t **targets, int64_t *count)
{
    int32_t status = rki_check(pairs, RKI_KIND_PAIRS, "pairs");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(pairs), __func__, next(pairs, inputs, targets, count));
}

static int32_t words_of(const rnnkit_pairs *pairs, const int32_t **words, int64_t *count)
{
    RKI_TRY(rki_check_pointer(words, "words"));
    RKI_TRY(rki_check_pointer(count, "count"));
    *words = pairs->words;
    *count = pairs->words_count;
    return RNNKIT_OK;
}

int32_t rnnkit_pairs_words(const rnnkit_pairs *pairs, const int32_t **words, int64_t *count)
{
    int32_t status = rki_check(pairs, RKI_KIND_PAIRS, "pairs");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(pairs), __func__, words_of(pairs, words, count));
}

int32_t rnnkit_pairs_rewind(rnnkit_pairs *pairs)
{
    int32_t status = rki_check(pairs, RKI_KIND_PAIRS, "pairs");
    if (status < 0) return rki_leave(NULL, __func__, status);
    pairs->epoch++;
    pairs->read = pairs->count = pairs->next = pairs->words_count = 0;
    return RNNKIT_OK;
}
