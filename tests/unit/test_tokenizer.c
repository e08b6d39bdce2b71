/* Tokenizers: what is split where, and that text cut anywhere gives the same tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/text.h"
#include "text/characters.h"
#include "text/joiner.h"
#include "text/splitter.h"

static void expect_split(const char *options, const char *text, const char *expected)
{
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, options);
    char *spaced = text_spaced(tokenizer, text);
    assert_string_equal(spaced, expected);
    free(spaced);
    rnnkit_tokenizer_destroy(tokenizer);
}

/* What is split where. */

static void marks_become_tokens(void **state)
{
    (void)state;
    expect_split("lowercase=1", "Jerry: Hello, World!\n",
        "jerry: hello ||comma|| world ||exclamation_mark|| ||return||");
    expect_split(NULL, ".,\";!?()-\n",
        "||period|| ||comma|| ||quotation_mark|| ||semicolon|| ||exclamation_mark|| "
        "||question_mark|| ||left_parenthesis|| ||right_parenthesis|| ||dash|| ||return||");
    expect_split(NULL, "a--b", "a ||dash|| ||dash|| b");
    expect_split(NULL, "it's a:b/c", "it's a:b/c");
    expect_split(NULL, "a\r\nb", "a ||return|| b");
    expect_split("punctuation=keep", "Yes, sir.\nNo--", "Yes, sir. No--");
}

static void white_space_parts_words(void **state)
{
    (void)state;
    expect_split(NULL, "  a\tb\vc\fd\re  ", "a b c d e");
    expect_split(NULL,
        "a\xC2\x85"
        "b\xC2\xA0"
        "c\xE1\x9A\x80"
        "d\xE2\x80\x80"
        "e\xE2\x80\x8A"
        "f",
        "a b c d e f");
    expect_split(NULL,
        "a\xE2\x80\xA8"
        "b\xE2\x80\xA9"
        "c\xE2\x80\xAF"
        "d\xE2\x81\x9F"
        "e\xE3\x80\x80"
        "f",
        "a b c d e f");
    /* Zero width space and Mongolian vowel separator are no white space. */
    expect_split(NULL,
        "a\xE2\x80\x8B"
        "b\xE1\xA0\x8E"
        "c",
        "a\xE2\x80\x8B"
        "b\xE1\xA0\x8E"
        "c");
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    token_row row = text_split(tokenizer, "a\0b", 3);
    assert_int_equal(row.count, 2);
    assert_memory_equal(row.bytes, "a\0b", 4);
    free(row.bytes);
    rnnkit_tokenizer_destroy(tokenizer);
}

static void byte_order_marks_are_left_out(void **state)
{
    (void)state;
    expect_split(NULL,
        "\xEF\xBB\xBF"
        "a b\xEF\xBB\xBF"
        "c",
        "a bc");
    expect_split("unit=char",
        "\xEF\xBB\xBF"
        "a",
        "a");
    expect_split("unit=byte", "\xEF\xBB\xBF", "\xEF \xBB \xBF");
}

static void words_that_look_like_marks_are_kept_apart(void **state)
{
    (void)state;
    expect_split(NULL, "||period|| \\||period|| ||no_such_mark|| || |||| ||x|| ||X|| ||a b||",
        "\\||period|| \\\\||period|| \\||no_such_mark|| || |||| \\||x|| ||X|| ||a b||");
    expect_split("lowercase=1", "||PERIOD||", "\\||period||");
    expect_split("punctuation=keep", "||period||", "||period||");
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    token_row row = text_split(tokenizer, "||dash|| \\||dash|| \\x", -1);
    char *text = text_join(tokenizer, &row, NULL);
    assert_string_equal(text, "||dash|| \\||dash|| \\x");
    free(text);
    free(row.bytes);
    rnnkit_tokenizer_destroy(tokenizer);
}

static void characters_and_bytes(void **state)
{
    (void)state;
    expect_split("unit=char", "a \xC3\xA9\n", "a   \xC3\xA9 \n");
    expect_split("unit=byte", "\xC3\xA9", "\xC3 \xA9");
    expect_split("unit=char lowercase=1", "\xC3\x89X", "\xC3\xA9 x");
}

