/* word2vec as a program sees it: text in, vectors out, everything that can go wrong on the way. */
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

static rnnkit_context *context;
static rnnkit_tokenizer *tokenizer;
static rnnkit_vocab *vocab;

static const char poem[] = "the cat sat on the mat\nthe dog sat on the log\nthe cat saw the dog\n";

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", "threads=2", &context));
    tokenizer = text_tokenizer(context, "punctuation=keep invalid=replace");
    vocab = text_vocab(tokenizer, NULL, poem);
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

static rnnkit_word2vec *create(const char *options)
{
    rnnkit_word2vec *word2vec;
    text_ok(rnnkit_word2vec_create(vocab, options, &word2vec));
    return word2vec;
}

/* The vectors as a file's bytes, to compare two of them. */
static unsigned char *bytes_of(const rnnkit_word2vec *word2vec, size_t *size)
{
    rnnkit_vectors *vectors;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("bytes"));
    text_ok(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
    text_ok(rnnkit_vectors_save(vectors, path, "format=binary"));
    rnnkit_vectors_destroy(vectors);
    return scratch_read(path, size);
}

static void expect_same(const rnnkit_word2vec *a, const rnnkit_word2vec *b)
{
    size_t size[2];
    unsigned char *bytes[2] = {bytes_of(a, &size[0]), bytes_of(b, &size[1])};
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    free(bytes[0]);
    free(bytes[1]);
}

static void four_calls(void **state)
{
    (void)state;
    rnnkit_word2vec *word2vec = create("dimension=10 sample=0 threads=1");
    int64_t words, dimension, epoch, trained;
    double done, loss, rate;
    text_ok(rnnkit_word2vec_size(word2vec, &words, &dimension));
    assert_int_equal(words, 8);
    assert_int_equal(dimension, 10);
    text_ok(rnnkit_word2vec_progress(word2vec, &epoch, &done, &trained, &loss, &rate));
    assert_true(epoch == 0 && done == 0 && trained == 0 && isnan(loss) && rate == 0.025);
    text_ok(rnnkit_word2vec_push(word2vec, poem, -1));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_progress(word2vec, &epoch, &done, &trained, &loss, &rate));
    assert_true(epoch == 5 && done == 1 && trained == 5 * 17 && loss > 0 && loss < 1);
    assert_int_equal(rnnkit_word2vec_step(word2vec), RNNKIT_DONE);
    rnnkit_vectors *vectors;
    int32_t id;
    int64_t needed, count;
    char word[8];
    text_ok(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
    text_ok(rnnkit_vectors_word(vectors, 0, word, sizeof word, &needed, &count));
    assert_string_equal(word, "the");
    assert_int_equal(count, 6);
    text_ok(rnnkit_vectors_find(vectors, "mat", -1, &id));
    rnnkit_vectors_destroy(vectors);
    text_ok(rnnkit_word2vec_vectors(word2vec, "matrix=output", &vectors));
    rnnkit_word2vec_destroy(word2vec);
    text_ok(rnnkit_vectors_find(vectors, "mat", -1, &id)); /* outlives its origin */
    rnnkit_vectors_destroy(vectors);
}

static int32_t count_calls(double done, double loss, double rate, void *user)
{
    assert_true(done > 0 && done <= 1 && isfinite(loss) && rate >= 0);
    return ++*(int *)user == 2;
}

static void a_callback_stops_and_a_cancel_too(void **state)
{
    (void)state;
    rnnkit_word2vec *whole = create("dimension=4 sample=0 epochs=4 threads=1"), *parts;
    int calls = 0;
    parts = create("dimension=4 sample=0 epochs=4 threads=1");
    text_ok(rnnkit_word2vec_push(whole, poem, -1));
    text_ok(rnnkit_word2vec_train(whole, NULL, NULL));
    text_ok(rnnkit_word2vec_push(parts, poem, 10));
    text_ok(rnnkit_word2vec_push(parts, poem + 10, -1));
    assert_int_equal(rnnkit_word2vec_train(parts, count_calls, &calls), RNNKIT_STOPPED);
    assert_int_equal(calls, 2);
    text_fails(rnnkit_word2vec_push(parts, poem, -1), RNNKIT_E_ORDER, "training has begun");
    rnnkit_context_cancel(context);
    assert_int_equal(rnnkit_word2vec_train(parts, NULL, NULL), RNNKIT_STOPPED);
    text_ok(rnnkit_word2vec_train(parts, NULL, NULL));
    expect_same(whole, parts);
    rnnkit_word2vec_destroy(whole);
    rnnkit_word2vec_destroy(parts);
}

