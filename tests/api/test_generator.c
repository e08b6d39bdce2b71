/* Generators: which tokens come, on a small trained model. The same from the same seed, in every
 * floating-point mode and on many threads; what the model says and no more; nothing allocated; and
 * what wrong arguments are answered with. The text is in test_generator_text.c. */
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/small_model.h"
#include "../support/text.h"

enum { COUNT = 40, MOST_WORDS = 128 };

static rnnkit_context *context;
static small_model small;

static int open_model(void **state)
{
    (void)state;
    double loss;
    must(rnnkit_context_create("cpu", "threads=1 seed=7", &context), "context");
    must(small_model_create(context, &small), "model");
    for (int i = 0; i < 10; i++)
        must(small_model_train(context, &small, &loss), "train");
    assert_in_range(small.words, 20, MOST_WORDS);
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    return 0;
}

static rnnkit_generator *make(const char *options)
{
    rnnkit_generator *generator;
    text_ok(rnnkit_generator_create(
        small.embedding, small.lstm, small.linear, small.vocab, options, &generator));
    return generator;
}

static void draw(rnnkit_generator *generator, int32_t *ids, int count)
{
    for (int i = 0; i < count; i++)
        text_ok(rnnkit_generator_next(generator, &ids[i]));
}

static void draw_new(const char *options, int32_t ids[COUNT])
{
    rnnkit_generator *generator = make(options);
    text_ok(rnnkit_generator_prime(generator, "jerry: the", -1));
    draw(generator, ids, COUNT);
    rnnkit_generator_destroy(generator);
}

static void expect_same(const char *one, const char *other, int same)
{
    int32_t first[COUNT], second[COUNT];
    draw_new(one, first);
    draw_new(other, second);
    assert_int_equal(memcmp(first, second, sizeof first) == 0, same);
}

static void test_seed(void **state)
{
    (void)state;
    expect_same("seed=3", "seed=3", 1);
    expect_same("seed=3", "seed=4", 0);
    expect_same(NULL, "seed=7", 1); /* the context's */
    expect_same("seed=0", "seed=7", 0);
    expect_same("seed=3", "seed=4 temperature=0", 0);
    expect_same("seed=3 temperature=0", "seed=4 temperature=0", 1);
}