static void lower_case_and_normal_forms(void **state)
{
    (void)state;
    expect_split("lowercase=1", "\xC3\x89T\xC3\x89 \xCE\xA3", "\xC3\xA9t\xC3\xA9 \xCF\x83");
    expect_split(NULL, "e\xCC\x81", "e\xCC\x81");
    expect_split("normalize=nfc", "e\xCC\x81 xe\xCC\x81y", "\xC3\xA9 x\xC3\xA9y");
    expect_split("normalize=nfc", "\xEF\xAC\x81", "\xEF\xAC\x81");
    expect_split("normalize=nfkc", "\xEF\xAC\x81 \xEF\xBC\x8E \xE2\x80\xA6",
        "fi ||period|| ||period|| ||period|| ||period||");
    /* Hangul: three letters make one syllable. */
    expect_split("normalize=nfc", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C");
    /* Marks below and above are put in order before they are composed. */
    expect_split("normalize=nfc", "e\xCC\x81\xCC\xA3", "\xE1\xBA\xB9\xCC\x81");
    /* Only the lower-case letter has a composition with a line below. */
    expect_split("normalize=nfc lowercase=1", "H\xCC\xB1", "\xE1\xBA\x96");
    expect_split("normalize=nfkc lowercase=1", "\xE2\x84\x8C", "h");
}

/* Bad UTF-8. */

static void expect_encoding_error(const char *text, int64_t length, const char *place)
{
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, "invalid=strict");
    char buffer[8] = "before";
    int64_t needed = 7, count = 7;
    int32_t status = rnnkit_tokenizer_split(tokenizer, text, length, buffer, 8, &needed, &count);
    text_fails(status, RNNKIT_E_ENCODING, place);
    text_fails(status, RNNKIT_E_ENCODING, "rnnkit_tokenizer_split: ");
    assert_string_equal(buffer, "before");
    assert_int_equal(needed, 7);
    assert_int_equal(count, 7);
    rnnkit_tokenizer_destroy(tokenizer);
}

static void strict_names_the_place(void **state)
{
    (void)state;
    expect_encoding_error("ab \xFF", -1, "0xFF begins no character, at byte 3");
    expect_encoding_error("\xC3\xA9\xC3(", -1, "a broken character begins at byte 2");
    expect_encoding_error(
        "ab\xE2\x82", -1, "the text ends within the character that begins at byte 2");
    expect_encoding_error("a\x80", -1, "at byte 1");
    expect_encoding_error("\xC0\xAF", -1, "at byte 0");         /* overlong */
    expect_encoding_error("\xED\xA0\x80", -1, "at byte 0");     /* a surrogate */
    expect_encoding_error("\xF4\x90\x80\x80", -1, "at byte 0"); /* beyond U+10FFFF */
    expect_encoding_error("\xF5", -1, "at byte 0");
}

static void replace_gives_one_character_for_each_part(void **state)
{
    (void)state;
    /* The Unicode Standard's own example, table 3-8. */
    const char *text = "a\xF1\x80\x80\xE1\x80\xC2"
                       "b\x80"
                       "c\x80\xBF"
                       "d";
    expect_split("invalid=replace", text,
        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c\xEF\xBF\xBD\xEF\xBF\xBD"
        "d");
    expect_split("invalid=skip", text, "abcd");
    expect_split("invalid=replace", "a \xE2\x82", "a \xEF\xBF\xBD");
    expect_split("invalid=skip", "a \xE2\x82", "a");
    expect_split("invalid=replace normalize=nfc", "e\xFF\xCC\x81", "e\xEF\xBF\xBD\xCC\x81");
    expect_split("invalid=skip normalize=nfc", "e\xFF\xCC\x81", "\xC3\xA9");
}

/* Cutting. */

typedef struct collected {
    char bytes[8192];
    size_t size;
} collected;

static int32_t collect(void *user, const char *bytes, size_t size)
{
    collected *to = user;
    if (to->size + size + 1 > sizeof to->bytes) return RNNKIT_E_TOO_SMALL;
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    to->bytes[to->size++] = '\x1F';
    return RNNKIT_OK;
}

/* The tokens of a text that is pushed in three pieces, or (first > last) byte by byte. */
static void split_in_pieces(
    rki_splitter *splitter, const char *text, size_t size, size_t first, size_t last, collected *to)
{
    to->size = 0;
    splitter->sink = (rki_sink){collect, to};
    if (first > last) {
        for (size_t i = 0; i < size; i++)
            text_ok(rki_splitter_push(splitter, text + i, 1));
    } else {
        text_ok(rki_splitter_push(splitter, text, first));
        text_ok(rki_splitter_push(splitter, text + first, last - first));
        text_ok(rki_splitter_push(splitter, text + last, size - last));
    }
    text_ok(rki_splitter_end(splitter));
}