static void more_text_is_another_run(void **state)
{
    (void)state;
    rnnkit_word2vec *word2vec = create("dimension=4 epochs=1");
    int64_t epoch, trained;
    text_ok(rnnkit_word2vec_push(word2vec, "the cat", -1));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_push(word2vec, "the dog sat", -1));
    text_ok(rnnkit_word2vec_progress(word2vec, &epoch, NULL, &trained, NULL, NULL));
    assert_true(epoch == 0 && trained == 0);
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_progress(word2vec, &epoch, NULL, &trained, NULL, NULL));
    assert_true(epoch == 1 && trained == 3);
    rnnkit_word2vec_destroy(word2vec);
}

static void states_come_back(void **state)
{
    (void)state;
    char path[512];
    rnnkit_word2vec *word2vec = create("dimension=4 epochs=3 threads=1 window=2 lr=0.1"), *back;
    rnnkit_vocab *other;
    snprintf(path, sizeof path, "%s", scratch_path("state"));
    /* before any text, within a run, after it */
    text_ok(rnnkit_word2vec_save(word2vec, path));
    text_ok(rnnkit_word2vec_open(context, path, NULL, &back));
    expect_same(word2vec, back);
    rnnkit_word2vec_destroy(back);
    text_ok(rnnkit_word2vec_push(word2vec, poem, -1));
    text_ok(rnnkit_word2vec_step(word2vec));
    text_ok(rnnkit_word2vec_save(word2vec, path));
    text_fails(rnnkit_word2vec_open(context, path, "lr=0.2", &back), RNNKIT_E_OPTION, "not over");
    text_fails(
        rnnkit_word2vec_open(context, path, "dimension=5", &back), RNNKIT_E_OPTION, "dimension");
    text_ok(rnnkit_word2vec_open(context, path, "threads=1", &back));
    text_ok(rnnkit_word2vec_push(back, "the cat", -1));
    text_fails(rnnkit_word2vec_step(back), RNNKIT_E_SHAPE, "not that of the run");
    text_fails(rnnkit_word2vec_step(back), RNNKIT_E_ORDER, "half-way");
    rnnkit_word2vec_destroy(back);
    text_ok(rnnkit_word2vec_open(context, path, "threads=1", &back));
    text_ok(rnnkit_word2vec_vocab(back, &other));
    rnnkit_vocab_destroy(other);
    text_ok(rnnkit_word2vec_push(back, poem, -1));
    text_ok(rnnkit_word2vec_train(back, NULL, NULL));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    expect_same(word2vec, back);
    rnnkit_word2vec_destroy(back);
    text_ok(rnnkit_word2vec_save(word2vec, path));
    rnnkit_word2vec_destroy(word2vec);
    text_ok(rnnkit_word2vec_open(context, path, "lr=0.01 epochs=1", &back));
    text_ok(rnnkit_word2vec_push(back, "dog cat", -1));
    text_ok(rnnkit_word2vec_train(back, NULL, NULL));
    rnnkit_word2vec_destroy(back);
}

static void damaged_states(void **state)
{
    (void)state;
    char path[512], damaged[512];
    size_t size;
    rnnkit_word2vec *word2vec = create("dimension=3"), *back = NULL;
    snprintf(path, sizeof path, "%s", scratch_path("good"));
    snprintf(damaged, sizeof damaged, "%s", scratch_path("damaged"));
    text_ok(rnnkit_word2vec_save(word2vec, path));
    unsigned char *bytes = scratch_read(path, &size);
    for (size_t i = 0; i < size; i += 3) {
        bytes[i] ^= 0x10;
        scratch_write(damaged, bytes, size);
        bytes[i] ^= 0x10;
        int32_t status = rnnkit_word2vec_open(context, damaged, NULL, &back);
        if (status != RNNKIT_E_FORMAT && status != RNNKIT_E_OPTION)
            fail_msg("byte %zu of %zu: %s", i, size, rnnkit_status_name(status));
        scratch_write(damaged, bytes, i);
        text_fails(rnnkit_word2vec_open(context, damaged, NULL, &back), RNNKIT_E_FORMAT, "damaged");
    }
    assert_null(back);
    free(bytes);
    rnnkit_word2vec_destroy(word2vec);
}

