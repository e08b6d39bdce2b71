/* Vocabularies as text, in a file or in memory.
 *
 * Format: a line `word count` for each id in order, word and count parted by one space, count in
 * decimal digits, lines ended by line feed (a carriage return before it is taken as part of the
 * line's end, and the last line feed may be missing): what word2vec.c writes with -save-vocab. The
 * first two words are <pad> and <unk>; <bos> and <eos> follow when there are boundaries. The order
 * of the other words is not checked, so that a vocabulary from elsewhere keeps its ids.
 *
 * A byte of a word that would spoil the line stands as \xHH (two lower-case hexadecimal digits):
 * control characters and space; in unit byte those from 0x7f on as well, so that the whole is
 * UTF-8; a backslash that is followed by x and two such digits, as \x5c; and the first byte of an
 * ordinary word that has the name of a special (<bos> without boundaries). All else, other
 * backslashes included, stands for itself, so an ordinary line of word2vec's needs no change.
 *
 * Source: github.com/tmikolov/word2vec, word2vec.c, SaveVocab and ReadVocab.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/give.h"
#include "base/numbers.h"
#include "text/argument.h"
#include "text/characters.h"
#include "text/vocab.h"

/* A text that grows. */
typedef struct growing {
    const rki_memory *memory;
    char *bytes;
    int64_t capacity, used;
} growing;

static int32_t append(growing *text, const char *bytes, size_t size)
{
    void *block = text->bytes;
    RKI_TRY(rki_grow(text->memory, &block, &text->capacity, text->used, text->used + (int64_t)size,
        1, "a vocabulary as text"));
    text->bytes = block;
    memcpy(text->bytes + text->used, bytes, size);
    text->used += (int64_t)size;
    return RNNKIT_OK;
}

/* Writing. */

/* The value of a hexadecimal digit in lower case, or -1. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Whether an escape stands at the start of the text. */
static int is_escape(const char *text, int64_t size)
{
    return size >= 4 && text[0] == '\\' && text[1] == 'x' && digit_value(text[2]) >= 0 &&
           digit_value(text[3]) >= 0;
}

static int names_special(const char *word, int64_t length)
{
    for (int32_t id = 0; id < 4; id++) {
        const char *name = rki_special_name(id);
        if ((size_t)length == strlen(name) && memcmp(word, name, (size_t)length) == 0) return 1;
    }
    return 0;
}

static int32_t write_word(
    growing *text, const char *word, int64_t length, int single_bytes, int ordinary)
{
    for (int64_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)word[i];
        int spoils = byte <= ' ' || byte == 0x7F || (byte > 0x7F && single_bytes);
        if (i == 0 && ordinary && names_special(word, length)) spoils = 1;
        if (spoils || is_escape(word + i, length - i)) {
            char escape[5];
            snprintf(escape, sizeof escape, "\\x%02x", byte);
            RKI_TRY(append(text, escape, 4));
        } else {
            RKI_TRY(append(text, word + i, 1));
        }
    }
    return RNNKIT_OK;
}

static int32_t write_lines(const rnnkit_vocab *vocab, growing *text)
{
    int single_bytes = vocab->tokenizer->settings.unit == RKI_UNIT_BYTE;
    for (int32_t id = 0; id < rki_vocab_ids(vocab); id++) {
        int64_t length;
        const char *word = rki_vocab_token(vocab, id, &length);
        RKI_TRY(write_word(text, word, length, single_bytes, id >= rki_vocab_specials(vocab)));
        char rest[RKI_NUMBER_SIZE];
        int size = snprintf(rest, sizeof rest, " %lld\n", (long long)vocab->words.words[id].count);
        RKI_TRY(append(text, rest, (size_t)size));
    }
    return RNNKIT_OK;
}

int32_t rki_vocab_write_text(
    const rnnkit_vocab *vocab, const rki_memory *memory, char **text, int64_t *size)
{
    growing written = {.memory = memory};
    int32_t status = write_lines(vocab, &written);
    if (status == RNNKIT_OK) status = append(&written, "", 1);
    if (status < 0) {
        rki_release(memory, written.bytes);
        return status;
    }
    *text = written.bytes;
    *size = written.used - 1;
    return RNNKIT_OK;
}

static int32_t save(const rnnkit_vocab *vocab, const char *path)
{
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_check_pointer(path, "path"));
    const rki_memory *memory = &vocab->tokenizer->context->memory;
    char *text;
    int64_t size;
    rki_writer *writer;
    RKI_TRY(rki_vocab_write_text(vocab, memory, &text, &size));
    int32_t status = rki_writer_open(memory, path, &writer);
    if (status == RNNKIT_OK) {
        status = rki_writer_write(writer, text, (size_t)size);
        if (status == RNNKIT_OK)
            status = rki_writer_commit(writer);
        else
            rki_writer_abandon(writer);
    }
    rki_release(memory, text);
    return status;
}

