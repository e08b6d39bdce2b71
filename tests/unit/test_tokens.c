/* Token streams: in memory, beyond it on disk, and everything that can be in their way. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/text.h"

static rnnkit_context *context;
static rnnkit_tokenizer *tokenizer;
static rnnkit_vocab *vocab; /* ids: <pad> 0, <unk> 1, a 2, b 3, c 4 */

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", NULL, &context));
    tokenizer = text_tokenizer(context, NULL);
    vocab = text_vocab(tokenizer, NULL, "a a a b b c");
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_context_destroy(context);
    return 0;
}

static void expect_ids(const rnnkit_tokens *tokens, const int32_t *expected, int64_t count)
{
    int64_t size, unknown, unknown_expected = 0;
    int32_t ids[64];
    text_ok(rnnkit_tokens_size(tokens, &size, &unknown));
    assert_int_equal(size, count);
    text_ok(rnnkit_tokens_read(tokens, 0, ids, count));
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(ids[i], expected[i]);
        unknown_expected += expected[i] == RNNKIT_UNK;
    }
    assert_int_equal(unknown, unknown_expected);
}

static void text_files_and_ids_in_a_row(void **state)
{
    (void)state;
    const char *path = scratch_path("text.txt");
    scratch_write(path, "c a", 3);
    const int32_t ids[] = {4, 0}, expected[] = {2, 1, 3, 4, 2, 4, 0, 2};
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
    text_ok(rnnkit_tokens_push(tokens, "a unheard-", 8));
    text_ok(rnnkit_tokens_push(tokens, "of b", -1));
    text_ok(rnnkit_tokens_push_file(tokens, path));
    text_ok(rnnkit_tokens_push_ids(tokens, ids, 2));
    text_ok(rnnkit_tokens_push(tokens, "a", -1));
    text_ok(rnnkit_tokens_finish(tokens));
    expect_ids(tokens, expected, 8);
    rnnkit_tokens_destroy(tokens);
}

static void an_empty_stream_is_one(void **state)
{
    (void)state;
    rnnkit_tokens *tokens = text_tokens(vocab, NULL, "");
    int32_t id = 7;
    expect_ids(tokens, &id, 0);
    text_ok(rnnkit_tokens_read(tokens, 0, &id, 0));
    text_fails(rnnkit_tokens_read(tokens, 0, &id, 1), RNNKIT_E_ARGUMENT, "has 0 tokens");
    assert_int_equal(id, 7);
    rnnkit_tokens_destroy(tokens);
}

static void pieces_may_be_cut_anywhere(void **state)
{
    static const char text[] = "a bb b \xC3\xA9 c  b";
    const int32_t expected[] = {2, 1, 3, 1, 4, 3};
    (void)state;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        rnnkit_tokens *tokens = NULL;
        text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
        text_ok(rnnkit_tokens_push(tokens, text, (int64_t)cut));
        text_ok(rnnkit_tokens_push(tokens, text + cut, -1));
        text_ok(rnnkit_tokens_finish(tokens));
        expect_ids(tokens, expected, 6);
        rnnkit_tokens_destroy(tokens);
    }
}

/* Many ids, random ones, pushed in blocks. */
static rnnkit_tokens *many(const char *options, int64_t count)
{
    rnnkit_tokens *tokens = NULL;
    uint64_t random = 5;
    int32_t block[1000];
    text_ok(rnnkit_tokens_create(vocab, options, &tokens));
    for (int64_t done = 0; done < count; done += 1000) {
        for (int i = 0; i < 1000; i++)
            block[i] = (int32_t)text_draw(&random, 5);
        text_ok(rnnkit_tokens_push_ids(tokens, block, count - done < 1000 ? count - done : 1000));
    }
    text_ok(rnnkit_tokens_finish(tokens));
    return tokens;
}

/* What is on disk, wholly or in part, reads as if it were in memory. */
static void beyond_memory(void **state)
{
    enum { MANY = 700123, PART = 70000 };
    static const char *const limits[] = {"memory=0", "memory=1", "memory=2"};
    static int32_t expected[MANY], part[PART];
    (void)state;
    rnnkit_tokens *whole = many(NULL, MANY);
    text_ok(rnnkit_tokens_read(whole, 0, expected, MANY));
    for (int i = 0; i < 3; i++) {
        char options[2048];
        uint64_t random = 6;
        int64_t size, unknown, size_whole, unknown_whole;
        snprintf(options, sizeof options, "%s folder=\"%s\"", limits[i], scratch_path(""));
        int before = scratch_count(scratch_path(""));
        rnnkit_tokens *spilled = many(options, MANY);
        assert_int_equal(scratch_count(scratch_path("")), before); /* the file has no name */
        text_ok(rnnkit_tokens_size(whole, &size_whole, &unknown_whole));
        text_ok(rnnkit_tokens_size(spilled, &size, &unknown));
        assert_int_equal(size, size_whole);
        assert_int_equal(unknown, unknown_whole);
        for (int round = 0; round < 200; round++) {
            int64_t count = (int64_t)text_draw(&random, PART);
            int64_t first = (int64_t)text_draw(&random, (uint64_t)(MANY - count + 1));
            text_ok(rnnkit_tokens_read(spilled, first, part, count));
            assert_memory_equal(part, expected + first, (size_t)count * sizeof *part);
        }
        rnnkit_tokens_destroy(spilled);
    }
    rnnkit_tokens_destroy(whole);
}

