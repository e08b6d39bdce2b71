/* The file format of vocabularies, with its hostile twins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/text.h"
#include "../support/vocabularies.h"
#include "text/vocab.h"

static void expect_round_trip(rnnkit_tokenizer *tokenizer, const char *options, const char *text)
{
    rki_memory memory = rki_default_memory();
    rnnkit_vocab *vocab = text_vocab(tokenizer, options, text), *again = NULL;
    const char *path = scratch_path("vocab.txt");
    text_ok(rnnkit_vocab_save(vocab, path));
    text_ok(rnnkit_vocab_open(tokenizer, path, &again));
    int64_t size, size_again, tokens, tokens_again;
    text_ok(rnnkit_vocab_size(vocab, &size, &tokens));
    text_ok(rnnkit_vocab_size(again, &size_again, &tokens_again));
    assert_int_equal(size, size_again);
    assert_int_equal(tokens, tokens_again);
    assert_int_equal(rki_vocab_specials(vocab), rki_vocab_specials(again));
    for (int32_t id = 0; id < size; id++) {
        int64_t length, length_again;
        const char *word = rki_vocab_token(vocab, id, &length);
        const char *word_again = rki_vocab_token(again, id, &length_again);
        assert_int_equal(length, length_again);
        assert_memory_equal(word, word_again, (size_t)length + 1);
    }
    char *lines;
    text_ok(rki_vocab_write_text(vocab, &memory, &lines, &size));
    vocab_lines(again, lines);
    rnnkit_vocab_destroy(again);
    text_ok(rnnkit_vocab_open_text(tokenizer, lines, size, &again));
    vocab_lines(again, lines);
    rki_release(&memory, lines);
    rnnkit_vocab_destroy(vocab);
    rnnkit_vocab_destroy(again);
}

static void files_come_back(void **state)
{
    (void)state;
    expect_round_trip(
        vocab_words, NULL, "plain words, \\o/ C:\\x C:\\x41 \\x5c x\\x0a \x7F <bos> ||x||");
    expect_round_trip(vocab_words, "boundaries=1", "<eos> a <bos>");
    expect_round_trip(
        vocab_characters, NULL, "all sorts\t\r\n\\x20 \xC3\xA9\xC2\xA0\xE3\x80\x80\x01");
    expect_round_trip(vocab_bytes, NULL, "\\x20 \xC3\xA9\xFF\x01");
    expect_round_trip(vocab_bytes, "boundaries=1", "a");
}

static void escapes_leave_other_lines_alone(void **state)
{
    (void)state;
    vocab_lines_of(vocab_words, NULL, "C:\\temp \\o/ \\x4 \\xg0 \\xAB",
        "<pad> 0\n<unk> 0\n\\o/ 1\n\\x4 1\n\\x5cxab 1\n\\xg0 1\nc:\\temp 1\n");
}

static void text_in_memory(void **state)
{
    (void)state;
    static const char lines[] = "<pad> 0\n<unk> 0\nb 2\na 1\n";
    char text[sizeof lines] = "old";
    int64_t needed = 0;
    rnnkit_vocab *vocab = text_vocab(vocab_words, NULL, "b a b"), *again = NULL;
    text_fails(rnnkit_vocab_text(vocab, text, 4, &needed), RNNKIT_E_TOO_SMALL, "are needed");
    assert_int_equal(needed, sizeof lines);
    assert_string_equal(text, "old");
    text_ok(rnnkit_vocab_text(vocab, text, sizeof text, &needed));
    assert_string_equal(text, lines);
    text_ok(rnnkit_vocab_open_text(vocab_words, text, -1, &again));
    vocab_lines(again, lines);
    rnnkit_vocab_destroy(again);
    rnnkit_vocab_destroy(vocab);
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_fails(rnnkit_vocab_text(vocab, NULL, 0, &needed), RNNKIT_E_ORDER, "not finished");
    rnnkit_vocab_destroy(vocab);
}

static void expect_bad_file(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t size, const char *message)
{
    rnnkit_vocab *none = NULL;
    const char *path = scratch_path("hostile.txt");
    scratch_write(path, text, size < 0 ? strlen(text) : (size_t)size);
    int32_t status = rnnkit_vocab_open(tokenizer, path, &none);
    text_fails(status, RNNKIT_E_FORMAT, message);
    text_fails(status, RNNKIT_E_FORMAT, "hostile.txt: ");
    assert_null(none);
    status = rnnkit_vocab_open_text(tokenizer, text, size, &none);
    text_fails(status, RNNKIT_E_FORMAT, message);
    assert_null(none);
}

static void hostile_files(void **state)
{
    (void)state;
    static const struct {
        rnnkit_tokenizer **tokenizer; /* which there is once the tests have begun */
        const char *text;
        int64_t size; /* -1: up to the NUL */
        const char *message;
    } cases[] = {
        {&vocab_words, "", 0, "line 1: expected the special <pad>, found the end"},
        {&vocab_words, "<pad> 0", -1, "line 2: expected the special <unk>, found the end"},
        {&vocab_words, "the 5\n<unk> 0\n", -1, "line 1: expected the special <pad>, found 'the'"},
        {&vocab_words, "<pad> 0\n<unk> 0\n<bos> 0\n", -1, "line 4: expected the special <eos>"},
        {&vocab_words, "<pad> 0\n<unk> 0\n<bos> 0\na 1\n<eos> 0\n", -1, "line 4"},
        {&vocab_words, "<pad> 0\n<unk> 0\na 1\n<eos> 0\n", -1, "line 4: <bos> and <eos> may"},
        {&vocab_words, "\\x3cpad> 0\n<unk> 0\n", -1, "line 1"},
        {&vocab_words, "<pad> 0\n<unk> 0\na 1\na 2\n", -1, "line 4: expected a word that did not"},
        {&vocab_words, "<pad> 0\n<unk> 0\n<pad> 2\n", -1, "line 3: expected a word that did not"},
        {&vocab_words, "<pad> 0\n<unk> 0\na\n", -1, "line 3: expected `word count`, found 'a'"},
        {&vocab_words, "<pad> 0\n<unk> 0\n\nb 1\n", -1, "line 3: expected `word count`"},
        {&vocab_words, "<pad> 0\n<unk> 0\n 1\n", -1, "line 3: expected `word count`"},
        {&vocab_words, "<pad> 0\n<unk> 0\na b 1\n", -1, "line 3: expected a count in digits"},
        {&vocab_words, "<pad> 0\n<unk> 0\na \n", -1, "line 3: expected a count below"},
        {&vocab_words, "<pad> 0\n<unk> 0\na -1\n", -1, "line 3: expected a count in digits"},
        {&vocab_words, "<pad> 0\n<unk> 0\na 1.5\n", -1, "line 3: expected a count in digits"},
        {&vocab_words, "<pad> 0\n<unk> 0\na 9223372036854775808\n", -1, "below 2^63"},
        {&vocab_words, "<pad> 0\n<unk> 1\na 9223372036854775807\n", -1, "exceed 2^63 in all"},
        {&vocab_words, "<pad> 0\n<unk> 0\n\xFF 1\n", -1, "line 3: expected a word in UTF-8"},
        {&vocab_words, "<pad> 0\n<unk> 0\na\\x00 1\n", -1, "line 3: expected a word without NUL"},
        {&vocab_words, "<pad> 0\n<unk> 0\na\0 1\n", 22, "line 3: expected a word without NUL"},
        {&vocab_characters, "<pad> 0\n<unk> 0\nab 1\n", -1, "expected one character"},
        {&vocab_bytes, "<pad> 0\n<unk> 0\nab 1\n", -1, "expected one byte"},
        {&vocab_bytes, "<pad> 0\n<unk> 0\na 1\n", -1, "has all 256 bytes, found 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_bad_file(*cases[i].tokenizer, cases[i].text, cases[i].size, cases[i].message);
}

static void a_gigantic_line(void **state)
{
    enum { LONG = 5 * 1000 * 1000 };
    (void)state;
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG);
    memcpy(text, "<pad> 0\n<unk> 0\n", 16);
    expect_bad_file(vocab_words, text, LONG, "line 3: expected `word count`, found 'xxx");
    memcpy(text + LONG - 3, " 1\n", 3);
    rnnkit_vocab *vocab = NULL;
    text_ok(rki_vocab_read_text(vocab_words, text, LONG, &vocab));
    int64_t length;
    assert_non_null(rki_vocab_token(vocab, 2, &length));
    assert_int_equal(length, LONG - 16 - 3);
    rnnkit_vocab_destroy(vocab);
    free(text);
}

