/* Vectors: every format there and back and damaged; what must fail. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/text.h"
#include "../support/vectors.h"

static rnnkit_context *context;
static char logged[256];

static void keep_log(int32_t level, const char *line, void *user)
{
    (void)level;
    (void)user;
    snprintf(logged, sizeof logged, "%s", line);
}

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", "threads=3", &context));
    text_ok(rnnkit_context_set_log(context, keep_log, NULL));
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_context_destroy(context);
    return 0;
}

static void expect_same(const rnnkit_vectors *a, const rnnkit_vectors *b)
{
    int64_t count[2], width[2], needed;
    float *x = vectors_values(a, &count[0], &width[0]),
          *y = vectors_values(b, &count[1], &width[1]);
    assert_int_equal(count[0], count[1]);
    assert_int_equal(width[0], width[1]);
    assert_memory_equal(x, y, (size_t)(count[0] * width[0]) * sizeof *x);
    for (int32_t i = 0; i < count[0]; i++) {
        char word[2][64];
        text_ok(rnnkit_vectors_word(a, i, word[0], sizeof word[0], &needed, NULL));
        text_ok(rnnkit_vectors_word(b, i, word[1], sizeof word[1], &needed, NULL));
        assert_string_equal(word[0], word[1]);
    }
    free(x);
    free(y);
}

static void every_format_comes_back(void **state)
{
    (void)state;
    static const char *const formats[] = {"text", "binary", "vec", "glove", "safetensors"};
    for (int64_t count = 1; count < 6000; count = count * 7 + 1) {
        rnnkit_vectors *vectors = vectors_random(context, count, 1 + count % 9), *back;
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            char options[64];
            const char *path = scratch_path("vectors");
            snprintf(options, sizeof options, "format=%s", formats[f]);
            text_ok(rnnkit_vectors_save(vectors, path, options));
            if (f != 2) {
                text_ok(rnnkit_vectors_open(context, path, options, &back));
                expect_same(vectors, back);
                rnnkit_vectors_destroy(back);
            }
            text_ok(rnnkit_vectors_open(context, path, NULL, &back));
            expect_same(vectors, back);
            rnnkit_vectors_destroy(back);
        }
        text_ok(rnnkit_vectors_open(context, scratch_path("vectors"), "map=1", &back));
        expect_same(vectors, back);
        rnnkit_vectors_destroy(back);
        rnnkit_vectors_destroy(vectors);
    }
}

static void expect_row(const rnnkit_vectors *vectors, const char *word, float a, float b)
{
    int32_t id;
    float values[2];
    text_ok(rnnkit_vectors_find(vectors, word, -1, &id));
    text_ok(rnnkit_vectors_read(vectors, &id, 1, values));
    assert_true(values[0] == a && values[1] == b);
}

/* As word2vec.c, gensim, fastText and GloVe write them. */
static void other_programs_files(void **state)
{
    (void)state;
    static const char word2vec_text[] = "2 2\n</s> 0.004003 -0.500000 \nthe 1.000000 2.000000 \n";
    static const char gensim_text[] = "2 2\nthe 1.0 2.0\n</s> 0.004003 -5e-1\n";
    static const char gensim_binary[] = "2 2\nthe \0\0\x80\x3f\0\0\0\x40</s> \0\0\0\x3f\0\0\0\xbf";
    static const char word2vec_binary[] =
        "2 2\nthe \0\0\x80\x3f\0\0\0\x40\n</s> \0\0\0\x3f\0\0\0\xbf\n";
    static const char glove[] = "the 1 2\n. . 0.25 -3";
    static const char crlf[] = "1 2\r\nthe 1 2\r\n";
    rnnkit_vectors *vectors =
        vectors_of_bytes(context, word2vec_text, sizeof word2vec_text - 1, NULL);
    expect_row(vectors, "</s>", 0.004003f, -0.5f);
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, gensim_text, sizeof gensim_text - 1, NULL);
    expect_row(vectors, "</s>", 0.004003f, -0.5f);
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, gensim_binary, sizeof gensim_binary - 1, NULL);
    expect_row(vectors, "the", 1, 2);
    expect_row(vectors, "</s>", 0.5f, -0.5f);
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, word2vec_binary, sizeof word2vec_binary - 1, NULL);
    expect_row(vectors, "the", 1, 2);
    expect_row(vectors, "</s>", 0.5f, -0.5f);
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, glove, sizeof glove - 1, NULL);
    expect_row(vectors, ". .", 0.25f, -3);
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, crlf, sizeof crlf - 1, NULL);
    expect_row(vectors, "the", 1, 2);
    rnnkit_vectors_destroy(vectors);
}

