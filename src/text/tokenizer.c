/* The tokenizer and its two public calls, splitting and joining; both run twice (sink.h). */
#include "text/tokenizer.h"

#include <string.h>

#include "text/argument.h"
#include "text/joiner.h"
#include "text/normalize.h"
#include "text/splitter.h"

static const rki_option rows[] = {
    {"unit", RKI_OPTION_CHOICE, offsetof(rki_tokenizer_settings, unit), 0, 0, "word",
        "word|char|byte", "0.1", "what a token is: a word, a code point, or a byte as it stands"},
    {"punctuation", RKI_OPTION_CHOICE, offsetof(rki_tokenizer_settings, punctuation), 0, 0,
        "tokens", "tokens|keep", "0.1",
        "unit=word: marks become tokens of their own, or stay parts of words"},
    {"lowercase", RKI_OPTION_FLAG, offsetof(rki_tokenizer_settings, lowercase), 0, 1, "0", NULL,
        "0.1", "1: all letters become lower-case"},
    {"normalize", RKI_OPTION_CHOICE, offsetof(rki_tokenizer_settings, normalize), 0, 0, "none",
        "none|nfc|nfkc", "0.1", "Unicode normal form of the text"},
    {"invalid", RKI_OPTION_CHOICE, offsetof(rki_tokenizer_settings, invalid), 0, 0, "strict",
        "strict|replace|skip", "0.1",
        "what bytes that are not UTF-8 do: fail, become U+FFFD, or are left out"},
};

const rki_option_table rki_tokenizer_options_table = {
    "tokenizer", rows, sizeof rows / sizeof *rows};

int32_t rki_tokenizer_options(
    const rnnkit_tokenizer *tokenizer, const rki_memory *memory, char **text)
{
    return rki_options_format(&rki_tokenizer_options_table, &tokenizer->settings, memory, text);
}

void rki_tokenizer_retain(rnnkit_tokenizer *tokenizer)
{
    rki_object_retain(&tokenizer->object);
}

void rki_tokenizer_release(rnnkit_tokenizer *tokenizer)
{
    if (!rki_object_release(&tokenizer->object)) return;
    rnnkit_context *context = tokenizer->context;
    rki_release(&context->memory, tokenizer);
    rki_context_release(context);
}

int32_t rki_tokenizer_new(rnnkit_context *context, const char *options, rnnkit_tokenizer **out)
{
    rki_tokenizer_settings settings;
    RKI_TRY(rki_options_parse(&rki_tokenizer_options_table, options, &settings));
    if (settings.unit == RKI_UNIT_BYTE && settings.lowercase)
        return rki_fail(RNNKIT_E_OPTION, "option lowercase=1 does not go with unit=byte, which "
                                         "takes bytes as they stand");
    if (settings.unit == RKI_UNIT_BYTE && settings.normalize != RKI_FORM_NONE)
        return rki_fail(RNNKIT_E_OPTION, "option normalize does not go with unit=byte, which "
                                         "takes bytes as they stand");
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_tokenizer), "a tokenizer", &block));
    rnnkit_tokenizer *tokenizer = block;
    rki_object_init(&tokenizer->object, RKI_KIND_TOKENIZER);
    tokenizer->context = context;
    tokenizer->settings = settings;
    rki_context_retain(context);
    *out = tokenizer;
    return RNNKIT_OK;
}

int32_t rnnkit_tokenizer_create(
    rnnkit_context *context, const char *options, rnnkit_tokenizer **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_check_pointer(out, "out");
    if (status >= 0) status = rki_tokenizer_new(context, options, out);
    return rki_leave(context, __func__, status);
}

void rnnkit_tokenizer_destroy(rnnkit_tokenizer *tokenizer)
{
    if (tokenizer == NULL || rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer") < 0) return;
    rki_tokenizer_release(tokenizer);
}

/* Tokens in a row, each followed by a NUL. */
typedef struct token_row {
    rki_result text;
    int64_t count;
} token_row;

static int32_t put_token(void *user, const char *bytes, size_t size)
{
    token_row *to = user;
    to->count++;
    RKI_TRY(rki_result_add(&to->text, bytes, size));
    return rki_result_add(&to->text, "", 1);
}

static int32_t split_to(rki_splitter *splitter, const char *text, size_t size, char *buffer,
    int64_t capacity, token_row *to)
{
    splitter->sink = (rki_sink){put_token, to};
    RKI_TRY(rki_splitter_whole(splitter, text, size));
    if (capacity < to->text.size) return RNNKIT_OK;
    token_row again = {.text.buffer = buffer};
    splitter->sink.user = &again;
    return rki_splitter_whole(splitter, text, size);
}

static int32_t split(const rnnkit_tokenizer *tokenizer, const char *text, int64_t length,
    char *buffer, int64_t capacity, int64_t *needed, int64_t *count)
{
    size_t size;
    RKI_TRY(rki_check_text(text, length, "text", &size));
    RKI_TRY(rki_check_room(buffer, capacity, "buffer"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    RKI_TRY(rki_check_pointer(count, "count"));
    rki_splitter splitter = {0};
    token_row measured = {0};
    RKI_TRY(rki_splitter_init(&splitter, tokenizer, (rki_sink){0}));
    int32_t status = split_to(&splitter, text, size, buffer, capacity, &measured);
    rki_splitter_release(&splitter);
    RKI_TRY(status);
    *needed = measured.text.size;
    *count = measured.count;
    return rki_check_capacity(capacity, measured.text.size, "bytes");
}

int32_t rnnkit_tokenizer_split(rnnkit_tokenizer *tokenizer, const char *text, int64_t length,
    char *buffer, int64_t capacity, int64_t *needed, int64_t *count)
{
    int32_t status = rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = split(tokenizer, text, length, buffer, capacity, needed, count);
    return rki_leave(tokenizer->context, __func__, status);
}

static int32_t join_to(
    const rnnkit_tokenizer *tokenizer, const char *tokens, int64_t count, rki_result *to)
{
    rki_joiner joiner;
    rki_joiner_init(&joiner, tokenizer);
    for (int64_t i = 0; i < count; i++) {
        size_t length = strlen(tokens);
        if (length == 0) {
            if (tokenizer->settings.unit == RKI_UNIT_WORD)
                return rki_fail(RNNKIT_E_ARGUMENT, "token %lld is empty", (long long)i);
            length = 1; /* the token NUL */
        }
        RKI_TRY(rki_joiner_add(&joiner, tokens, length, (rki_sink){rki_result_add, to}));
        tokens += length + 1;
    }
    return rki_result_add(to, "", 1);
}

static int32_t join(const rnnkit_tokenizer *tokenizer, const char *tokens, int64_t count,
    char *buffer, int64_t capacity, int64_t *needed)
{
    RKI_TRY(rki_check_pointer(tokens, "tokens"));
    if (count < 0) return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld, below 0", (long long)count);
    RKI_TRY(rki_check_room(buffer, capacity, "buffer"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    rki_result measured = {0};
    RKI_TRY(join_to(tokenizer, tokens, count, &measured));
    *needed = measured.size;
    RKI_TRY(rki_check_capacity(capacity, measured.size, "bytes"));
    return join_to(tokenizer, tokens, count, &(rki_result){.buffer = buffer});
}

int32_t rnnkit_tokenizer_join(rnnkit_tokenizer *tokenizer, const char *tokens, int64_t count,
    char *buffer, int64_t capacity, int64_t *needed)
{
    int32_t status = rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = join(tokenizer, tokens, count, buffer, capacity, needed);
    return rki_leave(tokenizer->context, __func__, status);
}