static void odd_texts(void **state)
{
    (void)state;
    static const char *const none[] = {"", "\n\n", "unheard of\n"};
    rnnkit_word2vec *word2vec;
    for (size_t i = 0; i < 3; i++) {
        word2vec = create("dimension=4");
        text_ok(rnnkit_word2vec_push(word2vec, none[i], -1));
        text_fails(rnnkit_word2vec_step(word2vec), RNNKIT_E_ARGUMENT, "no word of the vocabulary");
        rnnkit_word2vec_destroy(word2vec);
    }
    static const char *const some[] = {
        "the", "the the the the", "\xFF the \xC3( cat \xF0\x9F", "the\0cat", "cat unheard dog"};
    for (size_t i = 0; i < 5; i++) {
        word2vec = create("dimension=4 deterministic=1");
        text_ok(rnnkit_word2vec_push(word2vec, some[i], i == 3 ? 7 : -1));
        text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
        rnnkit_word2vec_destroy(word2vec);
    }
    /* a vocabulary of one word: there is no noise but itself */
    rnnkit_vocab *one = text_vocab(tokenizer, NULL, "a a a");
    text_ok(rnnkit_word2vec_create(one, "dimension=4", &word2vec));
    text_ok(rnnkit_word2vec_push(word2vec, "a a a a", -1));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(one);
}

/* Files may grow to `bytes` from here on; gives what was before. */
static struct rlimit limit_files(rlim_t bytes)
{
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    return before;
}

/* While a state is saved, the old file stays whole, and the run goes on; while text is set down, the
 * text is lost, and the vectors stay. */
static void a_full_disk(void **state)
{
    (void)state;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    rnnkit_word2vec *word2vec = create("dimension=400 epochs=2 memory=0"), *back;
    size_t size, after;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("full"));
    text_ok(rnnkit_word2vec_push(word2vec, poem, -1));
    text_ok(rnnkit_word2vec_step(word2vec));
    text_ok(rnnkit_word2vec_save(word2vec, path));
    unsigned char *old = scratch_read(path, &size), *now;
    int files = scratch_count(scratch_path(""));
    struct rlimit before = limit_files(4096);
    int32_t status = rnnkit_word2vec_save(word2vec, path);
    setrlimit(RLIMIT_FSIZE, &before);
    text_fails(status, RNNKIT_E_IO, "File too large");
    now = scratch_read(path, &after);
    assert_int_equal(after, size);
    assert_memory_equal(now, old, size);
    assert_int_equal(scratch_count(scratch_path("")), files);
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_open(context, path, NULL, &back));
    unsigned char *vectors = bytes_of(word2vec, &size);
    before = limit_files(100);
    for (status = RNNKIT_OK; status == RNNKIT_OK;)
        status = rnnkit_word2vec_push(word2vec, poem, -1);
    setrlimit(RLIMIT_FSIZE, &before);
    text_fails(status, RNNKIT_E_IO, "temporary file");
    text_fails(rnnkit_word2vec_step(word2vec), RNNKIT_E_ORDER, "failed half-way");
    unsigned char *same = bytes_of(word2vec, &after);
    assert_int_equal(after, size);
    assert_memory_equal(same, vectors, size);
    signal(SIGXFSZ, handler);
    free(old);
    free(now);
    free(vectors);
    free(same);
    rnnkit_word2vec_destroy(back);
    rnnkit_word2vec_destroy(word2vec);
}

static void one_line_of_ten_million_words(void **state)
{
    (void)state;
    enum { WORDS = 10000000 };
    char *text = malloc(4 * (size_t)WORDS + 1);
    int64_t trained;
    assert_non_null(text);
    for (int64_t i = 0; i < WORDS; i++)
        memcpy(text + 4 * i, i % 3 == 0 ? "the " : i % 3 == 1 ? "cat " : "dog ", 4);
    rnnkit_word2vec *word2vec = create("dimension=1 window=1 negative=1 epochs=1");
    text_ok(rnnkit_word2vec_push(word2vec, text, 4 * (int64_t)WORDS));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_progress(word2vec, NULL, NULL, &trained, NULL, NULL));
    assert_int_equal(trained, WORDS);
    rnnkit_word2vec_destroy(word2vec);
    free(text);
}

