/* Splitting text into tokens. See splitter.h. */
#include "text/splitter.h"

#include <string.h>

#include "text/marks.h"

enum byte_class { IN_WORD, SPACE, MARK };

enum { SLICE = 4096, BYTE_ORDER_MARK = 0xFEFF };

/* Unicode's White_Space (PropList.txt; the set has not changed since version 6.3), and NUL. */
static int is_space(int32_t code)
{
    if (code < 128) return code == 0 || (code >= '\t' && code <= '\r') || code == ' ';
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

static void fill_tables(rki_splitter *splitter)
{
    int marks = splitter->settings.punctuation == RKI_PUNCTUATION_TOKENS;
    for (int c = 0; c < 128; c++) {
        splitter->classes[c] = is_space(c) ? SPACE : IN_WORD;
        if (marks && rki_mark_of_character(c) != NULL) splitter->classes[c] = MARK;
        splitter->lower[c] = (char)(splitter->settings.lowercase ? rki_lower(c) : c);
    }
}

int32_t rki_splitter_init(rki_splitter *splitter, const rnnkit_tokenizer *tokenizer, rki_sink sink)
{
    const rki_memory *memory = &tokenizer->context->memory;
    rki_tokenizer_settings settings = tokenizer->settings;
    rki_normalizer *normalizer = NULL;
    if (settings.unit != RKI_UNIT_BYTE && settings.normalize != RKI_FORM_NONE)
        RKI_TRY(rki_normalizer_create(
            memory, (rki_form)settings.normalize, settings.lowercase, &normalizer));
    *splitter = (rki_splitter){
        .settings = settings, .memory = memory, .sink = sink, .normalizer = normalizer};
    rki_utf8_init(&splitter->utf8, (rki_utf8_policy)settings.invalid);
    fill_tables(splitter);
    return RNNKIT_OK;
}

void rki_splitter_release(rki_splitter *splitter)
{
    if (splitter->memory == NULL) return;
    rki_normalizer_destroy(splitter->memory, splitter->normalizer);
    rki_release(splitter->memory, splitter->word);
    *splitter = (rki_splitter){0};
}

void rki_splitter_reset(rki_splitter *splitter)
{
    const int32_t *codes;
    int64_t count;
    splitter->used = 0;
    rki_utf8_init(&splitter->utf8, splitter->utf8.policy);
    if (splitter->normalizer != NULL && rki_normalizer_holds(splitter->normalizer))
        (void)rki_normalizer_take(splitter->normalizer, &codes, &count);
}

static int32_t give(const rki_splitter *splitter, const char *token, size_t size)
{
    return splitter->sink.take(splitter->sink.user, token, size);
}

/* Words. */

static int32_t make_room(rki_splitter *splitter, int64_t more)
{
    if (splitter->word != NULL && splitter->used + more <= splitter->capacity) return RNNKIT_OK;
    int64_t capacity = splitter->word == NULL ? 0 : splitter->capacity + 1;
    int64_t used = splitter->word == NULL ? 0 : splitter->used + 1;
    void *block = splitter->word;
    RKI_TRY(rki_grow(
        splitter->memory, &block, &capacity, used, splitter->used + more + 1, 1, "a word"));
    splitter->word = block;
    splitter->word[0] = '\\';
    splitter->capacity = capacity - 1;
    return RNNKIT_OK;
}

/* White space or a mark has come, or the end. */
static int32_t end_word(rki_splitter *splitter)
{
    size_t size = (size_t)splitter->used;
    if (size == 0) return RNNKIT_OK;
    splitter->used = 0;
    const char *word = splitter->word + 1;
    if (splitter->settings.punctuation == RKI_PUNCTUATION_TOKENS &&
        (*word == '|' || *word == '\\') && rki_mark_alike(word, size))
        return give(splitter, word - 1, size + 1);
    return give(splitter, word, size);
}

static int32_t end_word_with_mark(rki_splitter *splitter, int32_t code)
{
    RKI_TRY(end_word(splitter));
    const rki_mark *mark = rki_mark_of_character(code);
    return give(splitter, mark->token, mark->length);
}

static int32_t word_character(rki_splitter *splitter, int32_t code)
{
    if (code < 128 && splitter->classes[code] == MARK) return end_word_with_mark(splitter, code);
    if (is_space(code)) return end_word(splitter);
    RKI_TRY(make_room(splitter, RKI_UTF8_LONGEST));
    splitter->used += (int64_t)rki_utf8_encode(code, splitter->word + 1 + splitter->used);
    return RNNKIT_OK;
}

/* Takes the ASCII that stands at *cursor, up to SLICE bytes of a word at a time. */
static int32_t word_ascii(
    rki_splitter *splitter, const unsigned char **cursor, const unsigned char *end)
{
    const unsigned char *p = *cursor;
    while (p < end && *p < 128) {
        const unsigned char *stop = end - p > SLICE ? p + SLICE : end;
        RKI_TRY(make_room(splitter, SLICE));
        char *to = splitter->word + 1 + splitter->used;
        const unsigned char *start = p;
        while (p < stop && *p < 128 && splitter->classes[*p] == IN_WORD)
            *to++ = splitter->lower[*p++];
        splitter->used += p - start;
        if (p == stop || *p >= 128) continue;
        if (splitter->classes[*p] == SPACE)
            RKI_TRY(end_word(splitter));
        else
            RKI_TRY(end_word_with_mark(splitter, *p));
        p++;
    }
    *cursor = p;
    return RNNKIT_OK;
}

/* Characters. */

static int32_t give_character(rki_splitter *splitter, int32_t code)
{
    char bytes[RKI_UTF8_LONGEST];
    return give(splitter, bytes, rki_utf8_encode(code, bytes));
}

static int32_t char_ascii(
    rki_splitter *splitter, const unsigned char **cursor, const unsigned char *end)
{
    const unsigned char *p = *cursor;
    for (; p < end && *p < 128; p++)
        RKI_TRY(give(splitter, &splitter->lower[*p], 1));
    *cursor = p;
    return RNNKIT_OK;
}

/* Both. */

static int32_t split_character(rki_splitter *splitter, int32_t code)
{
    return splitter->settings.unit == RKI_UNIT_WORD ? word_character(splitter, code)
                                                    : give_character(splitter, code);
}

static int32_t split_run(rki_splitter *splitter)
{
    const int32_t *codes;
    int64_t count;
    if (splitter->normalizer == NULL || !rki_normalizer_holds(splitter->normalizer))
        return RNNKIT_OK;
    RKI_TRY(rki_normalizer_take(splitter->normalizer, &codes, &count));
    for (int64_t i = 0; i < count; i++)
        RKI_TRY(split_character(splitter, codes[i]));
    return RNNKIT_OK;
}

static int32_t take_character(rki_splitter *splitter, int32_t code)
{
    if (code == BYTE_ORDER_MARK) return RNNKIT_OK;
    if (splitter->normalizer == NULL)
        return split_character(splitter, splitter->settings.lowercase ? rki_lower(code) : code);
    if (rki_normalizer_full(splitter->normalizer, code)) RKI_TRY(split_run(splitter));
    rki_normalizer_add(splitter->normalizer, code);
    return RNNKIT_OK;
}

/* Takes the ASCII at *cursor; its last character is left when what follows may yet change it. */
static int32_t take_ascii(
    rki_splitter *splitter, const unsigned char **cursor, const unsigned char *end)
{
    const unsigned char *start = *cursor, *stop = start;
    RKI_TRY(split_run(splitter));
    if (splitter->normalizer != NULL) {
        while (stop < end && *stop < 128)
            stop++;
        stop--;
    } else {
        stop = end;
    }
    if (splitter->settings.unit == RKI_UNIT_WORD)
        RKI_TRY(word_ascii(splitter, cursor, stop));
    else
        RKI_TRY(char_ascii(splitter, cursor, stop));
    if (splitter->normalizer != NULL) rki_normalizer_add(splitter->normalizer, *(*cursor)++);
    splitter->utf8.offset += *cursor - start;
    return RNNKIT_OK;
}

static int32_t push_text(rki_splitter *splitter, const unsigned char *p, const unsigned char *end)
{
    while (p < end) {
        int32_t code;
        if (*p < 128 && splitter->utf8.wanted == 0) {
            RKI_TRY(take_ascii(splitter, &p, end));
            continue;
        }
        int32_t given = rki_utf8_take(&splitter->utf8, &p, end, &code);
        if (given > 0) given = take_character(splitter, code);
        RKI_TRY(given);
    }
    return RNNKIT_OK;
}

int32_t rki_splitter_push(rki_splitter *splitter, const char *text, size_t size)
{
    if (splitter->settings.unit != RKI_UNIT_BYTE) {
        const unsigned char *bytes = (const unsigned char *)text;
        return push_text(splitter, bytes, bytes + size);
    }
    for (size_t i = 0; i < size; i++)
        RKI_TRY(give(splitter, text + i, 1));
    return RNNKIT_OK;
}

int32_t rki_splitter_end(rki_splitter *splitter)
{
    int32_t code;
    int32_t given = rki_utf8_end(&splitter->utf8, &code);
    if (given > 0) given = take_character(splitter, code);
    RKI_TRY(given);
    RKI_TRY(split_run(splitter));
    return end_word(splitter);
}

int32_t rki_splitter_whole(rki_splitter *splitter, const char *text, size_t size)
{
    RKI_TRY(rki_splitter_push(splitter, text, size));
    return rki_splitter_end(splitter);
}

int rki_ends_with_space(const char *text, size_t size)
{
    const unsigned char *start = (const unsigned char *)text, *end = start + size, *last = end;
    rki_utf8 decoder;
    int32_t code;
    while (last > start && end - last < RKI_UTF8_LONGEST)
        if ((*--last & 0xC0) != 0x80) break;
    rki_utf8_init(&decoder, RKI_UTF8_REPLACE);
    return rki_utf8_take(&decoder, &last, end, &code) > 0 && is_space(code);
}