static void no_folder_for_the_file(void **state)
{
    (void)state;
    char options[2048];
    rnnkit_tokens *tokens = NULL;
    snprintf(options, sizeof options, "memory=0 folder=\"%s\"", scratch_path("missing"));
    text_ok(rnnkit_tokens_create(vocab, options, &tokens));
    text_fails(rnnkit_tokens_push(tokens, "a b", -1), RNNKIT_E_IO, "missing: No such file");
    text_fails(rnnkit_tokens_push(tokens, "a b", -1), RNNKIT_E_ORDER, "failed half-way");
    text_fails(rnnkit_tokens_finish(tokens), RNNKIT_E_ORDER, "failed half-way");
    rnnkit_tokens_destroy(tokens);
}

/* A disk that is full, as a limit on the size of files. */
static void a_full_disk(void **state)
{
    (void)state;
    struct rlimit old, small;
    int32_t ids[1000] = {0};
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, "memory=0", &tokens));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 300000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int32_t status = RNNKIT_OK;
    for (int i = 0; i < 1000 && status == RNNKIT_OK; i++)
        status = rnnkit_tokens_push_ids(tokens, ids, 1000);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    text_fails(status, RNNKIT_E_IO, "cannot write the temporary file of tokens: File too large");
    text_fails(rnnkit_tokens_finish(tokens), RNNKIT_E_ORDER, "failed half-way");
    rnnkit_tokens_destroy(tokens);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    const int32_t expected[] = {2};
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
    text_fails(rnnkit_tokens_push_file(tokens, scratch_path("missing")), RNNKIT_E_IO, "missing");
    text_fails(rnnkit_tokens_push_file(tokens, scratch_path("")), RNNKIT_E_IO, "rnnkit-test");
    text_ok(rnnkit_tokens_push(tokens, "a", -1));
    text_ok(rnnkit_tokens_finish(tokens));
    expect_ids(tokens, expected, 1);
    rnnkit_tokens_destroy(tokens);
}

static void bad_text(void **state)
{
    (void)state;
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
    text_ok(rnnkit_tokens_push(tokens, "a", -1));
    text_fails(rnnkit_tokens_push(tokens, " b\xFF", -1), RNNKIT_E_ENCODING, "at byte 3");
    text_fails(rnnkit_tokens_push_ids(tokens, &(int32_t){2}, 1), RNNKIT_E_ORDER, "half-way");
    rnnkit_tokens_destroy(tokens);
}

