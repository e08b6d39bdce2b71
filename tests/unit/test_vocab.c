/* Vocabularies: counting, ids, text to ids and back; hostile calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/text.h"
#include "../support/vocabularies.h"
#include "text/vocab.h"

/* Building. */

static void ids_go_by_count_and_bytes(void **state)
{
    (void)state;
    vocab_lines_of(
        vocab_words, NULL, "b a c B, a b", "<pad> 0\n<unk> 0\nb 3\na 2\nc 1\n||comma|| 1\n");
    vocab_lines_of(vocab_words, NULL, "ab a abc", "<pad> 0\n<unk> 0\na 1\nab 1\nabc 1\n");
    vocab_lines_of(vocab_words, "boundaries=1", "x", "<pad> 0\n<unk> 0\n<bos> 0\n<eos> 0\nx 1\n");
}

static void rare_words_become_unknown(void **state)
{
    (void)state;
    vocab_lines_of(vocab_words, "min_count=2", "a b a c b a d", "<pad> 0\n<unk> 2\na 3\nb 2\n");
    vocab_lines_of(vocab_words, "max_size=3", "a b a c b a d", "<pad> 0\n<unk> 4\na 3\n");
    vocab_lines_of(vocab_words, "min_count=9", "a b", "<pad> 0\n<unk> 2\n");
    rnnkit_vocab *vocab = text_vocab(vocab_words, "min_count=2", "a b a c b a d");
    int64_t size, tokens;
    text_ok(rnnkit_vocab_size(vocab, &size, &tokens));
    assert_int_equal(size, 4);
    assert_int_equal(tokens, 7);
    text_ok(rnnkit_vocab_size(vocab, NULL, NULL));
    rnnkit_vocab_destroy(vocab);
}

static void a_special_in_the_text_is_the_special(void **state)
{
    (void)state;
    vocab_lines_of(
        vocab_words, "min_count=2", "<unk> a <unk> a b <pad>", "<pad> 1\n<unk> 3\na 2\n");
    vocab_lines_of(
        vocab_words, "boundaries=1", "<eos> a", "<pad> 0\n<unk> 0\n<bos> 0\n<eos> 1\na 1\n");
    /* Without boundaries <bos> is a word as any other, and the file tells the two apart. */
    vocab_lines_of(
        vocab_words, NULL, "<bos> <bos> <eos>", "<pad> 0\n<unk> 0\n\\x3cbos> 2\n\\x3ceos> 1\n");
}

static void all_bytes_have_an_id(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = text_vocab(vocab_bytes, "min_count=5", "aab");
    int64_t size;
    int32_t ids[256];
    char text[256];
    text_ok(rnnkit_vocab_size(vocab, &size, NULL));
    assert_int_equal(size, 258);
    for (int i = 0; i < 256; i++)
        text[i] = (char)i;
    text_ok(rnnkit_vocab_encode(vocab, text, 256, ids, 256, &size));
    for (int i = 0; i < 256; i++)
        assert_true(ids[i] != RNNKIT_UNK);
    assert_int_equal(ids['a'], 2);
    assert_int_equal(ids['b'], 3);
    char back[257];
    text_ok(rnnkit_vocab_decode(vocab, ids, 256, back, 257, &size));
    assert_memory_equal(back, text, 256);
    rnnkit_vocab_destroy(vocab);
}

static void pieces_and_files_count_the_same(void **state)
{
    static const char text[] = "One \xC3\xA9t\xC3\xA9, two.\nOne\xE3\x80\x80two!";
    (void)state;
    rnnkit_vocab *whole = text_vocab(vocab_words, NULL, text), *pieces = NULL, *file = NULL;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &pieces));
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text_ok(rnnkit_vocab_push(pieces, text + i, 1));
    text_ok(rnnkit_vocab_finish(pieces));
    const char *path = scratch_path("text.txt");
    scratch_write(path, text, sizeof text - 1);
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &file));
    text_ok(rnnkit_vocab_push_file(file, path));
    text_ok(rnnkit_vocab_finish(file));
    const char *lines = "<pad> 0\n<unk> 0\none 2\ntwo 2\n||comma|| 1\n||exclamation_mark|| 1\n"
                        "||period|| 1\n||return|| 1\n\xC3\xA9t\xC3\xA9 1\n";
    vocab_lines(whole, lines);
    vocab_lines(pieces, lines);
    vocab_lines(file, lines);
    rnnkit_vocab_destroy(whole);
    rnnkit_vocab_destroy(pieces);
    rnnkit_vocab_destroy(file);
}