static void expect_no_difference(rki_splitter *splitter, const char *text, size_t size)
{
    static collected whole, pieces;
    split_in_pieces(splitter, text, size, 0, 0, &whole);
    for (size_t first = 0; first <= size; first++)
        for (size_t last = first; last <= size; last += 3) {
            split_in_pieces(splitter, text, size, first, last, &pieces);
            assert_int_equal(pieces.size, whole.size);
            assert_memory_equal(pieces.bytes, whole.bytes, whole.size);
        }
    split_in_pieces(splitter, text, size, 1, 0, &pieces);
    assert_int_equal(pieces.size, whole.size);
    assert_memory_equal(pieces.bytes, whole.bytes, whole.size);
}

static void cutting_makes_no_difference(void **state)
{
    char text[60];
    uint64_t random = 3;
    (void)state;
    for (int i = 0; i < TEXT_KINDS; i++)
        for (int policy = 0; policy < 2; policy++) {
            rki_splitter splitter = {0};
            rnnkit_tokenizer *tokenizer = text_tokenizer_with(
                text_context, text_kinds[i], policy ? "invalid=skip" : "invalid=replace");
            text_ok(rki_splitter_init(&splitter, tokenizer, (rki_sink){0}));
            for (int round = 0; round < 12; round++) {
                text_random(&random, 1, text, sizeof text);
                expect_no_difference(&splitter, text, sizeof text);
            }
            rki_splitter_release(&splitter);
            rnnkit_tokenizer_destroy(tokenizer);
        }
}

static void a_reset_forgets(void **state)
{
    static collected to;
    (void)state;
    rki_splitter splitter = {0};
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, "normalize=nfc");
    text_ok(rki_splitter_init(&splitter, tokenizer, (rki_sink){collect, &to}));
    text_ok(rki_splitter_push(&splitter, "forgotten \xC3\xA9\xE2\x82", 14));
    to.size = 0;
    rki_splitter_reset(&splitter);
    text_ok(rki_splitter_push(&splitter, "kept", 4));
    text_ok(rki_splitter_end(&splitter));
    assert_int_equal(to.size, 5);
    assert_memory_equal(to.bytes, "kept\x1F", 5);
    rki_splitter_release(&splitter);
    rnnkit_tokenizer_destroy(tokenizer);
}

/* Sizes. */

static void long_words(void **state)
{
    enum { LONG = 10 * 1000 * 1000 };
    (void)state;
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'w', LONG);
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    token_row row = text_split(tokenizer, text, LONG);
    assert_int_equal(row.count, 1);
    assert_int_equal(row.size, LONG + 1);
    assert_memory_equal(row.bytes, text, LONG);
    free(row.bytes);
    rnnkit_tokenizer_destroy(tokenizer);
    free(text);
}

static void empty_text_has_no_tokens(void **state)
{
    (void)state;
    for (int i = 0; i < TEXT_KINDS; i++) {
        rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, text_kinds[i]);
        int64_t needed = 7, count = 7;
        char joined[1] = "x";
        text_ok(rnnkit_tokenizer_split(tokenizer, "", 0, NULL, 0, &needed, &count));
        assert_int_equal(needed, 0);
        assert_int_equal(count, 0);
        text_ok(rnnkit_tokenizer_join(tokenizer, "", 0, joined, 1, &needed));
        assert_int_equal(needed, 1);
        assert_string_equal(joined, "");
        rnnkit_tokenizer_destroy(tokenizer);
    }
}

static void nul_is_a_character_and_a_byte(void **state)
{
    static const char *const units[] = {"unit=char", "unit=byte"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, units[i]);
        token_row row = text_split(tokenizer, "a\0\0b", 4);
        assert_int_equal(row.count, 4);
        assert_int_equal(row.size, 8);
        assert_memory_equal(row.bytes, "a\0\0\0\0\0b\0", 8);
        int64_t length;
        char *text = text_join(tokenizer, &row, &length);
        assert_int_equal(length, 4);
        assert_memory_equal(text, "a\0\0b", 5);
        free(text);
        free(row.bytes);
        rnnkit_tokenizer_destroy(tokenizer);
    }
}

