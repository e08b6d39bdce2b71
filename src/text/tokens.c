/* Token streams. See tokens.h. */
#include "text/tokens.h"

#include <string.h>

#include "text/argument.h"

static const rki_option rows[] = {
    {"memory", RKI_OPTION_INTEGER, offsetof(rki_tokens_settings, memory), 0, 1 << 24, "1024", NULL,
        "0.1", "MiB of ids (4 bytes each) held in memory; what is beyond goes to a file"},
    {"folder", RKI_OPTION_TEXT, offsetof(rki_tokens_settings, folder), 0, 0, "", NULL, "0.1",
        "where that file is made; empty: TMPDIR, else /tmp"},
};

const rki_option_table rki_tokens_options_table = {"tokens", rows, sizeof rows / sizeof *rows};

/* Life. */

static const rki_memory *memory_of(const rnnkit_tokens *tokens)
{
    return &tokens->vocab->tokenizer->context->memory;
}

void rki_tokens_retain(rnnkit_tokens *tokens)
{
    rki_object_retain(&tokens->object);
}

void rki_tokens_release(rnnkit_tokens *tokens)
{
    if (!rki_object_release(&tokens->object)) return;
    rnnkit_vocab *vocab = tokens->vocab;
    const rki_memory *memory = memory_of(tokens);
    rki_feed_close(&tokens->feed);
    rki_idstore_release(&tokens->ids);
    rki_release(memory, tokens);
    rki_vocab_release(vocab);
}

/* Appending. */

static int32_t add_id(rnnkit_tokens *tokens, int32_t id)
{
    RKI_TRY(rki_idstore_add(&tokens->ids, &id, 1));
    tokens->unknown += id == RNNKIT_UNK;
    return RNNKIT_OK;
}

static int32_t add_token(void *user, const char *token, size_t length)
{
    rnnkit_tokens *tokens = user;
    return add_id(tokens, rki_vocab_id(tokens->vocab, token, length));
}

static int32_t create(rnnkit_vocab *vocab, const char *options, rnnkit_tokens **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_vocab_check_finished(vocab));
    rki_tokens_settings settings;
    RKI_TRY(rki_options_parse(&rki_tokens_options_table, options, &settings));
    void *block;
    RKI_TRY(rki_allocate(
        &vocab->tokenizer->context->memory, 1, sizeof(rnnkit_tokens), "a token stream", &block));
    rnnkit_tokens *tokens = block;
    rki_object_init(&tokens->object, RKI_KIND_TOKENS);
    tokens->vocab = vocab;
    tokens->settings = settings;
    rki_vocab_retain(vocab);
    rki_idstore_init(&tokens->ids, memory_of(tokens), settings.memory, tokens->settings.folder);
    int32_t status = rki_feed_open(&tokens->feed, vocab->tokenizer, (rki_sink){add_token, tokens});
    if (status < 0)
        rki_tokens_release(tokens);
    else
        *out = tokens;
    return status;
}

int32_t rnnkit_tokens_create(rnnkit_vocab *vocab, const char *options, rnnkit_tokens **out)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, create(vocab, options, out));
}

void rnnkit_tokens_destroy(rnnkit_tokens *tokens)
{
    if (tokens == NULL || rki_check(tokens, RKI_KIND_TOKENS, "tokens") < 0) return;
    rki_tokens_release(tokens);
}

static rnnkit_context *context_of(const rnnkit_tokens *tokens)
{
    return tokens->vocab->tokenizer->context;
}

static int32_t push(rnnkit_tokens *tokens, const char *text, int64_t length)
{
    size_t size;
    RKI_TRY(rki_feed_check(&tokens->feed, "token stream"));
    RKI_TRY(rki_check_text(text, length, "text", &size));
    return rki_feed_text(&tokens->feed, text, size);
}

int32_t rnnkit_tokens_push(rnnkit_tokens *tokens, const char *text, int64_t length)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, push(tokens, text, length));
}

static int32_t push_file(rnnkit_tokens *tokens, const char *path)
{
    RKI_TRY(rki_feed_check(&tokens->feed, "token stream"));
    RKI_TRY(rki_check_pointer(path, "path"));
    return rki_feed_file(&tokens->feed, path);
}

int32_t rnnkit_tokens_push_file(rnnkit_tokens *tokens, const char *path)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, push_file(tokens, path));
}

static int32_t push_ids(rnnkit_tokens *tokens, const int32_t *ids, int64_t count)
{
    RKI_TRY(rki_feed_check(&tokens->feed, "token stream"));
    RKI_TRY(rki_check_pointer(ids, "ids"));
    if (count < 0) return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld, below 0", (long long)count);
    int32_t size = rki_vocab_ids(tokens->vocab);
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= size)
            return rki_fail(RNNKIT_E_ARGUMENT, "ids[%lld] is %d, the vocabulary has ids 0 to %d",
                (long long)i, (int)ids[i], (int)size - 1);
    RKI_TRY(rki_feed_flush(&tokens->feed));
    for (int64_t i = 0; i < count; i++) {
        int32_t status = add_id(tokens, ids[i]);
        if (status < 0) tokens->feed.state = RKI_FEED_BROKEN;
        RKI_TRY(status);
    }
    return RNNKIT_OK;
}

int32_t rnnkit_tokens_push_ids(rnnkit_tokens *tokens, const int32_t *ids, int64_t count)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, push_ids(tokens, ids, count));
}

static int32_t finish(rnnkit_tokens *tokens)
{
    RKI_TRY(rki_feed_check(&tokens->feed, "token stream"));
    RKI_TRY(rki_feed_flush(&tokens->feed));
    int32_t status = rki_idstore_finish(&tokens->ids);
    if (status < 0) tokens->feed.state = RKI_FEED_BROKEN;
    RKI_TRY(status);
    rki_feed_close(&tokens->feed);
    return RNNKIT_OK;
}

int32_t rnnkit_tokens_finish(rnnkit_tokens *tokens)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, finish(tokens));
}

/* Reading. */

int32_t rki_tokens_check_finished(const rnnkit_tokens *tokens)
{
    if (tokens->feed.state == RKI_FEED_CLOSED) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER, "the token stream is not finished");
}

int32_t rki_tokens_copy(const rnnkit_tokens *tokens, int64_t first, int32_t *ids, int64_t count)
{
    return rki_idstore_copy(&tokens->ids, first, ids, count);
}

static int32_t size(const rnnkit_tokens *tokens, int64_t *count, int64_t *unknown)
{
    RKI_TRY(rki_tokens_check_finished(tokens));
    if (count != NULL) *count = tokens->ids.count;
    if (unknown != NULL) *unknown = tokens->unknown;
    return RNNKIT_OK;
}

int32_t rnnkit_tokens_size(const rnnkit_tokens *tokens, int64_t *count, int64_t *unknown)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, size(tokens, count, unknown));
}

static int32_t read_ids(const rnnkit_tokens *tokens, int64_t first, int32_t *ids, int64_t count)
{
    RKI_TRY(rki_tokens_check_finished(tokens));
    RKI_TRY(rki_check_pointer(ids, "ids"));
    if (first < 0 || count < 0 || first > tokens->ids.count || count > tokens->ids.count - first)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "first is %lld and count %lld, the stream has %lld tokens", (long long)first,
            (long long)count, (long long)tokens->ids.count);
    return rki_tokens_copy(tokens, first, ids, count);
}

int32_t rnnkit_tokens_read(const rnnkit_tokens *tokens, int64_t first, int32_t *ids, int64_t count)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(tokens), __func__, read_ids(tokens, first, ids, count));
}