static void limits_and_repeated_words(void **state)
{
    (void)state;
    static const char text[] = "4 2\na 1 2\nb 3 4\na 5 6\nc 7 8\n";
    int64_t words;
    rnnkit_vectors *vectors = vectors_of_bytes(context, text, sizeof text - 1, NULL);
    text_ok(rnnkit_vectors_size(vectors, &words, NULL));
    assert_int_equal(words, 3);
    expect_row(vectors, "a", 1, 2);
    expect_row(vectors, "c", 7, 8);
    assert_non_null(strstr(logged, "1 words came again"));
    rnnkit_vectors_destroy(vectors);
    vectors = vectors_of_bytes(context, text, sizeof text - 1, "limit=2");
    text_ok(rnnkit_vectors_size(vectors, &words, NULL));
    assert_int_equal(words, 2);
    rnnkit_vectors_destroy(vectors);
}

static void hostile_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *options, *message;
        size_t size;
    } files[] = {
        {"", NULL, "empty", 0},
        {"\n", NULL, "word", 1},
        {"2 2\na 1 2\n", NULL, "2 words", 0},
        {"1 2\na 1 2\nb 1 2\n", NULL, "lines follow", 0},
        {"1 2\na 1 x\n", "format=text", "line 2: expected a finite number, found 'x'", 0},
        {"1 2\na 1 nan\n", "format=text", "found 'nan'", 0},
        {"1 2\na 1 1e39\n", "format=text", "found '1e39'", 0},
        {"1 2\n1 2\n", "format=text", "expected a word and 2 values", 0},
        {"-1 2\na 1 2\n", NULL, "says -1 words", 0},
        {"1 -2\na 1 2\n", NULL, "dimension -2", 0},
        {"0 2\n", NULL, "says 0 words", 0},
        {"9223372036854775807 9223372036854775807\na 1\n", NULL, "bytes follow", 0},
        {"2000000000 3\na 1 2 3\n", NULL, "bytes follow", 0},
        {"99999999999999999999 3\na 1 2 3\n", "format=text", "line 1: expected", 0},
        {"a 1 2\nb 1\n", NULL, "line 2: expected a word and 2 values", 0},
        {"a\nb\n", NULL, "dimension 0", 0},
        {"1 1\na \0\0\xc0\x7f", NULL, "not finite", 10},
        {"1 1\na \0\0\x80", NULL, "ends within word 0", 9},
        {"2 1\na \0\0\x80\x3f"
         "bcdef",
            NULL, "ends within word 1", 15},
        {"1 1\n \0\0\x80\x3f", "format=binary", "expected a word", 9},
        {"1 2\na\0b 1 2\n", "format=text", "without NUL", 12},
        {"not a safetensors file", "format=safetensors", "", 0},
        {"1 2\na 1 2\n", "map=1", "map=1", 0},
    };
    const char *path = scratch_path("hostile");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        rnnkit_vectors *vectors = NULL;
        size_t size = files[i].size > 0 ? files[i].size : strlen(files[i].bytes);
        scratch_write(path, files[i].bytes, size);
        int32_t status = rnnkit_vectors_open(context, path, files[i].options, &vectors);
        if (status != RNNKIT_E_FORMAT && status != RNNKIT_E_OPTION)
            fail_msg("file %zu: %s, %s", i, rnnkit_status_name(status), rnnkit_error_message());
        if (strstr(rnnkit_error_message(), files[i].message) == NULL)
            fail_msg("file %zu: '%s' lacks '%s'", i, rnnkit_error_message(), files[i].message);
        assert_null(vectors);
    }
}

/* Every cut of every format either opens or is told to be damaged. */
static void truncated_files(void **state)
{
    (void)state;
    static const char *const formats[] = {"text", "binary", "glove", "safetensors"};
    rnnkit_vectors *vectors = vectors_random(context, 5, 3), *back;
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        char options[64];
        const char *path = scratch_path("whole"), *cut = scratch_path("cut");
        size_t size;
        snprintf(options, sizeof options, "format=%s", formats[f]);
        text_ok(rnnkit_vectors_save(vectors, path, options));
        unsigned char *bytes = scratch_read(path, &size);
        for (size_t n = 0; n < size - 1; n++) {
            scratch_write(cut, bytes, n);
            int32_t status = rnnkit_vectors_open(context, cut, options, &back);
            if (status == RNNKIT_OK)
                rnnkit_vectors_destroy(back);
            else
                assert_int_equal(status, RNNKIT_E_FORMAT);
            if (f == 3 || f == 1) assert_int_equal(status, RNNKIT_E_FORMAT);
        }
        free(bytes);
    }
    rnnkit_vectors_destroy(vectors);
}