static void a_file_parts_tokens(void **state)
{
    (void)state;
    const char *path = scratch_path("part.txt");
    scratch_write(path, "b", 1);
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "a", 1));
    text_ok(rnnkit_vocab_push_file(vocab, path));
    text_ok(rnnkit_vocab_push(vocab, "c", 1));
    text_ok(rnnkit_vocab_finish(vocab));
    vocab_lines(vocab, "<pad> 0\n<unk> 0\na 1\nb 1\nc 1\n");
    rnnkit_vocab_destroy(vocab);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "be", 2));
    text_fails(rnnkit_vocab_push_file(vocab, scratch_path("missing")), RNNKIT_E_IO, "missing");
    text_fails(rnnkit_vocab_push_file(vocab, scratch_path("")), RNNKIT_E_IO, "rnnkit-test");
    text_fails(rnnkit_vocab_push_file(vocab, NULL), RNNKIT_E_ARGUMENT, "path is NULL");
    /* None of that did any harm, not even to the word begun. */
    text_ok(rnnkit_vocab_push(vocab, "gun", 3));
    text_ok(rnnkit_vocab_finish(vocab));
    vocab_lines(vocab, "<pad> 0\n<unk> 0\nbegun 1\n");
    rnnkit_vocab_destroy(vocab);
}

static void a_bad_piece_ends_the_building(void **state)
{
    (void)state;
    const char *path = scratch_path("bad.txt");
    scratch_write(path, "good \xFF", 6);
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "some text\n", -1));
    text_fails(
        rnnkit_vocab_push_file(vocab, path), RNNKIT_E_ENCODING, "bad.txt: text is not UTF-8");
    text_fails(rnnkit_vocab_push(vocab, "more", -1), RNNKIT_E_ORDER, "failed half-way");
    text_fails(rnnkit_vocab_push_file(vocab, path), RNNKIT_E_ORDER, "failed half-way");
    text_fails(rnnkit_vocab_finish(vocab), RNNKIT_E_ORDER, "failed half-way");
    rnnkit_vocab_destroy(vocab);
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "caf\xC3", -1));
    text_fails(rnnkit_vocab_finish(vocab), RNNKIT_E_ENCODING, "begins at byte 3");
    rnnkit_vocab_destroy(vocab);
}

static void a_cancel_stops_a_file(void **state)
{
    enum { LARGE = 100000 };
    (void)state;
    char *text = malloc(LARGE);
    assert_non_null(text);
    memset(text, 'x', LARGE);
    const char *path = scratch_path("large.txt");
    scratch_write(path, text, LARGE);
    free(text);
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "a ", -1));
    rnnkit_context_cancel(text_context);
    assert_int_equal(rnnkit_vocab_push_file(vocab, path), RNNKIT_STOPPED);
    text_ok(rnnkit_vocab_push(vocab, "b", -1));
    text_ok(rnnkit_vocab_finish(vocab));
    vocab_lines(vocab, "<pad> 0\n<unk> 0\na 1\nb 1\n");
    rnnkit_vocab_destroy(vocab);
}

static void calls_in_the_wrong_order(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = NULL;
    rnnkit_tokens *tokens = NULL;
    int64_t needed;
    int32_t id;
    text_ok(rnnkit_vocab_create(vocab_words, NULL, &vocab));
    text_fails(rnnkit_vocab_size(vocab, NULL, NULL), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_vocab_word(vocab, 0, NULL, 0, &needed, NULL), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_vocab_find(vocab, "a", -1, &id), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_vocab_encode(vocab, "a", -1, NULL, 0, &needed), RNNKIT_E_ORDER, "finished");
    text_fails(rnnkit_vocab_decode(vocab, &id, 0, NULL, 0, &needed), RNNKIT_E_ORDER, "finished");
    text_fails(rnnkit_vocab_save(vocab, scratch_path("v")), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_tokens_create(vocab, NULL, &tokens), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_vocab_finish(vocab), RNNKIT_E_ARGUMENT, "no token at all");
    text_ok(rnnkit_vocab_push(vocab, "a", -1));
    text_ok(rnnkit_vocab_finish(vocab));
    text_fails(rnnkit_vocab_finish(vocab), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_vocab_push(vocab, "a", -1), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_vocab_push_file(vocab, "a"), RNNKIT_E_ORDER, "finished already");
    rnnkit_vocab_destroy(vocab);
}