static void diverging_is_told(void **state)
{
    (void)state;
    rnnkit_word2vec *word2vec =
        create("dimension=4 sample=0 lr=100 min_lr=100 epochs=10000 threads=1 window=2");
    rnnkit_vectors *vectors;
    int32_t status;
    text_ok(rnnkit_word2vec_push(word2vec, poem, -1));
    status = rnnkit_word2vec_train(word2vec, NULL, NULL);
    if (status == RNNKIT_E_DIVERGED) {
        text_fails(rnnkit_word2vec_step(word2vec), RNNKIT_E_ORDER, "diverged");
        text_fails(rnnkit_word2vec_save(word2vec, scratch_path("x")), RNNKIT_E_ORDER, "diverged");
    } else {
        text_ok(status);
        text_ok(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
        rnnkit_vectors_destroy(vectors);
    }
    rnnkit_word2vec_destroy(word2vec);
}

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_word2vec *word2vec = create("dimension=4"), *out = (rnnkit_word2vec *)0x1;
    rnnkit_vectors *vectors;
    rnnkit_vocab *unfinished;
    text_ok(rnnkit_vocab_create(tokenizer, NULL, &unfinished));
    text_fails(rnnkit_word2vec_create(NULL, NULL, &out), RNNKIT_E_HANDLE, "vocab");
    text_fails(rnnkit_word2vec_create((rnnkit_vocab *)(void *)context, NULL, &out), RNNKIT_E_HANDLE,
        "vocab");
    text_fails(rnnkit_word2vec_create(unfinished, NULL, &out), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_word2vec_create(vocab, NULL, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(rnnkit_word2vec_create(vocab, "dimensoin=3", &out), RNNKIT_E_OPTION,
        "did you mean 'dimension'");
    text_fails(rnnkit_word2vec_create(vocab, "dimension=0", &out), RNNKIT_E_OPTION, "out of range");
    text_fails(rnnkit_word2vec_create(vocab, "sample=nan", &out), RNNKIT_E_OPTION, "finite");
    text_fails(rnnkit_word2vec_create(vocab, "lr=0.1 min_lr=0.2", &out), RNNKIT_E_OPTION, "min_lr");
    assert_ptr_equal(out, (void *)0x1);
    text_fails(rnnkit_word2vec_push(word2vec, NULL, 0), RNNKIT_E_ARGUMENT, "text");
    text_fails(rnnkit_word2vec_push(word2vec, "a", -2), RNNKIT_E_ARGUMENT, "length");
    text_fails(rnnkit_word2vec_push(NULL, "a", 1), RNNKIT_E_HANDLE, "word2vec");
    text_fails(rnnkit_word2vec_push_file(word2vec, NULL), RNNKIT_E_ARGUMENT, "path");
    text_fails(
        rnnkit_word2vec_push_file(word2vec, scratch_path("missing")), RNNKIT_E_IO, "missing");
    text_fails(rnnkit_word2vec_step(NULL), RNNKIT_E_HANDLE, "word2vec");
    text_fails(rnnkit_word2vec_train(NULL, NULL, NULL), RNNKIT_E_HANDLE, "word2vec");
    text_fails(
        rnnkit_word2vec_progress(NULL, NULL, NULL, NULL, NULL, NULL), RNNKIT_E_HANDLE, "word2vec");
    text_fails(rnnkit_word2vec_size(NULL, NULL, NULL), RNNKIT_E_HANDLE, "word2vec");
    text_fails(rnnkit_word2vec_vocab(word2vec, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(rnnkit_word2vec_vectors(word2vec, NULL, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(
        rnnkit_word2vec_vectors(word2vec, "matrix=both", &vectors), RNNKIT_E_OPTION, "matrix");
    text_fails(rnnkit_word2vec_save(word2vec, NULL), RNNKIT_E_ARGUMENT, "path");
    text_fails(rnnkit_word2vec_save(word2vec, scratch_path("")), RNNKIT_E_IO, "");
    text_fails(rnnkit_word2vec_open(context, NULL, NULL, &out), RNNKIT_E_ARGUMENT, "path");
    text_fails(
        rnnkit_word2vec_open(context, scratch_path("missing"), NULL, &out), RNNKIT_E_IO, "missing");
    /* none of that did any harm */
    text_ok(rnnkit_word2vec_push(word2vec, poem, -1));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_word2vec_destroy(NULL);
    rnnkit_vocab_destroy(unfinished);
}

static void strict_text_fails_half_way(void **state)
{
    (void)state;
    rnnkit_tokenizer *strict = text_tokenizer(context, "punctuation=keep");
    rnnkit_vocab *words = text_vocab(strict, NULL, poem);
    rnnkit_word2vec *word2vec;
    const char *path = scratch_path("bad.txt");
    scratch_write(path, "the cat \xFF", 9);
    text_ok(rnnkit_word2vec_create(words, "dimension=4", &word2vec));
    text_fails(rnnkit_word2vec_push_file(word2vec, path), RNNKIT_E_ENCODING, "bad.txt");
    text_fails(rnnkit_word2vec_push(word2vec, "the", -1), RNNKIT_E_ORDER, "half-way");
    text_fails(rnnkit_word2vec_step(word2vec), RNNKIT_E_ORDER, "half-way");
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(words);
    rnnkit_tokenizer_destroy(strict);
}

static int32_t live(rnnkit_context *own, rnnkit_vocab *words, const char *path)
{
    rnnkit_word2vec *word2vec = NULL, *back = NULL;
    rnnkit_vectors *vectors = NULL;
    int32_t status =
        rnnkit_word2vec_create(words, "dimension=4 deterministic=1 epochs=1", &word2vec);
    if (status >= 0) status = rnnkit_word2vec_push(word2vec, poem, -1);
    if (status >= 0) status = rnnkit_word2vec_train(word2vec, NULL, NULL);
    if (status >= 0) status = rnnkit_word2vec_save(word2vec, path);
    if (status >= 0) status = rnnkit_word2vec_open(own, path, NULL, &back);
    if (status >= 0) status = rnnkit_word2vec_vectors(back, NULL, &vectors);
    rnnkit_vectors_destroy(vectors);
    rnnkit_word2vec_destroy(back);
    rnnkit_word2vec_destroy(word2vec);
    return status;
}

static void no_memory_on(const char *device)
{
    int32_t status = RNNKIT_E_MEMORY;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("oom"));
    for (int64_t fail_at = 1; status == RNNKIT_E_MEMORY && fail_at < 5000; fail_at++) {
        failing_memory hook = {0};
        rnnkit_context *own;
        text_ok(rnnkit_context_create_with_allocator(
            device, "threads=1", failing_allocate, failing_release, &hook, &own));
        rnnkit_tokenizer *split = text_tokenizer(own, "punctuation=keep");
        rnnkit_vocab *words = text_vocab(split, NULL, poem);
        hook.fail_at = hook.calls + fail_at;
        status = live(own, words, path);
        hook.fail_at = 0;
        rnnkit_vocab_destroy(words);
        rnnkit_tokenizer_destroy(split);
        rnnkit_context_destroy(own);
        assert_int_equal(hook.alive, 0);
    }
    text_ok(status);
}

/* The reference device, where there is one, trains with its own memory. */
static void no_memory_at_any_moment(void **state)
{
    (void)state;
    rnnkit_context *reference;
    no_memory_on("cpu");
    if (rnnkit_context_create("reference", NULL, &reference) < 0) return;
    rnnkit_context_destroy(reference);
    no_memory_on("reference");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_calls),
        cmocka_unit_test(a_callback_stops_and_a_cancel_too),
        cmocka_unit_test(more_text_is_another_run),
        cmocka_unit_test(states_come_back),
        cmocka_unit_test(damaged_states),
        cmocka_unit_test(odd_texts),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(one_line_of_ten_million_words),
        cmocka_unit_test(diverging_is_told),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(strict_text_fails_half_way),
        cmocka_unit_test(no_memory_at_any_moment),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