static void all_bytes_come_back(void **state)
{
    char text[256];
    (void)state;
    for (int i = 0; i < 256; i++)
        text[i] = (char)i;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, "unit=byte");
    token_row row = text_split(tokenizer, text, 256);
    int64_t length;
    char *joined = text_join(tokenizer, &row, &length);
    assert_int_equal(length, 256);
    assert_memory_equal(joined, text, 256);
    free(joined);
    free(row.bytes);
    rnnkit_tokenizer_destroy(tokenizer);
}

static void small_buffers_stay_as_they_were(void **state)
{
    (void)state;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    char buffer[6] = "12345";
    int64_t needed = 0, count = 0;
    text_fails(rnnkit_tokenizer_split(tokenizer, "one two", -1, buffer, 5, &needed, &count),
        RNNKIT_E_TOO_SMALL, "holds 5 bytes, 8 are needed");
    assert_string_equal(buffer, "12345");
    assert_int_equal(needed, 8);
    assert_int_equal(count, 2);
    needed = 0;
    text_fails(rnnkit_tokenizer_join(tokenizer, "one\0two", 2, buffer, 5, &needed),
        RNNKIT_E_TOO_SMALL, "holds 5 bytes, 8 are needed");
    assert_string_equal(buffer, "12345");
    assert_int_equal(needed, 8);
    rnnkit_tokenizer_destroy(tokenizer);
}

/* Hostile calls. */

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_tokenizer *none = NULL, *tokenizer = text_tokenizer(text_context, NULL);
    rnnkit_tokenizer *wrong = (rnnkit_tokenizer *)(void *)text_context;
    int64_t needed = 0, count = 0;
    char buffer[8];
    text_fails(rnnkit_tokenizer_create(NULL, NULL, &none), RNNKIT_E_HANDLE, "context is NULL");
    text_fails(rnnkit_tokenizer_create((rnnkit_context *)(void *)tokenizer, NULL, &none),
        RNNKIT_E_HANDLE, "expected a context");
    text_fails(rnnkit_tokenizer_create(text_context, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_tokenizer_split(wrong, "a", -1, buffer, 8, &needed, &count), RNNKIT_E_HANDLE,
        "expected a tokenizer");
    text_fails(rnnkit_tokenizer_split(NULL, "a", -1, buffer, 8, &needed, &count), RNNKIT_E_HANDLE,
        "tokenizer is NULL");
    text_fails(rnnkit_tokenizer_split(tokenizer, NULL, -1, buffer, 8, &needed, &count),
        RNNKIT_E_ARGUMENT, "text is NULL");
    text_fails(rnnkit_tokenizer_split(tokenizer, "a", -2, buffer, 8, &needed, &count),
        RNNKIT_E_ARGUMENT, "length is -2");
    text_fails(rnnkit_tokenizer_split(tokenizer, "a", -1, NULL, 8, &needed, &count),
        RNNKIT_E_ARGUMENT, "buffer is NULL");
    text_fails(rnnkit_tokenizer_split(tokenizer, "a", -1, buffer, -1, &needed, &count),
        RNNKIT_E_ARGUMENT, "capacity is -1");
    text_fails(rnnkit_tokenizer_split(tokenizer, "a", -1, buffer, 8, NULL, &count),
        RNNKIT_E_ARGUMENT, "needed is NULL");
    text_fails(rnnkit_tokenizer_split(tokenizer, "a", -1, buffer, 8, &needed, NULL),
        RNNKIT_E_ARGUMENT, "count is NULL");
    text_fails(rnnkit_tokenizer_join(NULL, "a", 1, buffer, 8, &needed), RNNKIT_E_HANDLE, "NULL");
    text_fails(rnnkit_tokenizer_join(tokenizer, NULL, 1, buffer, 8, &needed), RNNKIT_E_ARGUMENT,
        "tokens is NULL");
    text_fails(rnnkit_tokenizer_join(tokenizer, "a", -1, buffer, 8, &needed), RNNKIT_E_ARGUMENT,
        "count is -1");
    text_fails(rnnkit_tokenizer_join(tokenizer, "a\0\0", 2, buffer, 8, &needed), RNNKIT_E_ARGUMENT,
        "token 1 is empty");
    text_fails(rnnkit_tokenizer_join(tokenizer, "a", 1, buffer, 8, NULL), RNNKIT_E_ARGUMENT,
        "needed is NULL");
    rnnkit_tokenizer_destroy(NULL);
    rnnkit_tokenizer_destroy(tokenizer);
    assert_null(none);
}