/* Words, encoding, decoding. */

static void words_are_found(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = text_vocab(vocab_words, NULL, "Hello hello world.");
    int32_t id = 7;
    int64_t needed = 0, count = 7;
    char word[6];
    text_ok(rnnkit_vocab_find(vocab, "hello", -1, &id));
    assert_int_equal(id, 2);
    text_ok(rnnkit_vocab_find(vocab, "worldly", 5, &id));
    assert_int_equal(id, 3);
    text_ok(rnnkit_vocab_find(vocab, "<unk>", -1, &id));
    assert_int_equal(id, RNNKIT_UNK);
    text_fails(rnnkit_vocab_find(vocab, "Hello", -1, &id), RNNKIT_E_NOT_FOUND,
        "'Hello' is none of the vocabulary's 5 tokens");
    text_fails(rnnkit_vocab_find(vocab, "", 0, &id), RNNKIT_E_NOT_FOUND, "''");
    assert_int_equal(id, RNNKIT_UNK);
    text_ok(rnnkit_vocab_word(vocab, 2, word, sizeof word, &needed, &count));
    assert_string_equal(word, "hello");
    assert_int_equal(count, 2);
    text_fails(rnnkit_vocab_word(vocab, 2, word, 5, &needed, NULL), RNNKIT_E_TOO_SMALL, "6");
    assert_int_equal(needed, 6);
    text_fails(rnnkit_vocab_word(vocab, 5, word, 6, &needed, NULL), RNNKIT_E_NOT_FOUND,
        "no id 5, the vocabulary has 5 ids");
    text_fails(rnnkit_vocab_word(vocab, -1, word, 6, &needed, NULL), RNNKIT_E_NOT_FOUND, "id -1");
    rnnkit_vocab_destroy(vocab);
}

static void text_becomes_ids_and_text_again(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = text_vocab(vocab_words, "boundaries=1", "hello, world! hello");
    int32_t ids[8] = {7, 7, 7, 7, 7, 7, 7, 7};
    int64_t needed = 0;
    char text[64];
    text_ok(rnnkit_vocab_encode(vocab, "Hello, there world!", -1, ids, 8, &needed));
    assert_int_equal(needed, 5);
    int32_t comma, world, mark;
    text_ok(rnnkit_vocab_find(vocab, "||comma||", -1, &comma));
    text_ok(rnnkit_vocab_find(vocab, "world", -1, &world));
    text_ok(rnnkit_vocab_find(vocab, "||exclamation_mark||", -1, &mark));
    assert_int_equal(ids[0], 4);
    assert_int_equal(ids[1], comma);
    assert_int_equal(ids[2], RNNKIT_UNK);
    assert_int_equal(ids[3], world);
    assert_int_equal(ids[4], mark);
    assert_int_equal(ids[5], 7);
    text_ok(rnnkit_vocab_decode(vocab, ids, 5, text, sizeof text, &needed));
    assert_string_equal(text, "hello, <unk> world!");
    const int32_t bounded[] = {RNNKIT_PAD, RKI_BOS, ids[0], RKI_EOS, RNNKIT_PAD};
    text_ok(rnnkit_vocab_decode(vocab, bounded, 5, text, sizeof text, &needed));
    assert_string_equal(text, "hello");
    rnnkit_vocab_destroy(vocab);
}

static void failures_leave_buffers_alone(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = text_vocab(vocab_words, NULL, "a b");
    int32_t ids[3] = {7, 7, 7};
    char text[4] = "old";
    int64_t needed = 7;
    text_fails(rnnkit_vocab_encode(vocab, "a b \xFF", -1, ids, 3, &needed), RNNKIT_E_ENCODING, "4");
    assert_int_equal(needed, 7);
    text_fails(rnnkit_vocab_encode(vocab, "a b a b", -1, ids, 3, &needed), RNNKIT_E_TOO_SMALL,
        "holds 3 ids, 4 are needed");
    assert_int_equal(needed, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ids[i], 7);
    const int32_t bad[] = {2, 3, 4};
    text_fails(rnnkit_vocab_decode(vocab, bad, 3, text, 4, &needed), RNNKIT_E_NOT_FOUND,
        "ids[2]: there is no id 4");
    text_fails(rnnkit_vocab_decode(vocab, bad, 2, text, 3, &needed), RNNKIT_E_TOO_SMALL, "4");
    assert_int_equal(needed, 4);
    assert_string_equal(text, "old");
    rnnkit_vocab_destroy(vocab);
}