int32_t rnnkit_vocab_save(const rnnkit_vocab *vocab, const char *path)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, save(vocab, path));
}

static int32_t give_text(const rnnkit_vocab *vocab, char *buffer, int64_t capacity, int64_t *needed)
{
    RKI_TRY(rki_vocab_check_finished(vocab));
    const rki_memory *memory = &vocab->tokenizer->context->memory;
    char *text;
    int64_t size;
    RKI_TRY(rki_vocab_write_text(vocab, memory, &text, &size));
    int32_t status = rki_give_text(text, buffer, capacity, needed);
    rki_release(memory, text);
    return status;
}

int32_t rnnkit_vocab_text(
    const rnnkit_vocab *vocab, char *buffer, int64_t capacity, int64_t *needed)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(
        vocab->tokenizer->context, __func__, give_text(vocab, buffer, capacity, needed));
}

/* Reading. */

typedef struct reader {
    const char *cursor, *end;
    int64_t line;  /* number of the present one */
    growing word;  /* of the present line, escapes resolved */
    int64_t count; /* of the present line */
    int bare;      /* the word is written without any escape */
} reader;

static int32_t bad_line(const reader *from, const char *what, const char *found, int64_t length)
{
    char shown[RKI_UTF8_SHOWN];
    return rki_fail(RNNKIT_E_FORMAT, "line %lld: %s, found '%s'", (long long)from->line, what,
        rki_utf8_show(found, (size_t)length, shown));
}

static int32_t read_word(reader *from, const char *word, int64_t length)
{
    from->word.used = 0;
    from->bare = 1;
    for (int64_t i = 0; i < length; i++) {
        char byte = word[i];
        if (is_escape(word + i, length - i)) {
            byte = (char)(digit_value(word[i + 2]) << 4 | digit_value(word[i + 3]));
            i += 3;
            from->bare = 0;
        }
        RKI_TRY(append(&from->word, &byte, 1));
    }
    return RNNKIT_OK;
}

static int32_t read_line(reader *from)
{
    const char *line = from->cursor;
    const char *feed = memchr(line, '\n', (size_t)(from->end - line));
    const char *stop = feed == NULL ? from->end : feed;
    from->cursor = feed == NULL ? from->end : feed + 1;
    from->line++;
    if (stop > line && stop[-1] == '\r') stop--;
    const char *space = memchr(line, ' ', (size_t)(stop - line));
    if (space == NULL || space == line)
        return bad_line(from, "expected `word count`", line, stop - line);
    const char *digits = space + 1;
    for (const char *p = digits; p < stop; p++)
        if (*p < '0' || *p > '9')
            return bad_line(from, "expected a count in digits", digits, stop - digits);
    if (!rki_parse_integer(digits, (size_t)(stop - digits), &from->count))
        return bad_line(from, "expected a count below 2^63", digits, stop - digits);
    return read_word(from, line, space - line);
}

/* What a tokenizer of this unit can never give is a damaged file, or one of another unit. */
static int32_t check_word(const reader *from, int32_t unit)
{
    const char *word = from->word.bytes;
    int64_t length = from->word.used;
    if (unit == RKI_UNIT_BYTE)
        return length == 1 ? RNNKIT_OK : bad_line(from, "expected one byte", word, length);
    int64_t characters = rki_utf8_count(word, (size_t)length);
    if (characters < 0) return bad_line(from, "expected a word in UTF-8", word, length);
    if (unit == RKI_UNIT_CHAR && characters != 1)
        return bad_line(from, "expected one character", word, length);
    if (unit == RKI_UNIT_WORD && memchr(word, 0, (size_t)length) != NULL)
        return bad_line(from, "expected a word without NUL", word, length);
    return RNNKIT_OK;
}

static int is_special(const reader *from, int32_t id)
{
    const char *name = rki_special_name(id);
    return from->bare && (size_t)from->word.used == strlen(name) &&
           memcmp(from->word.bytes, name, strlen(name)) == 0;
}

static int32_t set_count(rnnkit_vocab *vocab, const reader *from, int32_t id)
{
    vocab->words.words[id].count = from->count;
    if (__builtin_add_overflow(vocab->tokens, from->count, &vocab->tokens))
        return rki_fail(
            RNNKIT_E_FORMAT, "line %lld: the counts exceed 2^63 in all", (long long)from->line);
    return RNNKIT_OK;
}

