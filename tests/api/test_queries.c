/* Nearest words by way of a smaller copy: how many of the ten nearest are found, that scores are the
 * very same, for every number of threads and queries; what must fail; what it costs in memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/text.h"

enum { TOP = 10, COUNT = 20000, WIDTH = 100, ASKED = 200 };

static const char *const scans[] = {"scan=bf16", "scan=int8"};

static rnnkit_context *open_context(const char *options)
{
    rnnkit_context *context;
    text_ok(rnnkit_context_create("cpu", options, &context));
    return context;
}

/* Words w0, w1, ... */
static rnnkit_vectors *of_values(
    rnnkit_context *context, int64_t count, int64_t width, const float *values)
{
    char *words = malloc((size_t)count * 12);
    size_t used = 0;
    rnnkit_vectors *vectors;
    assert_non_null(words);
    for (int64_t i = 0; i < count; i++)
        used += (size_t)sprintf(words + used, "w%d", (int)i) + 1;
    text_ok(rnnkit_vectors_create(context, words, count, values, width, &vectors));
    free(words);
    return vectors;
}

/* Values from `middle` - 1 to `middle` + 1. */
static float *random_values(int64_t count, float middle)
{
    float *values = malloc((size_t)count * sizeof *values);
    uint64_t draws = 11;
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = middle + (float)text_draw(&draws, 1 << 24) / (1 << 23) - 1;
    return values;
}

static rnnkit_vectors *random_vectors(rnnkit_context *context, float middle)
{
    float *values = random_values(COUNT * WIDTH, middle);
    rnnkit_vectors *vectors = of_values(context, COUNT, WIDTH, values);
    free(values);
    return vectors;
}

/* Vectors learned from sentences of 40 subjects, whose words are the more frequent the earlier. */
static rnnkit_vectors *trained_vectors(rnnkit_context *context)
{
    enum { SENTENCES = 40000, LENGTH = 12, SUBJECTS = 40, WORDS = 200 };
    rnnkit_tokenizer *tokenizer = text_tokenizer(context, NULL);
    char *text = malloc((size_t)SENTENCES * LENGTH * 8);
    size_t used = 0;
    uint64_t draws = 5;
    rnnkit_word2vec *word2vec;
    rnnkit_vectors *vectors;
    assert_non_null(text);
    for (int i = 0; i < SENTENCES; i++) {
        int subject = (int)text_draw(&draws, SUBJECTS);
        for (int k = 0; k < LENGTH; k++) {
            int rank = (int)text_draw(&draws, 1 + text_draw(&draws, WORDS));
            used += (size_t)sprintf(text + used, "%dx%d ", subject, rank);
        }
        text[used - 1] = '\n';
    }
    text[used] = '\0';
    rnnkit_vocab *vocab = text_vocab(tokenizer, NULL, text);
    text_ok(rnnkit_word2vec_create(vocab, "dimension=64 epochs=3 sample=0", &word2vec));
    text_ok(rnnkit_word2vec_push(word2vec, text, -1));
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    free(text);
    return vectors;
}

typedef struct hits {
    int64_t found;
    int32_t ids[TOP];
    float scores[TOP];
} hits;

static hits ask(const rnnkit_vectors *vectors, const int32_t *words, int32_t count,
    int32_t negative, const char *method, const char *scan)
{
    char options[64];
    hits out = {0};
    snprintf(options, sizeof options, "%s %s", method, scan);
    text_ok(rnnkit_vectors_most_similar(vectors, words, count - negative, words + count - negative,
        negative, options, TOP, out.ids, out.scores, &out.found));
    assert_int_equal(out.found, TOP);
    return out;
}

/* How many of the nearest words are found, of all; those that are have the same score. */
static double share_found(const rnnkit_vectors *vectors, const char *method, const char *scan)
{
    int64_t size;
    int found = 0;
    text_ok(rnnkit_vectors_size(vectors, &size, NULL));
    for (int q = 0; q < ASKED; q++) {
        int32_t words[3] = {(int32_t)(q * size / ASKED), (int32_t)(q * size / ASKED / 2 + 1), 0};
        int one = strcmp(method, "method=add") == 0 && q % 2 == 0;
        hits exact = ask(vectors, words, one ? 1 : 3, !one, method, "scan=f32");
        hits fast = ask(vectors, words, one ? 1 : 3, !one, method, scan);
        for (int i = 0; i < TOP; i++) {
            assert_true(i == 0 || fast.scores[i] <= fast.scores[i - 1]);
            for (int j = 0; j < TOP; j++)
                if (fast.ids[i] == exact.ids[j]) {
                    assert_memory_equal(&fast.scores[i], &exact.scores[j], sizeof(float));
                    found++;
                }
        }
    }
    return (double)found / (ASKED * TOP);
}