static void bad_options(void **state)
{
    (void)state;
    rnnkit_tokenizer *none = NULL;
    text_fails(rnnkit_tokenizer_create(text_context, "unit=sentence", &none), RNNKIT_E_OPTION,
        "word|char|byte");
    text_fails(rnnkit_tokenizer_create(text_context, "lower_case=1", &none), RNNKIT_E_OPTION,
        "did you mean 'lowercase'");
    text_fails(rnnkit_tokenizer_create(text_context, "unit=byte lowercase=1", &none),
        RNNKIT_E_OPTION, "does not go with unit=byte");
    text_fails(rnnkit_tokenizer_create(text_context, "unit=byte normalize=nfc", &none),
        RNNKIT_E_OPTION, "does not go with unit=byte");
    assert_null(none);
}

static void options_come_back(void **state)
{
    (void)state;
    rki_memory memory = rki_default_memory();
    for (int i = 0; i < TEXT_KINDS; i++) {
        rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, text_kinds[i]);
        char *text;
        text_ok(rki_tokenizer_options(tokenizer, &memory, &text));
        rnnkit_tokenizer *again = text_tokenizer(text_context, text);
        assert_memory_equal(&again->settings, &tokenizer->settings, sizeof again->settings);
        rki_release(&memory, text);
        rnnkit_tokenizer_destroy(again);
        rnnkit_tokenizer_destroy(tokenizer);
    }
}

static int32_t split_and_join(rnnkit_context *with, const char *options)
{
    rnnkit_tokenizer *tokenizer = NULL;
    char row[256], text[256];
    int64_t needed, count;
    int32_t status = rnnkit_tokenizer_create(with, options, &tokenizer);
    if (status < 0) return status;
    status = rnnkit_tokenizer_split(
        tokenizer, "a word, \xC3\xA9 e\xCC\x81.", -1, row, sizeof row, &needed, &count);
    if (status == RNNKIT_OK)
        status = rnnkit_tokenizer_join(tokenizer, row, count, text, sizeof text, &needed);
    rnnkit_tokenizer_destroy(tokenizer);
    return status;
}

static void no_memory_at_any_moment(void **state)
{
    (void)state;
    failing_memory memory = {0};
    rnnkit_context *failing = NULL;
    text_ok(rnnkit_context_create_with_allocator(
        "cpu", NULL, failing_allocate, failing_release, &memory, &failing));
    int64_t alive = memory.alive;
    for (int i = 0; i < TEXT_KINDS; i++) {
        int32_t status = RNNKIT_E_MEMORY;
        for (int64_t n = 1; status != RNNKIT_OK; n++) {
            memory.fail_at = memory.calls + n;
            status = split_and_join(failing, text_kinds[i]);
            if (status != RNNKIT_OK) text_fails(status, RNNKIT_E_MEMORY, "out of memory");
            assert_int_equal(memory.alive, alive);
            assert_true(n < 100);
        }
    }
    memory.fail_at = 0;
    rnnkit_context_destroy(failing);
    assert_int_equal(memory.alive, 0);
}

static void the_tokenizer_keeps_its_context(void **state)
{
    (void)state;
    rnnkit_context *own = NULL;
    text_ok(rnnkit_context_create("cpu", NULL, &own));
    rnnkit_tokenizer *tokenizer = text_tokenizer(own, NULL);
    rnnkit_context_destroy(own);
    char *spaced = text_spaced(tokenizer, "still here.");
    assert_string_equal(spaced, "still here ||period||");
    free(spaced);
    rnnkit_tokenizer_destroy(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_become_tokens),
        cmocka_unit_test(white_space_parts_words),
        cmocka_unit_test(byte_order_marks_are_left_out),
        cmocka_unit_test(words_that_look_like_marks_are_kept_apart),
        cmocka_unit_test(characters_and_bytes),
        cmocka_unit_test(lower_case_and_normal_forms),
        cmocka_unit_test(strict_names_the_place),
        cmocka_unit_test(replace_gives_one_character_for_each_part),
        cmocka_unit_test(cutting_makes_no_difference),
        cmocka_unit_test(a_reset_forgets),
        cmocka_unit_test(long_words),
        cmocka_unit_test(empty_text_has_no_tokens),
        cmocka_unit_test(nul_is_a_character_and_a_byte),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(small_buffers_stay_as_they_were),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(bad_options),
        cmocka_unit_test(options_come_back),
        cmocka_unit_test(no_memory_at_any_moment),
        cmocka_unit_test(the_tokenizer_keeps_its_context),
    };
    return cmocka_run_group_tests(tests, text_open_context, text_close_context);
}