static void forgiving_reading(void **state)
{
    static const char text[] = "<pad> 0\r\n<unk> 0\r\nrare 1\r\noften 9";
    (void)state;
    rnnkit_vocab *vocab = NULL;
    text_ok(rki_vocab_read_text(vocab_words, text, sizeof text - 1, &vocab));
    vocab_lines(vocab, "<pad> 0\n<unk> 0\nrare 1\noften 9\n");
    rnnkit_vocab_destroy(vocab);
}

static void saving_keeps_the_old_file(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = text_vocab(vocab_words, NULL, "a"), *none = NULL;
    const char *folder = scratch_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    text_fails(rnnkit_vocab_save(vocab, scratch_path("no/such/folder")), RNNKIT_E_IO, "folder");
    text_fails(rnnkit_vocab_save(vocab, folder), RNNKIT_E_IO, "folder");
    assert_int_equal(scratch_count(folder), 0);
    text_fails(rnnkit_vocab_save(vocab, "/dev/full"), RNNKIT_E_IO, "No space left");
    text_fails(rnnkit_vocab_save(vocab, NULL), RNNKIT_E_ARGUMENT, "path is NULL");
    text_fails(rnnkit_vocab_open(vocab_words, folder, &none), RNNKIT_E_IO, "folder");
    text_fails(
        rnnkit_vocab_open(vocab_words, scratch_path("missing"), &none), RNNKIT_E_IO, "missing");
    assert_null(none);
    rnnkit_vocab_destroy(vocab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(escapes_leave_other_lines_alone),
        cmocka_unit_test(text_in_memory),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(a_gigantic_line),
        cmocka_unit_test(forgiving_reading),
        cmocka_unit_test(saving_keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, vocab_open, vocab_close);
}