static void check_found(const rnnkit_vectors *vectors, const char *kind)
{
    for (int s = 0; s < 2; s++)
        for (int multiply = 0; multiply < 2; multiply++) {
            const char *method = multiply ? "method=mul" : "method=add";
            double share = share_found(vectors, method, scans[s]);
            print_message("%s vectors, %s %s: %.4f found\n", kind, method, scans[s], share);
            assert_true(share >= 0.999);
        }
}

static void the_nearest_of_random_vectors_are_found(void **state)
{
    (void)state;
    rnnkit_context *context = open_context("threads=3");
    rnnkit_vectors *vectors = random_vectors(context, 0);
    check_found(vectors, "random");
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

static void the_nearest_of_trained_vectors_are_found(void **state)
{
    (void)state;
    rnnkit_context *context = open_context("threads=1 seed=3");
    rnnkit_vectors *vectors = trained_vectors(context);
    check_found(vectors, "trained");
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

/* Vectors that all point the same way but for a hundredth: what tells them apart is of the size of
 * int8's steps. Words are missed; what is given is true all the same. */
static void vectors_that_are_nearly_one(void **state)
{
    (void)state;
    rnnkit_context *context = open_context("threads=2");
    rnnkit_vectors *vectors = random_vectors(context, 100);
    double share = share_found(vectors, "method=add", "scan=int8");
    print_message("vectors that are nearly one, scan=int8: %.4f found\n", share);
    assert_true(share > 0.1 && share < 1);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

/* Every score that any scan gives is the one that scan=f32 gives that word. */
static void scores_are_those_of_the_vectors(void **state)
{
    (void)state;
    enum { QUERIES = 21, MANY = 500 };
    rnnkit_context *context = open_context("threads=2");
    rnnkit_vectors *vectors = random_vectors(context, 0);
    float *queries = random_values(QUERIES * WIDTH, 0.1f), *by_id = malloc(COUNT * sizeof *by_id);
    float *scores = malloc((size_t)QUERIES * COUNT * sizeof *scores), fast[QUERIES * MANY];
    int32_t *ids = malloc((size_t)QUERIES * COUNT * sizeof *ids), fast_ids[QUERIES * MANY];
    assert_true(by_id != NULL && scores != NULL && ids != NULL);
    text_ok(rnnkit_vectors_similar_by_vector(vectors, queries, QUERIES, NULL, COUNT, ids, scores));
    for (int s = 0; s < 2; s++) {
        text_ok(rnnkit_vectors_similar_by_vector(
            vectors, queries, QUERIES, scans[s], MANY, fast_ids, fast));
        for (int q = 0; q < QUERIES; q++) {
            for (int i = 0; i < COUNT; i++)
                by_id[ids[q * COUNT + i]] = scores[q * COUNT + i];
            for (int i = 0; i < MANY; i++)
                assert_memory_equal(&fast[q * MANY + i], &by_id[fast_ids[q * MANY + i]], 4);
        }
    }
    free(queries);
    free(by_id);
    free(scores);
    free(ids);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

/* The same bits in one thread or several, alone or in a batch, and from another handle. */
static void answers_repeat(void **state)
{
    (void)state;
    enum { QUERIES = 37 };
    float *queries = random_values(QUERIES * WIDTH, 0);
    int32_t ids[2][QUERIES * TOP], alone[TOP];
    float scores[2][QUERIES * TOP], one[TOP];
    for (int s = 0; s < 2; s++) {
        for (int t = 0; t < 2; t++) {
            rnnkit_context *context = open_context(t == 0 ? "threads=1" : "threads=7");
            rnnkit_vectors *vectors = random_vectors(context, 0);
            text_ok(rnnkit_vectors_similar_by_vector(
                vectors, queries, QUERIES, scans[s], TOP, ids[t], scores[t]));
            for (int q = 0; q < QUERIES; q += 9) {
                text_ok(rnnkit_vectors_similar_by_vector(
                    vectors, queries + q * WIDTH, 1, scans[s], TOP, alone, one));
                assert_memory_equal(alone, ids[t] + q * TOP, sizeof alone);
                assert_memory_equal(one, scores[t] + q * TOP, sizeof one);
            }
            rnnkit_vectors_destroy(vectors);
            rnnkit_context_destroy(context);
        }
        assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
        assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
    }
    free(queries);
}

/* Thousands at once, of which some have lists at a time. */
static void many_queries(void **state)
{
    (void)state;
    enum { WORDS = 300, DIMENSION = 5, QUERIES = 2500 };
    rnnkit_context *context = open_context("threads=2");
    float *values = random_values(QUERIES * DIMENSION, 0), *scores = malloc(QUERIES * 3 * 4),
          one[3];
    int32_t *ids = malloc(QUERIES * 3 * 4), alone[3];
    assert_true(scores != NULL && ids != NULL);
    rnnkit_vectors *vectors = of_values(context, WORDS, DIMENSION, values);
    for (int s = 0; s < 2; s++) {
        const char *scan = s == 0 ? "scan=f32" : "scan=int8";
        text_ok(rnnkit_vectors_similar_by_vector(vectors, values, QUERIES, scan, 3, ids, scores));
        for (int q = 0; q < QUERIES; q += 17) {
            text_ok(rnnkit_vectors_similar_by_vector(
                vectors, values + q * DIMENSION, 1, scan, 3, alone, one));
            assert_memory_equal(alone, ids + 3 * q, sizeof alone);
            assert_memory_equal(one, scores + 3 * q, sizeof one);
        }
    }
    free(values);
    free(scores);
    free(ids);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

/* A rank is the place in the list of all neighbours. */
static void ranks_are_places(void **state)
{
    (void)state;
    rnnkit_context *context = open_context("threads=2");
    rnnkit_vectors *vectors = random_vectors(context, 0);
    const int32_t word = 4711;
    int32_t *ids = malloc(COUNT * sizeof *ids);
    float *scores = malloc(COUNT * sizeof *scores);
    int64_t found, rank;
    assert_true(ids != NULL && scores != NULL);
    text_ok(
        rnnkit_vectors_most_similar(vectors, &word, 1, NULL, 0, NULL, COUNT, ids, scores, &found));
    assert_int_equal(found, COUNT - 1);
    for (int i = 0; i < found; i += 997) {
        text_ok(rnnkit_vectors_rank(vectors, word, ids[i], &rank));
        assert_true(rank <= i + 1 && scores[rank - 1] == scores[i]);
    }
    free(ids);
    free(scores);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

/* More words than candidates, so that the copy is looked through. */
enum { ODD = 800 };

/* Zeros, the smallest and the largest floats, in every dimension. */
static void odd_vectors(void **state)
{
    (void)state;
    static const float sizes[] = {0, 1e-45f, 1e-39f, 1e-30f, 1, 1e30f, 3e38f, -3e38f};
    rnnkit_context *context = open_context("threads=2");
    for (int64_t width = 1; width < 200; width = width * 3 + 1) {
        float *values = random_values(ODD * width, 0);
        for (int64_t i = 0; i < ODD * width; i++)
            values[i] *= sizes[i / width % 8];
        rnnkit_vectors *vectors = of_values(context, ODD, width, values);
        for (int32_t word = 0; word < 16; word++)
            for (int s = 0; s < 2; s++) {
                hits exact = ask(vectors, &word, 1, 0, "method=add", "scan=f32");
                hits fast = ask(vectors, &word, 1, 0, "method=add", scans[s]);
                for (int i = 0; i < TOP; i++) {
                    assert_true(fabsf(exact.scores[i]) < 1.00001f);
                    assert_true(exact.ids[i] != word && fast.ids[i] != word);
                    assert_true(fast.scores[i] <= exact.scores[i]);
                }
                const int32_t both[] = {word, (word + 4) % ODD};
                exact = ask(vectors, both, 2, 1, "method=mul", scans[s]);
                assert_true(isfinite(exact.scores[0]) && exact.scores[0] >= exact.scores[TOP - 1]);
            }
        rnnkit_vectors_destroy(vectors);
        free(values);
    }
    rnnkit_context_destroy(context);
}

static void few_words(void **state)
{
    (void)state;
    static const float values[] = {1, 0, 0.5f, 0.5f, -1, 0};
    rnnkit_context *context = open_context("threads=2");
    rnnkit_vectors *vectors = of_values(context, 3, 2, values);
    int32_t ids[5], word = 0;
    float scores[5];
    int64_t found;
    for (int s = 0; s < 2; s++) {
        text_ok(rnnkit_vectors_most_similar(
            vectors, &word, 1, NULL, 0, scans[s], 5, ids, scores, &found));
        assert_true(found == 2 && ids[0] == 1 && ids[1] == 2 && scores[1] == -1);
        text_ok(rnnkit_vectors_similar_by_vector(vectors, values, 1, scans[s], 5, ids, scores));
        assert_true(ids[0] == 0 && ids[2] == 2 && ids[3] == -1 && scores[4] == 0);
    }
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

static void what_fails_changes_nothing(void **state)
{
    (void)state;
    static const float bad[] = {1, INFINITY};
    float values[4] = {1, 2, 3, 4}, scores[2] = {9, 9};
    int32_t ids[2] = {7, 7}, word = 0;
    int64_t found = 7;
    rnnkit_context *context = open_context(NULL);
    rnnkit_vectors *vectors = of_values(context, 2, 2, values);
    text_fails(rnnkit_vectors_most_similar(
                   vectors, &word, 1, NULL, 0, "scan=int4", 2, ids, scores, &found),
        RNNKIT_E_OPTION, "int8");
    text_fails(rnnkit_vectors_most_similar(
                   vectors, &word, 1, NULL, 0, "scna=int8", 2, ids, scores, &found),
        RNNKIT_E_OPTION, "did you mean 'scan'");
    text_fails(rnnkit_vectors_similar_by_vector(vectors, bad, 1, "scan=int8", 2, ids, scores),
        RNNKIT_E_ARGUMENT, "queries[0][1]");
    text_fails(rnnkit_vectors_similar_by_vector(vectors, values, 2, NULL, INT64_MAX, ids, scores),
        RNNKIT_E_SHAPE, "too many");
    assert_true(found == 7 && ids[0] == 7 && ids[1] == 7 && scores[0] == 9 && scores[1] == 9);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

static int32_t ask_all(const rnnkit_vectors *vectors, const char *options)
{
    const int32_t words[] = {3, 5};
    int32_t ids[TOP];
    float scores[TOP];
    int64_t found = 9, rank = 9;
    int32_t status = rnnkit_vectors_most_similar(
        vectors, words, 1, words + 1, 1, options, TOP, ids, scores, &found);
    if (status < 0)
        assert_int_equal(found, 9);
    else
        status = rnnkit_vectors_rank(vectors, 3, 5, &rank);
    if (status < 0) assert_int_equal(rank, 9);
    return status;
}

static void no_memory_at_any_moment(void **state)
{
    (void)state;
    static const char *const options[] = {
        "scan=f32", "scan=int8", "scan=bf16", "scan=int8 method=mul", "scan=f32 method=mul"};
    float *values = random_values(ODD * 3, 0);
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        int32_t status = RNNKIT_E_MEMORY;
        int64_t fail_at = 0;
        while (status == RNNKIT_E_MEMORY && fail_at++ < 100) {
            failing_memory hook = {0};
            rnnkit_context *own;
            text_ok(rnnkit_context_create_with_allocator(
                "cpu", "threads=1", failing_allocate, failing_release, &hook, &own));
            rnnkit_vectors *vectors = of_values(own, ODD, 3, values);
            hook.fail_at = hook.calls + fail_at;
            status = ask_all(vectors, options[o]);
            hook.fail_at = 0;
            text_ok(ask_all(vectors, options[o])); /* the handle is as it was */
            rnnkit_vectors_destroy(vectors);
            rnnkit_context_destroy(own);
            assert_int_equal(hook.alive, 0);
        }
        text_ok(status);
        assert_true(fail_at > 4);
    }
    free(values);
}

/* Bytes asked for, in all. */
static void *count_bytes(size_t bytes, size_t alignment, void *user)
{
    void *block = NULL;
    *(int64_t *)user += (int64_t)bytes;
    return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}

static void release_block(void *block, void *user)
{
    (void)user;
    free(block);
}

/* The first query makes a copy, of the size that the header tells; the next ones do not. */
static void a_copy_is_made_once(void **state)
{
    (void)state;
    static const char *const all[] = {"scan=f32", "scan=bf16", "scan=int8"};
    /* bytes a word: 100 values; int8: whole cache lines, and a scale. bf16 is in groups of words. */
    static const int64_t row[] = {0, 200, 128 + 4};
    int64_t bytes = 0;
    rnnkit_context *context;
    text_ok(rnnkit_context_create_with_allocator(
        "cpu", "threads=2", count_bytes, release_block, &bytes, &context));
    rnnkit_vectors *vectors = random_vectors(context, 0);
    text_ok(rnnkit_vectors_rank(vectors, 1, 2, &(int64_t){0})); /* makes the lengths */
    for (int s = 0; s < 3; s++) {
        int32_t word = 5;
        int64_t before = bytes;
        ask(vectors, &word, 1, 0, "method=add", all[s]);
        int64_t first = bytes - before;
        before = bytes;
        ask(vectors, &word, 1, 0, "method=add", all[s]);
        int64_t copy = first - (bytes - before), units = 2 * 64 * WIDTH * 4, group = 32 * 200;
        assert_true(copy >= COUNT * row[s] && copy <= COUNT * row[s] + units + group + 4096);
        assert_true(s > 0 || copy == 0);
    }
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_of_random_vectors_are_found),
        cmocka_unit_test(the_nearest_of_trained_vectors_are_found),
        cmocka_unit_test(vectors_that_are_nearly_one),
        cmocka_unit_test(scores_are_those_of_the_vectors),
        cmocka_unit_test(answers_repeat),
        cmocka_unit_test(many_queries),
        cmocka_unit_test(ranks_are_places),
        cmocka_unit_test(odd_vectors),
        cmocka_unit_test(few_words),
        cmocka_unit_test(what_fails_changes_nothing),
        cmocka_unit_test(no_memory_at_any_moment),
        cmocka_unit_test(a_copy_is_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
