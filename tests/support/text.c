/* Short ways to the text calls. See text.h. */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void text_ok(int32_t status)
{
    if (status != RNNKIT_OK) fail_msg("%s: %s", rnnkit_status_name(status), rnnkit_error_message());
}

void text_fails(int32_t status, int32_t expected, const char *part)
{
    if (status != expected)
        fail_msg("expected %s, got %s", rnnkit_status_name(expected), rnnkit_status_name(status));
    if (strstr(rnnkit_error_message(), part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), part);
}

rnnkit_context *text_context;

int text_open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", NULL, &text_context));
    return 0;
}

int text_close_context(void **state)
{
    (void)state;
    rnnkit_context_destroy(text_context);
    return 0;
}

const char *const text_kinds[TEXT_KINDS] = {NULL, "lowercase=1", "punctuation=keep",
    "normalize=nfc", "lowercase=1 normalize=nfkc", "punctuation=keep normalize=nfkc", "unit=char",
    "unit=char lowercase=1", "unit=char normalize=nfc", "unit=char normalize=nfkc lowercase=1",
    "unit=byte"};

rnnkit_tokenizer *text_tokenizer(rnnkit_context *context, const char *options)
{
    rnnkit_tokenizer *tokenizer = NULL;
    text_ok(rnnkit_tokenizer_create(context, options, &tokenizer));
    return tokenizer;
}

rnnkit_tokenizer *text_tokenizer_with(
    rnnkit_context *context, const char *kind, const char *options)
{
    char both[128];
    snprintf(both, sizeof both, "%s %s", kind == NULL ? "" : kind, options);
    return text_tokenizer(context, both);
}

static void *block(int64_t size)
{
    void *bytes = malloc((size_t)size + 1);
    if (bytes == NULL) fail_msg("no memory");
    return bytes;
}

token_row text_split(rnnkit_tokenizer *tokenizer, const char *text, int64_t length)
{
    token_row row = {NULL, 0, 0};
    int32_t status =
        rnnkit_tokenizer_split(tokenizer, text, length, NULL, 0, &row.size, &row.count);
    if (status != RNNKIT_E_TOO_SMALL) text_ok(status);
    row.bytes = block(row.size);
    text_ok(rnnkit_tokenizer_split(
        tokenizer, text, length, row.bytes, row.size, &row.size, &row.count));
    return row;
}

char *text_join(rnnkit_tokenizer *tokenizer, const token_row *row, int64_t *length)
{
    int64_t needed = 0;
    int32_t status = rnnkit_tokenizer_join(tokenizer, row->bytes, row->count, NULL, 0, &needed);
    text_fails(status, RNNKIT_E_TOO_SMALL, "bytes");
    char *text = block(needed);
    text_ok(rnnkit_tokenizer_join(tokenizer, row->bytes, row->count, text, needed, &needed));
    if (length != NULL) *length = needed - 1;
    return text;
}

char *text_spaced(rnnkit_tokenizer *tokenizer, const char *text)
{
    token_row row = text_split(tokenizer, text, -1);
    for (int64_t i = 0; i < row.size - 1; i++)
        if (row.bytes[i] == '\0') row.bytes[i] = ' ';
    if (row.size == 0) row.bytes[0] = '\0';
    return row.bytes;
}

rnnkit_vocab *text_vocab(rnnkit_tokenizer *tokenizer, const char *options, const char *text)
{
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(tokenizer, options, &vocab));
    text_ok(rnnkit_vocab_push(vocab, text, -1));
    text_ok(rnnkit_vocab_finish(vocab));
    return vocab;
}

rnnkit_tokens *text_tokens(rnnkit_vocab *vocab, const char *options, const char *text)
{
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, options, &tokens));
    text_ok(rnnkit_tokens_push(tokens, text, -1));
    text_ok(rnnkit_tokens_finish(tokens));
    return tokens;
}

/* splitmix64 (Steele et al., 2014) */
uint64_t text_draw(uint64_t *state, uint64_t below)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

void text_random(uint64_t *state, int broken, char *out, size_t size)
{
    static const char *const parts[] = {"a", "the", "Kramer", " ", "  ", "\n", "\r\n", ".", ",",
        "\"", ";", "!", "?", "(", ")", "-", "--", ":", "'", "|", "||", "\\", "||period||",
        "\\||dash||", "||x_y||", "\xC3\xA9", "e\xCC\x81", "\xCC\x81", "\xCC\xB1", "H", "\xC2\xA0",
        "\xE3\x80\x80", "\xE1\x84\x80", "\xE1\x85\xA1", "\xE1\x86\xA8", "\xE6\xBC\xA2",
        "\xEF\xAC\x81", "\xEF\xB7\xBA", "\xF0\x9F\x98\x80", "\xEF\xBB\xBF", "\xE2\x80\xA8",
        "\xC4\xB0", "\xC2\xA8", "\xE2\x80\xA6", "<unk>", "\xF0\x91\x82\x9A"};
    static const char *const bad[] = {"\xFF", "\x80", "\xC3", "\xE2\x82", "\xF0\x9F",
        "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80"};
    size_t used = 0;
    while (used < size) {
        const char *part = parts[text_draw(state, sizeof parts / sizeof *parts)];
        if (broken && text_draw(state, 5) == 0)
            part = bad[text_draw(state, sizeof bad / sizeof *bad)];
        size_t length = strlen(part);
        if (length > size - used) {
            part = "................";
            length = size - used < 16 ? size - used : 16;
        }
        memcpy(out + used, part, length);
        used += length;
        if (used < size && text_draw(state, 40) == 0) out[used++] = '\0';
    }
}