/* Hostile calls. */

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_vocab *none = NULL, *vocab = text_vocab(vocab_words, NULL, "a");
    rnnkit_vocab *wrong = (rnnkit_vocab *)(void *)vocab_words;
    int64_t needed;
    int32_t id = 0;
    text_fails(rnnkit_vocab_create(NULL, NULL, &none), RNNKIT_E_HANDLE, "tokenizer is NULL");
    text_fails(rnnkit_vocab_create(vocab_words, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(
        rnnkit_vocab_create(vocab_words, "min_count=0", &none), RNNKIT_E_OPTION, "min_count");
    text_fails(
        rnnkit_vocab_create(vocab_words, "max_size=2", &none), RNNKIT_E_OPTION, "at least 3");
    text_fails(
        rnnkit_vocab_create(vocab_bytes, "max_size=257", &none), RNNKIT_E_OPTION, "at least 258");
    text_fails(rnnkit_vocab_open(NULL, "x", &none), RNNKIT_E_HANDLE, "tokenizer is NULL");
    text_fails(rnnkit_vocab_open(vocab_words, NULL, &none), RNNKIT_E_ARGUMENT, "path is NULL");
    text_fails(rnnkit_vocab_open(vocab_words, "x", NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_vocab_open_text(NULL, "x", 1, &none), RNNKIT_E_HANDLE, "tokenizer is NULL");
    text_fails(
        rnnkit_vocab_open_text(vocab_words, NULL, 1, &none), RNNKIT_E_ARGUMENT, "text is NULL");
    text_fails(rnnkit_vocab_open_text(vocab_words, "x", -2, &none), RNNKIT_E_ARGUMENT, "-2");
    text_fails(rnnkit_vocab_open_text(vocab_words, "x", 1, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(
        rnnkit_vocab_text(wrong, NULL, 0, &needed), RNNKIT_E_HANDLE, "expected a vocabulary");
    text_fails(rnnkit_vocab_text(vocab, NULL, 0, NULL), RNNKIT_E_ARGUMENT, "needed is NULL");
    text_fails(rnnkit_vocab_push(wrong, "a", 1), RNNKIT_E_HANDLE, "is a tokenizer");
    text_fails(rnnkit_vocab_push_file(NULL, "a"), RNNKIT_E_HANDLE, "vocab is NULL");
    text_fails(rnnkit_vocab_finish(NULL), RNNKIT_E_HANDLE, "vocab is NULL");
    text_fails(rnnkit_vocab_size(wrong, NULL, NULL), RNNKIT_E_HANDLE, "expected a vocabulary");
    text_fails(rnnkit_vocab_word(NULL, 0, NULL, 0, &needed, NULL), RNNKIT_E_HANDLE, "NULL");
    text_fails(rnnkit_vocab_word(vocab, 0, NULL, 0, NULL, NULL), RNNKIT_E_ARGUMENT, "needed");
    text_fails(rnnkit_vocab_find(NULL, "a", 1, &id), RNNKIT_E_HANDLE, "NULL");
    text_fails(rnnkit_vocab_find(vocab, NULL, 1, &id), RNNKIT_E_ARGUMENT, "word is NULL");
    text_fails(rnnkit_vocab_find(vocab, "a", 1, NULL), RNNKIT_E_ARGUMENT, "id is NULL");
    text_fails(rnnkit_vocab_encode(NULL, "a", 1, NULL, 0, &needed), RNNKIT_E_HANDLE, "NULL");
    text_fails(rnnkit_vocab_encode(vocab, NULL, 1, NULL, 0, &needed), RNNKIT_E_ARGUMENT, "text");
    text_fails(rnnkit_vocab_encode(vocab, "a", 1, NULL, 1, &needed), RNNKIT_E_ARGUMENT, "ids");
    text_fails(rnnkit_vocab_encode(vocab, "a", 1, NULL, 0, NULL), RNNKIT_E_ARGUMENT, "needed");
    text_fails(rnnkit_vocab_decode(NULL, &id, 1, NULL, 0, &needed), RNNKIT_E_HANDLE, "NULL");
    text_fails(rnnkit_vocab_decode(vocab, NULL, 1, NULL, 0, &needed), RNNKIT_E_ARGUMENT, "ids");
    text_fails(rnnkit_vocab_decode(vocab, &id, -1, NULL, 0, &needed), RNNKIT_E_ARGUMENT, "-1");
    text_fails(rnnkit_vocab_save(NULL, "x"), RNNKIT_E_HANDLE, "vocab is NULL");
    rnnkit_vocab_destroy(NULL);
    rnnkit_vocab_destroy(vocab);
    assert_null(none);
}

static int32_t use_all(rnnkit_context *with)
{
    rnnkit_tokenizer *tokenizer = NULL;
    rnnkit_vocab *vocab = NULL, *again = NULL;
    int32_t ids[8];
    int64_t needed;
    char text[256];
    const char *path = scratch_path("oom.txt");
    int32_t status = rnnkit_tokenizer_create(with, "normalize=nfc", &tokenizer);
    if (status == RNNKIT_OK) status = rnnkit_vocab_create(tokenizer, NULL, &vocab);
    if (status == RNNKIT_OK) status = rnnkit_vocab_push(vocab, "some words, \xC3\xA9", -1);
    if (status == RNNKIT_OK) status = rnnkit_vocab_finish(vocab);
    if (status == RNNKIT_OK) status = rnnkit_vocab_encode(vocab, "words", -1, ids, 8, &needed);
    if (status == RNNKIT_OK) status = rnnkit_vocab_save(vocab, path);
    if (status == RNNKIT_OK) status = rnnkit_vocab_open(tokenizer, path, &again);
    rnnkit_vocab_destroy(again);
    again = NULL;
    if (status == RNNKIT_OK) status = rnnkit_vocab_text(vocab, text, sizeof text, &needed);
    if (status == RNNKIT_OK) status = rnnkit_vocab_open_text(tokenizer, text, -1, &again);
    rnnkit_vocab_destroy(vocab);
    rnnkit_vocab_destroy(again);
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
    int32_t status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        memory.fail_at = memory.calls + n;
        status = use_all(failing);
        if (status != RNNKIT_OK) text_fails(status, RNNKIT_E_MEMORY, "out of memory");
        assert_int_equal(memory.alive, alive);
        assert_true(n < 200);
    }
    memory.fail_at = 0;
    rnnkit_context_destroy(failing);
    assert_int_equal(memory.alive, 0);
}

/* A finish that found no memory may be tried again. */
static void finishing_again(void **state)
{
    (void)state;
    failing_memory memory = {0};
    rnnkit_context *failing = NULL;
    text_ok(rnnkit_context_create_with_allocator(
        "cpu", NULL, failing_allocate, failing_release, &memory, &failing));
    rnnkit_tokenizer *tokenizer = text_tokenizer(failing, NULL);
    rnnkit_vocab *vocab = NULL;
    text_ok(rnnkit_vocab_create(tokenizer, NULL, &vocab));
    text_ok(rnnkit_vocab_push(vocab, "b a b ", -1));
    memory.fail_at = memory.calls + 2;
    text_fails(rnnkit_vocab_finish(vocab), RNNKIT_E_MEMORY, "out of memory");
    text_ok(rnnkit_vocab_finish(vocab));
    vocab_lines(vocab, "<pad> 0\n<unk> 0\nb 2\na 1\n");
    rnnkit_tokenizer_destroy(tokenizer); /* in any order */
    rnnkit_context_destroy(failing);
    vocab_lines(vocab, "<pad> 0\n<unk> 0\nb 2\na 1\n");
    rnnkit_vocab_destroy(vocab);
    assert_int_equal(memory.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_go_by_count_and_bytes),
        cmocka_unit_test(rare_words_become_unknown),
        cmocka_unit_test(a_special_in_the_text_is_the_special),
        cmocka_unit_test(all_bytes_have_an_id),
        cmocka_unit_test(pieces_and_files_count_the_same),
        cmocka_unit_test(a_file_parts_tokens),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(a_bad_piece_ends_the_building),
        cmocka_unit_test(a_cancel_stops_a_file),
        cmocka_unit_test(calls_in_the_wrong_order),
        cmocka_unit_test(words_are_found),
        cmocka_unit_test(text_becomes_ids_and_text_again),
        cmocka_unit_test(failures_leave_buffers_alone),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(no_memory_at_any_moment),
        cmocka_unit_test(finishing_again),
    };
    return cmocka_run_group_tests(tests, vocab_open, vocab_close);
}