static void test_options(void **state)
{
    (void)state;
    static const char *const others[] = {"seed=3 temperature=2", "seed=3 top_k=2",
        "seed=3 top_p=0.3", "seed=3 repetition_penalty=5"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_same("seed=3", others[i], 0);
    expect_same("seed=3 top_k=1", "temperature=0", 1);
    expect_same("seed=3 top_p=0", "temperature=0", 1);
    expect_same("seed=3", "seed=3 top_k=2147483647 repetition_window=9", 1);
    expect_same("temperature=0", "temperature=0 repetition_penalty=5 repetition_window=1", 0);
}

static void read_probabilities(const rnnkit_generator *generator, float *values)
{
    text_ok(rnnkit_generator_probabilities(generator, values, small.words));
}

static void test_greedy_is_the_most_likely(void **state)
{
    (void)state;
    rnnkit_generator *generator = make("temperature=0");
    text_ok(rnnkit_generator_prime(generator, "what is the", -1));
    for (int i = 0; i < COUNT; i++) {
        float values[MOST_WORDS];
        int32_t id, best = RNNKIT_UNK + 1;
        double sum = 0;
        read_probabilities(generator, values);
        for (int32_t v = 0; v < small.words; v++) {
            assert_true(values[v] >= 0 && values[v] <= 1);
            sum += (double)values[v];
            if (v > RNNKIT_UNK && values[v] > values[best]) best = v;
        }
        assert_true(fabs(sum - 1) < 1e-6);
        text_ok(rnnkit_generator_next(generator, &id));
        assert_int_equal(id, best);
    }
    rnnkit_generator_destroy(generator);
}

/* The same numbers by way of a tape: all tokens at once, softmax by hand. */
static void test_probabilities_are_the_models(void **state)
{
    (void)state;
    const int32_t ids[] = {5, 2, 9, 9, 3, 14, 2};
    enum { STEPS = sizeof ids / sizeof *ids };
    static float logits[STEPS * MOST_WORDS];
    float values[MOST_WORDS];
    rnnkit_tape *tape;
    rnnkit_state *h;
    rnnkit_tensor *e, *o, *z;
    text_ok(rnnkit_tape_create(context, "train=0", &tape));
    text_ok(rnnkit_state_create(small.lstm, 1, &h));
    text_ok(rnnkit_embedding_forward(small.embedding, tape, ids, STEPS, 1, &e));
    text_ok(rnnkit_rnn_forward(small.lstm, tape, e, NULL, h, &o));
    text_ok(rnnkit_linear_forward(small.linear, tape, o, &z));
    text_ok(rnnkit_tensor_read(z, logits, STEPS * small.words));
    rnnkit_generator *generator = make(NULL);
    for (int t = 0; t < STEPS; t++) {
        const float *row = logits + t * small.words;
        double total = 0;
        for (int64_t v = 0; v < small.words; v++)
            total += exp((double)row[v]);
        text_ok(rnnkit_generator_prime_ids(generator, &ids[t], 1));
        read_probabilities(generator, values);
        for (int64_t v = 0; v < small.words; v++)
            assert_true(fabs((double)values[v] - exp((double)row[v]) / total) < 1e-6);
    }
    rnnkit_generator_destroy(generator);
    rnnkit_state_destroy(h);
    rnnkit_tape_destroy(tape);
}

/* In pieces, as text or as ids, drawn or primed: the model has seen the same. */
static void test_all_ways_of_feeding(void **state)
{
    (void)state;
    static const char text[] = "jerry: the train is fine. the bus";
    float expected[MOST_WORDS], values[MOST_WORDS];
    int32_t ids[COUNT * 2];
    int64_t count;
    text_ok(rnnkit_vocab_encode(small.vocab, text, -1, ids, COUNT, &count));
    rnnkit_generator *whole = make("seed=5"), *parts = make(NULL), *one = make(NULL);
    text_ok(rnnkit_generator_prime(whole, text, -1));
    text_ok(rnnkit_generator_prime_ids(parts, ids, count));
    read_probabilities(whole, expected);
    read_probabilities(parts, values);
    assert_memory_equal(values, expected, (size_t)small.words * sizeof *values);
    draw(whole, ids + count, COUNT);
    read_probabilities(whole, expected);
    text_ok(rnnkit_generator_prime_ids(parts, ids + count, COUNT));
    for (int64_t i = 0; i < count + COUNT; i++)
        text_ok(rnnkit_generator_prime_ids(one, ids + i, 1));
    text_ok(rnnkit_generator_prime_ids(one, ids, 0));
    read_probabilities(parts, values);
    assert_memory_equal(values, expected, (size_t)small.words * sizeof *values);
    read_probabilities(one, values);
    assert_memory_equal(values, expected, (size_t)small.words * sizeof *values);
    rnnkit_generator_destroy(whole);
    rnnkit_generator_destroy(parts);
    rnnkit_generator_destroy(one);
}

static void test_length(void **state)
{
    (void)state;
    rnnkit_generator *generator = make("seed=2 length=5");
    int32_t ids[COUNT], again[COUNT], id = -9;
    draw_new("seed=2", again);
    text_ok(rnnkit_generator_prime(generator, "jerry: the", -1));
    for (int round = 0; round < 2; round++) {
        draw(generator, ids + 5 * round, 5);
        for (int i = 0; i < 3; i++)
            assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_DONE);
        assert_int_equal(id, -9);
        text_ok(rnnkit_generator_prime(generator, "kramer:", -1)); /* and it goes on */
    }
    assert_memory_equal(ids, again, 5 * sizeof *ids);
    rnnkit_generator_destroy(generator);
}