static int32_t read_special(reader *from, rnnkit_vocab *vocab, int32_t id)
{
    char what[32];
    snprintf(what, sizeof what, "expected the special %s", rki_special_name(id));
    if (from->cursor == from->end)
        return rki_fail(
            RNNKIT_E_FORMAT, "line %lld: %s, found the end", (long long)from->line + 1, what);
    RKI_TRY(read_line(from));
    if (!is_special(from, id)) return bad_line(from, what, from->word.bytes, from->word.used);
    return set_count(vocab, from, id);
}

static int32_t read_ordinary(const reader *from, rnnkit_vocab *vocab)
{
    const char *word = from->word.bytes;
    size_t length = (size_t)from->word.used;
    int32_t id, before = vocab->words.size;
    if (from->bare && (is_special(from, RKI_BOS) || is_special(from, RKI_EOS)))
        return bad_line(
            from, "<bos> and <eos> may stand in lines 3 and 4 only", word, from->word.used);
    RKI_TRY(check_word(from, vocab->tokenizer->settings.unit));
    RKI_TRY(rki_wordmap_add(&vocab->words, word, length, &id));
    if (id < before)
        return bad_line(from, "expected a word that did not occur before", word, from->word.used);
    return set_count(vocab, from, id);
}

static int32_t check_bytes(const rnnkit_vocab *vocab)
{
    if (vocab->tokenizer->settings.unit != RKI_UNIT_BYTE) return RNNKIT_OK;
    if (rki_vocab_ids(vocab) - rki_vocab_specials(vocab) == 256) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_FORMAT, "a vocabulary of unit=byte has all 256 bytes, found %d",
        (int)(rki_vocab_ids(vocab) - rki_vocab_specials(vocab)));
}

/* Whether the third line is that of <bos>. */
static int has_boundaries(const char *text, int64_t size)
{
    for (int line = 0; line < 2; line++) {
        const char *feed = memchr(text, '\n', (size_t)size);
        if (feed == NULL) return 0;
        size -= feed + 1 - text;
        text = feed + 1;
    }
    return size >= 6 && memcmp(text, "<bos> ", 6) == 0;
}

static int32_t read_lines(reader *from, rnnkit_vocab *vocab)
{
    for (int32_t id = 0; id < rki_vocab_specials(vocab); id++)
        RKI_TRY(read_special(from, vocab, id));
    while (from->cursor < from->end) {
        RKI_TRY(read_line(from));
        RKI_TRY(read_ordinary(from, vocab));
    }
    return check_bytes(vocab);
}

int32_t rki_vocab_read_text(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t size, rnnkit_vocab **out)
{
    const rki_memory *memory = &tokenizer->context->memory;
    rki_vocab_settings settings;
    RKI_TRY(rki_options_parse(&rki_vocab_options_table, NULL, &settings));
    settings.boundaries = size > 0 && has_boundaries(text, size);
    rnnkit_vocab *vocab;
    RKI_TRY(rki_vocab_new(tokenizer, settings, &vocab));
    reader from = {.cursor = text, .end = text + size, .word = {.memory = memory}};
    int32_t status = read_lines(&from, vocab);
    rki_release(memory, from.word.bytes);
    if (status < 0)
        rki_vocab_release(vocab);
    else
        *out = vocab;
    return status;
}

static int32_t take_piece(void *user, const char *piece, size_t size)
{
    return append(user, piece, size);
}

static int32_t open_file(rnnkit_tokenizer *tokenizer, const char *path, rnnkit_vocab **out)
{
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_pointer(out, "out"));
    growing text = {.memory = &tokenizer->context->memory};
    int32_t status = rki_read_pieces(path, take_piece, &text);
    if (status == RNNKIT_OK) {
        status = rki_vocab_read_text(tokenizer, text.used == 0 ? "" : text.bytes, text.used, out);
        if (status == RNNKIT_E_FORMAT) rki_prefix_message("%s", rki_path_end(path));
    }
    rki_release(text.memory, text.bytes);
    return status;
}

int32_t rnnkit_vocab_open(rnnkit_tokenizer *tokenizer, const char *path, rnnkit_vocab **out)
{
    int32_t status = rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(tokenizer->context, __func__, open_file(tokenizer, path, out));
}

static int32_t open_text(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t length, rnnkit_vocab **out)
{
    size_t size;
    RKI_TRY(rki_check_text(text, length, "text", &size));
    RKI_TRY(rki_check_pointer(out, "out"));
    return rki_vocab_read_text(tokenizer, text, (int64_t)size, out);
}

int32_t rnnkit_vocab_open_text(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t length, rnnkit_vocab **out)
{
    int32_t status = rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(tokenizer->context, __func__, open_text(tokenizer, text, length, out));
}
