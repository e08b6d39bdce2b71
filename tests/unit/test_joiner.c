/* Joining tokens to text, and that splitting it again gives the same tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/text.h"
#include "text/characters.h"
#include "text/joiner.h"

static void joined_text_reads_naturally(void **state)
{
    static const char *const texts[] = {
        "jerry: hello, world!\n",
        "jerry: (pointing at georges shirt) see, to me, that button is in the worst possible spot.",
        "he said \"go out, now!\" and left.\n\"you?\" \"me!\"\n",
        "a word\n\nanother; a third",
        "no-mans-land (off camera): 56?!",
        "wait...\nwhat? (\"ha\")",
        "an \"open quotation\nis closed by the line's end, \"like\" this",
    };
    (void)state;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        token_row row = text_split(tokenizer, texts[i], -1);
        char *text = text_join(tokenizer, &row, NULL);
        assert_string_equal(text, texts[i]);
        free(text);
        free(row.bytes);
    }
    rnnkit_tokenizer_destroy(tokenizer);
}

static void expect_same_row(const token_row *a, const token_row *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes, b->bytes, (size_t)a->size);
}

/* tokens -> text -> tokens; then `row` is freed. */
static void expect_identity(rnnkit_tokenizer *tokenizer, token_row row)
{
    int64_t length;
    char *text = text_join(tokenizer, &row, &length);
    token_row again = text_split(tokenizer, text, length);
    expect_same_row(&row, &again);
    free(again.bytes);
    free(text);
    free(row.bytes);
}

static void joining_and_splitting_is_the_identity(void **state)
{
    char text[400];
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < TEXT_KINDS; i++) {
        rnnkit_tokenizer *tokenizer =
            text_tokenizer_with(text_context, text_kinds[i], "invalid=replace");
        for (int round = 0; round < 300; round++) {
            text_random(&random, 1, text, sizeof text);
            expect_identity(tokenizer, text_split(tokenizer, text, sizeof text));
        }
        rnnkit_tokenizer_destroy(tokenizer);
    }
}

/* Words and marks in any order, as a model may write them. */
static void shuffled_tokens_are_kept_too(void **state)
{
    char text[300];
    uint64_t random = 2;
    (void)state;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    for (int round = 0; round < 300; round++) {
        text_random(&random, 0, text, sizeof text);
        token_row row = text_split(tokenizer, text, sizeof text);
        token_row shuffled = {malloc((size_t)row.size + 1), 0, row.count};
        assert_non_null(shuffled.bytes);
        for (int64_t left = row.count; left > 0; left--) {
            char *token = row.bytes;
            for (uint64_t skip = text_draw(&random, (uint64_t)left); skip > 0; skip--)
                token += strlen(token) + 1;
            size_t size = strlen(token) + 1;
            memcpy(shuffled.bytes + shuffled.size, token, size);
            shuffled.size += (int64_t)size;
            memmove(token, token + size, (size_t)(row.bytes + row.size - token) - size);
            row.size -= (int64_t)size;
        }
        free(row.bytes);
        expect_identity(tokenizer, shuffled);
    }
    rnnkit_tokenizer_destroy(tokenizer);
}

static void every_character_is_stable(void **state)
{
    (void)state;
    char *text = malloc(0x110000 * 5);
    assert_non_null(text);
    size_t size = 0;
    for (int32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        size += rki_utf8_encode(code, text + size);
        if (code % 3 == 0) text[size++] = ' ';
    }
    for (int i = 0; i < TEXT_KINDS; i++) {
        rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, text_kinds[i]);
        expect_identity(tokenizer, text_split(tokenizer, text, (int64_t)size));
        rnnkit_tokenizer_destroy(tokenizer);
    }
    free(text);
}

static void real_text_is_the_identity(void **state)
{
    (void)state;
    FILE *file = fopen("../../../shared/data/seinfeld/Seinfeld_Scripts.txt", "rb");
    if (file == NULL) skip();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int64_t lines = 0, unchanged = 0;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    while ((length = getline(&line, &capacity, file)) > 0) {
        token_row row = text_split(tokenizer, line, length);
        char *text = text_join(tokenizer, &row, NULL);
        if (length > 1 && strncmp(line + length - 2, " \n", 2) == 0)
            strcpy(line + length - 2, "\n");
        lines++;
        unchanged += strcmp(text, line) == 0;
        free(text);
        expect_identity(tokenizer, row);
    }
    print_message("%lld of %lld lines are as they were\n", (long long)unchanged, (long long)lines);
    assert_true(unchanged > lines * 9 / 10);
    rnnkit_tokenizer_destroy(tokenizer);
    free(line);
    fclose(file);
}

/* Five million combining marks on one letter. */
static void a_long_run_of_marks(void **state)
{
    enum { LONG = 10 * 1000 * 1000 };
    (void)state;
    char *text = malloc(LONG);
    assert_non_null(text);
    for (size_t i = 1; i + 1 < LONG; i += 2)
        memcpy(text + i, "\xCC\x81", 2);
    text[0] = text[LONG - 1] = 'w';
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, "normalize=nfkc lowercase=1");
    expect_identity(tokenizer, text_split(tokenizer, text, LONG));
    rnnkit_tokenizer_destroy(tokenizer);
    free(text);
}

static int32_t drop(void *user, const char *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)user += size;
    return RNNKIT_OK;
}

static int32_t refuse(void *user, const char *bytes, size_t size)
{
    (void)user;
    (void)bytes;
    (void)size;
    return RNNKIT_E_IO;
}

static void the_joiner_streams(void **state)
{
    (void)state;
    size_t given = 0;
    rki_joiner joiner;
    rnnkit_tokenizer *tokenizer = text_tokenizer(text_context, NULL);
    rki_joiner_init(&joiner, tokenizer);
    rki_sink sink = {drop, &given};
    text_ok(rki_joiner_add(&joiner, "a", 1, sink));
    assert_int_equal(given, 1);
    text_ok(rki_joiner_add(&joiner, "b", 1, sink));
    assert_int_equal(given, 3);
    text_ok(rki_joiner_add(&joiner, "||comma||", 9, sink));
    assert_int_equal(given, 4);
    assert_int_equal(rki_joiner_add(&joiner, "c", 1, (rki_sink){refuse, NULL}), RNNKIT_E_IO);
    rnnkit_tokenizer_destroy(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_text_reads_naturally),
        cmocka_unit_test(joining_and_splitting_is_the_identity),
        cmocka_unit_test(shuffled_tokens_are_kept_too),
        cmocka_unit_test(every_character_is_stable),
        cmocka_unit_test(real_text_is_the_identity),
        cmocka_unit_test(a_long_run_of_marks),
        cmocka_unit_test(the_joiner_streams),
    };
    return cmocka_run_group_tests(tests, text_open_context, text_close_context);
}