/* Without a vocabulary ids are numbers only: the first is one like the others. */
static void test_ids_only(void **state)
{
    (void)state;
    rnnkit_generator *generator;
    int32_t ids[500], first = 4;
    int64_t low = 0, needed;
    text_ok(rnnkit_generator_create(
        small.embedding, small.lstm, small.linear, NULL, "temperature=100 length=500", &generator));
    text_ok(rnnkit_generator_prime_ids(generator, &first, 1));
    draw(generator, ids, 500);
    for (int i = 0; i < 500; i++)
        low += ids[i] <= RNNKIT_UNK;
    assert_in_range(low, 1, 100);
    text_fails(rnnkit_generator_prime(generator, "the", -1), RNNKIT_E_ORDER, "no vocabulary");
    text_fails(rnnkit_generator_stop_at(generator, "the"), RNNKIT_E_ORDER, "no vocabulary");
    text_fails(rnnkit_generator_text(generator, NULL, 0, &needed), RNNKIT_E_ORDER, "no vocabulary");
    rnnkit_generator_destroy(generator);
}

static void test_keeps_its_layers(void **state)
{
    (void)state;
    int32_t expected[COUNT], ids[COUNT];
    rnnkit_context *own;
    small_model other;
    rnnkit_generator *generator;
    for (int round = 0; round < 2; round++) {
        must(rnnkit_context_create("cpu", "threads=1", &own), "context");
        must(small_model_create(own, &other), "model");
        text_ok(rnnkit_generator_create(
            other.embedding, other.lstm, other.linear, other.vocab, NULL, &generator));
        if (round == 1) small_model_destroy(&other);
        if (round == 1) rnnkit_context_destroy(own);
        text_ok(rnnkit_generator_prime(generator, "jerry:", -1));
        draw(generator, round == 1 ? ids : expected, COUNT);
        rnnkit_generator_destroy(generator);
        if (round == 0) small_model_destroy(&other);
        if (round == 0) rnnkit_context_destroy(own);
    }
    assert_memory_equal(ids, expected, sizeof ids);
}

/* Memory. */

static void open_counted(const char *device, const char *options, failing_memory *hook,
    small_model *model, rnnkit_generator **generator)
{
    rnnkit_context *own;
    *hook = (failing_memory){0};
    must(rnnkit_context_create_with_allocator(
             device, options, failing_allocate, failing_release, hook, &own),
        device);
    must(small_model_create(own, model), "model");
    text_ok(rnnkit_generator_create(model->embedding, model->lstm, model->linear, model->vocab,
        "repetition_penalty=1.2 top_k=9 top_p=0.9", generator));
    text_ok(rnnkit_generator_stop_at(*generator, "never to be seen"));
    text_ok(rnnkit_generator_prime(*generator, "jerry:", -1));
    rnnkit_context_destroy(own);
}

static void test_step_allocates_nothing(void **state)
{
    (void)state;
    static const char *const devices[][2] = {
        {"cpu", "threads=1"}, {"reference", "dtype=float32"}, {"reference", "dtype=float64"}};
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        failing_memory hook;
        small_model model;
        rnnkit_generator *generator;
        char text[256];
        int64_t needed;
        int32_t id;
        float values[MOST_WORDS];
        open_counted(devices[d][0], devices[d][1], &hook, &model, &generator);
        hook.fail_at = hook.calls + 1;
        for (int i = 0; i < 300; i++) {
            text_ok(rnnkit_generator_next(generator, &id));
            text_ok(rnnkit_generator_text(generator, text, sizeof text, &needed));
            text_ok(rnnkit_generator_probabilities(generator, values, model.words));
        }
        assert_int_equal(hook.calls, hook.fail_at - 1);
        rnnkit_generator_destroy(generator);
        small_model_destroy(&model);
        assert_int_equal(hook.alive, 0);
    }
}