static void words_that_a_format_cannot_hold(void **state)
{
    (void)state;
    static const float values[] = {1, 2};
    rnnkit_vectors *vectors, *back;
    const char *path = scratch_path("spaces");
    text_ok(rnnkit_vectors_create(context, "a b\0c", 2, values, 1, &vectors));
    text_fails(rnnkit_vectors_save(vectors, path, NULL), RNNKIT_E_ARGUMENT, "cannot hold");
    text_fails(rnnkit_vectors_save(vectors, path, "format=binary"), RNNKIT_E_ARGUMENT, "'a\\x20b'");
    text_ok(rnnkit_vectors_save(vectors, path, "format=safetensors"));
    text_ok(rnnkit_vectors_open(context, path, NULL, &back));
    expect_same(vectors, back);
    rnnkit_vectors_destroy(back);
    rnnkit_vectors_destroy(vectors);
}

/* A full disk: the old file stays whole. */
static void a_full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    rnnkit_vectors *vectors = vectors_random(context, 2000, 8);
    const char *path = scratch_path("old");
    scratch_write(path, "old", 3);
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 4096;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int32_t status = rnnkit_vectors_save(vectors, path, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, RNNKIT_E_IO);
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    rnnkit_vectors_destroy(vectors);
}

/* What must fail does, and changes nothing. */
static void bad_arguments(void **state)
{
    (void)state;
    static const float good[] = {1, 2}, bad[] = {1, NAN};
    rnnkit_vectors *vectors = vectors_random(context, 4, 2), *out = (rnnkit_vectors *)0x1;
    int32_t ids[4] = {9, 9, 9, 9}, id = 9;
    float scores[4];
    int64_t found = 9, needed;
    double value = 9;
    text_fails(rnnkit_vectors_create(NULL, "a", 1, good, 1, &out), RNNKIT_E_HANDLE, "context");
    text_fails(rnnkit_vectors_create(context, NULL, 1, good, 1, &out), RNNKIT_E_ARGUMENT, "words");
    text_fails(rnnkit_vectors_create(context, "a", 1, NULL, 1, &out), RNNKIT_E_ARGUMENT, "values");
    text_fails(rnnkit_vectors_create(context, "a", 1, good, 1, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(
        rnnkit_vectors_create(context, "a", 0, good, 1, &out), RNNKIT_E_ARGUMENT, "count is 0");
    text_fails(
        rnnkit_vectors_create(context, "a", 1, good, 0, &out), RNNKIT_E_ARGUMENT, "dimension 0");
    text_fails(
        rnnkit_vectors_create(context, "a\0a", 2, good, 1, &out), RNNKIT_E_ARGUMENT, "words[1]");
    text_fails(rnnkit_vectors_create(context, "a\0", 2, good, 1, &out), RNNKIT_E_ARGUMENT, "empty");
    text_fails(
        rnnkit_vectors_create(context, "a\0b", 2, bad, 1, &out), RNNKIT_E_ARGUMENT, "values[1][0]");
    text_fails(
        rnnkit_vectors_create(context, "a", INT64_MAX, good, 3, &out), RNNKIT_E_SHAPE, "too many");
    text_fails(rnnkit_vectors_create(context, "a", (int64_t)1 << 62, good, 1, &out),
        RNNKIT_E_MEMORY, "vectors");
    assert_ptr_equal(out, (void *)0x1);
    text_fails(
        rnnkit_vectors_open(context, scratch_path("missing"), NULL, &out), RNNKIT_E_IO, "missing");
    text_fails(rnnkit_vectors_open(context, NULL, NULL, &out), RNNKIT_E_ARGUMENT, "path");
    text_fails(
        rnnkit_vectors_open(context, "x", "formt=text", &out), RNNKIT_E_OPTION, "did you mean");
    text_fails(rnnkit_vectors_save(vectors, NULL, NULL), RNNKIT_E_ARGUMENT, "path");
    text_fails(rnnkit_vectors_save(vectors, scratch_path("no/such"), NULL), RNNKIT_E_IO, "no/");
    text_fails(rnnkit_vectors_size((const rnnkit_vectors *)(const void *)context, NULL, NULL),
        RNNKIT_E_HANDLE, "vectors");
    text_fails(rnnkit_vectors_word(vectors, 4, NULL, 0, &needed, NULL), RNNKIT_E_NOT_FOUND, "id 4");
    text_fails(rnnkit_vectors_word(vectors, 0, NULL, 0, &needed, NULL), RNNKIT_E_TOO_SMALL,
        "3 are needed");
    assert_int_equal(needed, 3);
    text_fails(rnnkit_vectors_find(vectors, NULL, -1, &id), RNNKIT_E_ARGUMENT, "word");
    text_fails(rnnkit_vectors_find(vectors, "w1", -1, NULL), RNNKIT_E_ARGUMENT, "id");
    ids[1] = -1;
    text_fails(rnnkit_vectors_read(vectors, ids + 1, 1, scores), RNNKIT_E_NOT_FOUND, "ids[0]");
    text_fails(rnnkit_vectors_read(vectors, ids, -1, scores), RNNKIT_E_ARGUMENT, "below 0");
    text_fails(rnnkit_vectors_similarity(vectors, 0, 4, &value), RNNKIT_E_NOT_FOUND, "id 4");
    text_fails(rnnkit_vectors_similarity(vectors, 0, 1, NULL), RNNKIT_E_ARGUMENT, "similarity");
    text_fails(
        rnnkit_vectors_n_similarity(vectors, ids, 0, ids, 0, &value), RNNKIT_E_ARGUMENT, "no word");
    text_fails(rnnkit_vectors_doesnt_match(vectors, NULL, 2, &found), RNNKIT_E_ARGUMENT, "ids");
    text_fails(rnnkit_vectors_rank(vectors, 0, -1, &found), RNNKIT_E_NOT_FOUND, "id -1");
    text_fails(rnnkit_vectors_most_similar(vectors, NULL, 0, NULL, 0, NULL, 2, ids, scores, &found),
        RNNKIT_E_ARGUMENT, "neither");
    ids[0] = 0;
    text_fails(rnnkit_vectors_most_similar(vectors, ids, 1, NULL, 0, NULL, 0, ids, scores, &found),
        RNNKIT_E_ARGUMENT, "capacity");
    text_fails(
        rnnkit_vectors_most_similar(vectors, ids, 1, ids + 1, 1, NULL, 2, ids, scores, &found),
        RNNKIT_E_NOT_FOUND, "negative[0]");
    text_fails(rnnkit_vectors_similar_by_vector(vectors, bad, 1, NULL, 1, ids, scores),
        RNNKIT_E_ARGUMENT, "queries[0][1]");
    text_fails(rnnkit_vectors_similar_by_vector(vectors, good, 0, NULL, 1, ids, scores),
        RNNKIT_E_ARGUMENT, "count is 0");
    text_fails(rnnkit_vectors_evaluate_pairs(
                   vectors, scratch_path("missing"), NULL, NULL, NULL, NULL, NULL),
        RNNKIT_E_IO, "missing");
    text_fails(rnnkit_vectors_evaluate_analogies(
                   vectors, scratch_path("missing"), NULL, NULL, 0, &needed, NULL, NULL),
        RNNKIT_E_IO, "missing");
    assert_true(value == 9 && found == 9 && id == 9);
    rnnkit_vectors_destroy(vectors);
    rnnkit_vectors_destroy(NULL);
}

static int32_t live(rnnkit_context *own, const char *path)
{
    rnnkit_vectors *vectors = NULL;
    int32_t ids[2] = {0, 1};
    float scores[2];
    int64_t found;
    int32_t status = rnnkit_vectors_open(own, path, NULL, &vectors);
    if (status == RNNKIT_OK)
        status =
            rnnkit_vectors_most_similar(vectors, ids, 1, NULL, 0, NULL, 2, ids, scores, &found);
    if (status == RNNKIT_OK) status = rnnkit_vectors_save(vectors, scratch_path("again"), NULL);
    rnnkit_vectors_destroy(vectors);
    return status;
}

static void no_memory_at_any_moment(void **state)
{
    (void)state;
    static const char *const formats[] = {"text", "binary", "safetensors"};
    rnnkit_vectors *vectors = vectors_random(context, 300, 5);
    for (size_t f = 0; f < 3; f++) {
        char options[64], path[512];
        int32_t status = RNNKIT_E_MEMORY;
        snprintf(options, sizeof options, "format=%s", formats[f]);
        snprintf(path, sizeof path, "%s", scratch_path("oom"));
        text_ok(rnnkit_vectors_save(vectors, path, options));
        for (int64_t fail_at = 1; status == RNNKIT_E_MEMORY && fail_at < 1000; fail_at++) {
            failing_memory hook = {0};
            rnnkit_context *own;
            text_ok(rnnkit_context_create_with_allocator(
                "cpu", "threads=1", failing_allocate, failing_release, &hook, &own));
            hook.fail_at = hook.calls + fail_at;
            status = live(own, path);
            hook.fail_at = 0;
            rnnkit_context_destroy(own);
            assert_int_equal(hook.alive, 0);
        }
        text_ok(status);
    }
    rnnkit_vectors_destroy(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_comes_back),
        cmocka_unit_test(other_programs_files),
        cmocka_unit_test(limits_and_repeated_words),
        cmocka_unit_test(hostile_files),
        cmocka_unit_test(truncated_files),
        cmocka_unit_test(words_that_a_format_cannot_hold),
        cmocka_unit_test(a_full_disk_keeps_the_old_file),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(no_memory_at_any_moment),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