static void a_cancel_stops_a_file(void **state)
{
    (void)state;
    const char *path = scratch_path("cancelled.txt");
    scratch_write(path, "b b b", 5);
    const int32_t expected[] = {2, 4};
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
    text_ok(rnnkit_tokens_push(tokens, "a ", -1));
    rnnkit_context_cancel(context);
    assert_int_equal(rnnkit_tokens_push_file(tokens, path), RNNKIT_STOPPED);
    text_ok(rnnkit_tokens_push(tokens, "c", -1));
    text_ok(rnnkit_tokens_finish(tokens));
    expect_ids(tokens, expected, 2);
    rnnkit_tokens_destroy(tokens);
}

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_tokens *none = NULL, *tokens = NULL;
    rnnkit_tokens *wrong = (rnnkit_tokens *)(void *)vocab;
    int32_t ids[3] = {2, 3, 5};
    text_fails(rnnkit_tokens_create(NULL, NULL, &none), RNNKIT_E_HANDLE, "vocab is NULL");
    text_fails(rnnkit_tokens_create(vocab, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_tokens_create(vocab, "memory=-1", &none), RNNKIT_E_OPTION, "memory=-1");
    text_fails(rnnkit_tokens_create(vocab, "memroy=1", &none), RNNKIT_E_OPTION, "'memory'");
    assert_null(none);
    text_ok(rnnkit_tokens_create(vocab, NULL, &tokens));
    text_fails(rnnkit_tokens_push(NULL, "a", 1), RNNKIT_E_HANDLE, "tokens is NULL");
    text_fails(rnnkit_tokens_push(wrong, "a", 1), RNNKIT_E_HANDLE, "expected a token stream");
    text_fails(rnnkit_tokens_push(tokens, NULL, 1), RNNKIT_E_ARGUMENT, "text is NULL");
    text_fails(rnnkit_tokens_push(tokens, "a", -3), RNNKIT_E_ARGUMENT, "length is -3");
    text_fails(rnnkit_tokens_push_file(wrong, "a"), RNNKIT_E_HANDLE, "vocabulary");
    text_fails(rnnkit_tokens_push_file(tokens, NULL), RNNKIT_E_ARGUMENT, "path is NULL");
    text_fails(rnnkit_tokens_push_ids(wrong, ids, 1), RNNKIT_E_HANDLE, "vocabulary");
    text_fails(rnnkit_tokens_push_ids(tokens, NULL, 1), RNNKIT_E_ARGUMENT, "ids is NULL");
    text_fails(rnnkit_tokens_push_ids(tokens, ids, -1), RNNKIT_E_ARGUMENT, "count is -1");
    text_fails(rnnkit_tokens_push_ids(tokens, ids, 3), RNNKIT_E_ARGUMENT,
        "ids[2] is 5, the vocabulary has ids 0 to 4");
    text_fails(rnnkit_tokens_size(tokens, NULL, NULL), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_tokens_read(tokens, 0, ids, 0), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_tokens_finish(NULL), RNNKIT_E_HANDLE, "tokens is NULL");
    text_ok(rnnkit_tokens_push_ids(tokens, ids, 2));
    text_ok(rnnkit_tokens_finish(tokens));
    text_fails(rnnkit_tokens_finish(tokens), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_tokens_push(tokens, "a", 1), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_tokens_push_file(tokens, "a"), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_tokens_push_ids(tokens, ids, 1), RNNKIT_E_ORDER, "finished already");
    text_fails(rnnkit_tokens_size(NULL, NULL, NULL), RNNKIT_E_HANDLE, "tokens is NULL");
    text_fails(rnnkit_tokens_read(NULL, 0, ids, 1), RNNKIT_E_HANDLE, "tokens is NULL");
    text_fails(rnnkit_tokens_read(tokens, 0, NULL, 1), RNNKIT_E_ARGUMENT, "ids is NULL");
    text_fails(rnnkit_tokens_read(tokens, -1, ids, 1), RNNKIT_E_ARGUMENT, "first is -1");
    text_fails(rnnkit_tokens_read(tokens, 1, ids, 2), RNNKIT_E_ARGUMENT, "has 2 tokens");
    text_fails(rnnkit_tokens_read(tokens, 3, ids, 0), RNNKIT_E_ARGUMENT, "first is 3");
    text_fails(rnnkit_tokens_read(tokens, 1, ids, INT64_MAX), RNNKIT_E_ARGUMENT, "2 tokens");
    rnnkit_tokens_destroy(NULL);
    rnnkit_tokens_destroy(tokens);
}

static int32_t use_all(rnnkit_context *with, const char *options)
{
    rnnkit_tokenizer *own = NULL;
    rnnkit_vocab *words = NULL;
    rnnkit_tokens *tokens = NULL;
    int32_t ids[4];
    int32_t status = rnnkit_tokenizer_create(with, NULL, &own);
    if (status == RNNKIT_OK) status = rnnkit_vocab_create(own, NULL, &words);
    if (status == RNNKIT_OK) status = rnnkit_vocab_push(words, "a b", -1);
    if (status == RNNKIT_OK) status = rnnkit_vocab_finish(words);
    if (status == RNNKIT_OK) status = rnnkit_tokens_create(words, options, &tokens);
    if (status == RNNKIT_OK) status = rnnkit_tokens_push(tokens, "a b a b", -1);
    if (status == RNNKIT_OK) status = rnnkit_tokens_finish(tokens);
    if (status == RNNKIT_OK) status = rnnkit_tokens_read(tokens, 0, ids, 4);
    rnnkit_tokenizer_destroy(own);
    rnnkit_vocab_destroy(words);
    rnnkit_tokens_destroy(tokens);
    return status;
}

static void no_memory_at_any_moment(void **state)
{
    static const char *const limits[] = {NULL, "memory=0"};
    (void)state;
    failing_memory memory = {0};
    rnnkit_context *failing = NULL;
    text_ok(rnnkit_context_create_with_allocator(
        "cpu", NULL, failing_allocate, failing_release, &memory, &failing));
    int64_t alive = memory.alive;
    for (int i = 0; i < 2; i++) {
        int32_t status = RNNKIT_E_MEMORY;
        for (int64_t n = 1; status != RNNKIT_OK; n++) {
            memory.fail_at = memory.calls + n;
            status = use_all(failing, limits[i]);
            if (status != RNNKIT_OK) text_fails(status, RNNKIT_E_MEMORY, "out of memory");
            assert_int_equal(memory.alive, alive);
            assert_true(n < 200);
        }
    }
    memory.fail_at = 0;
    rnnkit_context_destroy(failing);
    assert_int_equal(memory.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_files_and_ids_in_a_row),
        cmocka_unit_test(an_empty_stream_is_one),
        cmocka_unit_test(pieces_may_be_cut_anywhere),
        cmocka_unit_test(beyond_memory),
        cmocka_unit_test(no_folder_for_the_file),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(bad_text),
        cmocka_unit_test(a_cancel_stops_a_file),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(no_memory_at_any_moment),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