/* Text that is left to lie needs memory. Where there is none, the call can be repeated. */
static void test_no_memory_for_text(void **state)
{
    (void)state;
    enum { DRAWS = 200 };
    int32_t ids[2][DRAWS];
    int64_t failures = 0;
    for (int failing = 0; failing < 2; failing++) {
        failing_memory hook;
        small_model model;
        rnnkit_generator *generator;
        open_counted("cpu", "threads=1", &hook, &model, &generator);
        for (int i = 0; i < DRAWS;) {
            int32_t id = -9;
            hook.fail_at = failing && i % 2 == 0 ? hook.calls + 1 : 0;
            int32_t status = rnnkit_generator_next(generator, &id);
            if (status == RNNKIT_E_MEMORY) {
                assert_int_equal(id, -9);
                hook.fail_at = 0;
                failures++;
                status = rnnkit_generator_next(generator, &id);
            }
            text_ok(status);
            ids[failing][i++] = id;
        }
        rnnkit_generator_destroy(generator);
        small_model_destroy(&model);
        assert_int_equal(hook.alive, 0);
    }
    assert_in_range(failures, 1, 50);
    assert_memory_equal(ids[0], ids[1], sizeof ids[0]);
}

/* Side by side, each with other options. */

typedef struct job {
    const char *options;
    int32_t ids[COUNT];
} job;

static void *run_job(void *argument)
{
    job *mine = argument;
    draw_new(mine->options, mine->ids);
    return NULL;
}

static void test_threads_share_a_model(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        job jobs[2] = {{.options = "seed=3 repetition_penalty=2"}, {.options = "seed=8 top_p=0.8"}};
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
        for (int i = 0; i < 2; i++) {
            int32_t alone[COUNT];
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            draw_new(jobs[i].options, alone);
            assert_memory_equal(jobs[i].ids, alone, sizeof alone);
        }
    }
}

/* A host that rounds upwards and traps: the same tokens, no trap, flags and mode as they were. Not
 * every AArch64 processor can trap. */
static void test_floating_point_mode(void **state)
{
    (void)state;
    enum { TRAPS = FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW };
    static const char options[] = "seed=3 temperature=0.001 top_p=0.99";
    int32_t expected[COUNT], ids[COUNT];
    float plain[MOST_WORDS], values[MOST_WORDS];
    draw_new(options, expected);
    rnnkit_generator *generator = make(options);
    text_ok(rnnkit_generator_prime(generator, "jerry: the", -1));
    read_probabilities(generator, plain);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    feclearexcept(FE_ALL_EXCEPT);
    int wanted = feenableexcept(TRAPS) == -1 ? 0 : TRAPS;
    read_probabilities(generator, values);
    draw(generator, ids, COUNT);
    int rounding = fegetround(), traps = fegetexcept(), flags = fetestexcept(FE_ALL_EXCEPT);
    fedisableexcept(TRAPS);
    fesetround(FE_TONEAREST);
    assert_int_equal(rounding, FE_UPWARD);
#if defined(__x86_64__)
    assert_int_equal(wanted, TRAPS);
#endif
    assert_int_equal(traps, wanted);
    assert_int_equal(flags, 0);
    assert_memory_equal(ids, expected, sizeof ids);
    assert_memory_equal(values, plain, (size_t)small.words * sizeof *values);
    rnnkit_generator_destroy(generator);
}

/* Wrong arguments. */

static void fails_to_create(rnnkit_embedding *embedding, rnnkit_rnn *rnn, rnnkit_linear *output,
    rnnkit_vocab *vocab, const char *options, int32_t expected, const char *part)
{
    rnnkit_generator *out = (rnnkit_generator *)&small;
    text_fails(
        rnnkit_generator_create(embedding, rnn, output, vocab, options, &out), expected, part);
    assert_memory_equal(rnnkit_error_message(), "rnnkit_generator_create: ", 25);
    assert_ptr_equal(out, &small);
}

static void test_create_refuses(void **state)
{
    (void)state;
    rnnkit_embedding *e = small.embedding, *wide, *tall;
    rnnkit_rnn *r = small.lstm;
    rnnkit_linear *o = small.linear, *narrow;
    rnnkit_vocab *v = small.vocab, *open;
    int64_t words = small.words;
    void *model = small.model;
    fails_to_create(NULL, r, o, v, NULL, RNNKIT_E_HANDLE, "embedding");
    fails_to_create(e, NULL, o, v, NULL, RNNKIT_E_HANDLE, "rnn");
    fails_to_create(e, r, NULL, v, NULL, RNNKIT_E_HANDLE, "output");
    fails_to_create(model, r, o, v, NULL, RNNKIT_E_HANDLE, "embedding");
    fails_to_create(e, model, o, v, NULL, RNNKIT_E_HANDLE, "rnn");
    fails_to_create(e, r, model, v, NULL, RNNKIT_E_HANDLE, "output");
    fails_to_create(e, r, o, model, NULL, RNNKIT_E_HANDLE, "vocab");
    text_fails(rnnkit_generator_create(e, r, o, v, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    static const char *const bad[] = {"temperature=-1", "temperature=nan", "temperature=101",
        "top_k=-1", "top_p=1.1", "top_p=-0.1", "repetition_penalty=0", "repetition_window=0",
        "seed=-2", "unknown=2", "length=-1", "temprature=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails_to_create(e, r, o, v, bad[i], RNNKIT_E_OPTION, "generator");

    text_ok(rnnkit_embedding_create(small.model, "wide", words, SMALL_WIDTH + 1, NULL, &wide));
    text_ok(rnnkit_embedding_create(small.model, "tall", words + 1, SMALL_WIDTH, NULL, &tall));
    text_ok(rnnkit_linear_create(small.model, "narrow", SMALL_HIDDEN - 1, words, NULL, &narrow));
    fails_to_create(wide, r, o, v, NULL, RNNKIT_E_SHAPE, "width of \"wide\" is 9 but inputs of");
    fails_to_create(tall, r, o, v, NULL, RNNKIT_E_SHAPE, "words of \"tall\"");
    fails_to_create(e, r, narrow, v, NULL, RNNKIT_E_SHAPE, "inputs of \"narrow\" is 11");
    rnnkit_embedding_destroy(wide);
    rnnkit_embedding_destroy(tall);
    rnnkit_linear_destroy(narrow);

    text_ok(rnnkit_vocab_create(small.tokenizer, NULL, &open));
    fails_to_create(e, r, o, open, NULL, RNNKIT_E_ORDER, "not finished");
    text_ok(rnnkit_vocab_push(open, "a few words", -1));
    text_ok(rnnkit_vocab_finish(open));
    fails_to_create(e, r, o, open, NULL, RNNKIT_E_SHAPE, "vocab has 5 ids");
    rnnkit_vocab_destroy(open);

    rnnkit_context *own;
    small_model other;
    must(rnnkit_context_create("cpu", NULL, &own), "context");
    must(small_model_create(own, &other), "model");
    fails_to_create(other.embedding, r, o, v, NULL, RNNKIT_E_ARGUMENT, "different contexts");
    fails_to_create(e, r, other.linear, v, NULL, RNNKIT_E_ARGUMENT, "different contexts");
    small_model_destroy(&other);
    rnnkit_context_destroy(own);
}

static void test_calls_refuse(void **state)
{
    (void)state;
    rnnkit_generator *g = make(NULL), *wrong = (rnnkit_generator *)(void *)small.model;
    float values[MOST_WORDS] = {0};
    int32_t id = -9, ids[3] = {2, 3, (int32_t)small.words};
    text_fails(rnnkit_generator_next(NULL, &id), RNNKIT_E_HANDLE, "rnnkit_generator_next: ");
    text_fails(rnnkit_generator_next(wrong, &id), RNNKIT_E_HANDLE, "model");
    text_fails(rnnkit_generator_next(g, NULL), RNNKIT_E_ARGUMENT, "id is NULL");
    text_fails(rnnkit_generator_prime_ids(NULL, ids, 1), RNNKIT_E_HANDLE, "generator");
    text_fails(rnnkit_generator_prime_ids(g, NULL, 1), RNNKIT_E_ARGUMENT, "ids is NULL");
    text_fails(rnnkit_generator_prime_ids(g, ids, -1), RNNKIT_E_ARGUMENT, "count is -1");
    text_fails(rnnkit_generator_prime_ids(g, ids, 3), RNNKIT_E_ARGUMENT, "ids[2] is ");
    ids[1] = -1;
    text_fails(rnnkit_generator_prime_ids(g, ids, 2), RNNKIT_E_ARGUMENT, "ids[1] is -1");
    text_fails(
        rnnkit_generator_probabilities(NULL, values, small.words), RNNKIT_E_HANDLE, "generator");
    text_fails(rnnkit_generator_probabilities(g, NULL, small.words), RNNKIT_E_ARGUMENT, "NULL");
    text_fails(
        rnnkit_generator_probabilities(g, values, small.words - 1), RNNKIT_E_SHAPE, "expected ");
    /* nothing of all this was fed */
    text_fails(rnnkit_generator_next(g, &id), RNNKIT_E_ORDER, "prime the generator first");
    text_fails(rnnkit_generator_probabilities(g, values, small.words), RNNKIT_E_ORDER, "prime");
    assert_int_equal(id, -9);
    assert_true(values[0] == 0);
    rnnkit_generator_destroy(g);
    rnnkit_generator_destroy(NULL);
    rnnkit_generator_destroy(wrong); /* is no generator, so nothing happens */
    text_ok(rnnkit_model_size(small.model, NULL, NULL));
}

static void test_diverged(void **state)
{
    (void)state;
    const float bad[2] = {NAN, INFINITY};
    float bias[MOST_WORDS], values[MOST_WORDS] = {0};
    rnnkit_generator *generator = make(NULL);
    text_ok(rnnkit_model_parameter_read(small.model, "linear.bias", bias, small.words));
    for (int i = 0; i < 2; i++) {
        int32_t id = -9;
        float good = bias[11];
        bias[11] = bad[i];
        text_ok(rnnkit_model_parameter_write(small.model, "linear.bias", bias, small.words));
        text_ok(rnnkit_generator_prime(generator, "jerry:", -1));
        text_fails(rnnkit_generator_next(generator, &id), RNNKIT_E_DIVERGED, "id 11");
        text_fails(rnnkit_generator_probabilities(generator, values, small.words),
            RNNKIT_E_DIVERGED, "id 11");
        assert_int_equal(id, -9);
        assert_true(values[0] == 0);
        bias[11] = good;
        text_ok(rnnkit_model_parameter_write(small.model, "linear.bias", bias, small.words));
        text_ok(rnnkit_generator_prime(generator, "jerry:", -1));
        text_ok(rnnkit_generator_next(generator, &id));
    }
    rnnkit_generator_destroy(generator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_greedy_is_the_most_likely),
        cmocka_unit_test(test_probabilities_are_the_models),
        cmocka_unit_test(test_all_ways_of_feeding),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_ids_only),
        cmocka_unit_test(test_keeps_its_layers),
        cmocka_unit_test(test_step_allocates_nothing),
        cmocka_unit_test(test_no_memory_for_text),
        cmocka_unit_test(test_threads_share_a_model),
        cmocka_unit_test(test_floating_point_mode),
        cmocka_unit_test(test_create_refuses),
        cmocka_unit_test(test_calls_refuse),
        cmocka_unit_test(test_diverged),
    };
    return cmocka_run_group_tests_name("generator", tests, open_model, close_model);
}
