/* Models opened with weights in bf16 and int8: near what they were in f32, the same by steps and by
 * sequences, all threads of the API that run them, and a status from all that would change them, as
 * from models whose weights are packed. test_packed.c has what those give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"

enum { STEPS = 6, ROWS = 2, INPUTS = 9 };

static rnnkit_context *context;
static const char *const formats[] = {"weights=bf16", "weights=int8", "weights=packed"};
enum { ROUNDING = 2, FORMATS = 3 }; /* the first two round */

/* A model of every cell, a bidirectional one among them, with a head; saved. */
static const char *save_layers(void)
{
    const char *path = scratch_path("layers.safetensors");
    rnnkit_model *model;
    rnnkit_embedding *words;
    rnnkit_rnn *rnn[4];
    rnnkit_linear *tied;
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_embedding_create(model, "words", 50, INPUTS, NULL, &words), "embedding");
    must(rnnkit_lstm_create(model, "lstm", INPUTS, 40, "layers=2 projection=11", &rnn[0]), "lstm");
    must(rnnkit_gru_create(model, "gru", INPUTS, 33, "initial=learned", &rnn[1]), "gru");
    must(rnnkit_elman_create(model, "elman", INPUTS, 70, NULL, &rnn[2]), "elman");
    must(rnnkit_lstm_create(model, "both", INPUTS, 20, "bidirectional=1", &rnn[3]), "both");
    must(rnnkit_linear_create(model, "tied", INPUTS, 50, "tie=words", &tied), "tied");
    must(rnnkit_model_save(model, path), "save");
    for (int i = 0; i < 4; i++)
        rnnkit_rnn_destroy(rnn[i]);
    rnnkit_linear_destroy(tied);
    rnnkit_embedding_destroy(words);
    rnnkit_model_destroy(model);
    return path;
}

static rnnkit_model *open_with(const char *path, const char *options)
{
    rnnkit_model *model;
    must(rnnkit_model_open(context, path, options, &model), "open");
    return model;
}

/* A model in f32 whose parameters are what those of `rounded` read as. */
static rnnkit_model *plain_twin(const char *path, const rnnkit_model *rounded)
{
    rnnkit_model *model = open_with(path, NULL);
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(rounded, i)) != NULL; i++) {
        int64_t count;
        float *values = parameter_values(rounded, name, &count);
        must(rnnkit_model_parameter_write(model, name, values, count), "write");
        free(values);
    }
    return model;
}

/* Outputs of a layer over a sequence of words with lengths; to be freed. */
static float *run_layer(rnnkit_model *model, const char *name, int64_t *count)
{
    static const int32_t lengths[ROWS] = {STEPS, STEPS - 2};
    int32_t ids[STEPS * ROWS];
    rnnkit_tape *tape;
    rnnkit_embedding *words;
    rnnkit_rnn *rnn;
    rnnkit_tensor *x, *y;
    int64_t width;
    for (int i = 0; i < STEPS * ROWS; i++)
        ids[i] = i * 7 % 50;
    must(rnnkit_tape_create(context, "train=0", &tape), "tape");
    must(rnnkit_embedding_find(model, "words", &words), "words");
    must(rnnkit_rnn_find(model, name, &rnn), "rnn");
    must(rnnkit_rnn_widths(rnn, &width, NULL), "widths");
    must(rnnkit_embedding_forward(words, tape, ids, STEPS, ROWS, &x), "embed");
    must(rnnkit_rnn_forward(rnn, tape, x, lengths, NULL, &y), "forward");
    *count = STEPS * ROWS * width;
    float *values = malloc((size_t)*count * sizeof *values);
    assert_non_null(values);
    must(rnnkit_tensor_read(y, values, *count), "read");
    rnnkit_rnn_destroy(rnn);
    rnnkit_embedding_destroy(words);
    rnnkit_tape_destroy(tape);
    return values;
}

static double farthest(const float *a, const float *b, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        if (fabs((double)a[i] - (double)b[i]) > most) most = fabs((double)a[i] - (double)b[i]);
    return most;
}

static void runs_as_the_rounded_model_in_f32(void **state)
{
    (void)state;
    static const char *const names[] = {"lstm", "gru", "elman", "both"};
    static const double bounds[] = {2e-6, 1e-4};
    const char *path = save_layers();
    for (int f = 0; f < ROUNDING; f++) {
        rnnkit_model *model = open_with(path, formats[f]), *twin = plain_twin(path, model);
        rnnkit_model *f32 = open_with(path, "weights=f32");
        for (int i = 0; i < 4; i++) {
            int64_t count;
            float *got = run_layer(model, names[i], &count);
            float *expected = run_layer(twin, names[i], &count);
            float *exact = run_layer(f32, names[i], &count);
            assert_true(farthest(got, expected, count) <= bounds[f]);
            assert_true(farthest(got, exact, count) > bounds[f]); /* it was rounded indeed */
            assert_true(farthest(got, exact, count) < 0.03);
            free(got);
            free(expected);
            free(exact);
        }
        rnnkit_model_destroy(f32);
        rnnkit_model_destroy(twin);
        rnnkit_model_destroy(model);
    }
}

static void steps_as_in_a_sequence(void **state)
{
    (void)state;
    const char *path = save_layers();
    for (int f = 0; f < ROUNDING; f++) {
        rnnkit_model *model = open_with(path, formats[f]);
        rnnkit_rnn *rnn;
        rnnkit_state *rows;
        rnnkit_embedding *words;
        float table[50 * INPUTS], x[ROWS * INPUTS], y[ROWS * 33];
        int64_t count;
        float *whole = run_layer(model, "gru", &count);
        must(rnnkit_embedding_find(model, "words", &words), "words");
        must(rnnkit_model_parameter_read(model, "words.weight", table, 50 * INPUTS), "read");
        must(rnnkit_rnn_find(model, "gru", &rnn), "gru");
        must(rnnkit_state_create(rnn, ROWS, &rows), "state");
        for (int t = 0; t < STEPS - 2; t++) {
            for (int b = 0; b < ROWS; b++)
                memcpy(
                    x + b * INPUTS, table + (t * ROWS + b) * 7 % 50 * INPUTS, INPUTS * sizeof *x);
            must(rnnkit_rnn_step(rnn, rows, x, ROWS * INPUTS, y, ROWS * 33), "step");
            assert_memory_equal(y, whole + t * ROWS * 33, sizeof y);
        }
        free(whole);
        rnnkit_state_destroy(rows);
        rnnkit_rnn_destroy(rnn);
        rnnkit_embedding_destroy(words);
        rnnkit_model_destroy(model);
    }
}

/* The loss of a trained language model, and what it writes. */
static double loss_of(rnnkit_model *model, const small_model *small)
{
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    rnnkit_batches *batches;
    rnnkit_tape *tape;
    rnnkit_tensor *e, *h, *loss;
    const int32_t *x, *y;
    int64_t steps, rows;
    double value;
    must(rnnkit_embedding_find(model, "embedding", &embedding), "embedding");
    must(rnnkit_rnn_find(model, "lstm", &lstm), "lstm");
    must(rnnkit_linear_find(model, "linear", &linear), "linear");
    must(rnnkit_batches_create(small->tokens, "batch=2 steps=30", &batches), "batches");
    must(rnnkit_tape_create(context, "train=0", &tape), "tape");
    must(rnnkit_batches_next(batches, &x, &y, &steps, &rows), "next");
    must(rnnkit_embedding_forward(embedding, tape, x, steps, rows, &e), "embed");
    must(rnnkit_rnn_forward(lstm, tape, e, NULL, NULL, &h), "forward");
    must(rnnkit_linear_cross_entropy(linear, tape, h, y, steps * rows, -1, &loss), "loss");
    must(rnnkit_tensor_item(loss, &value), "item");
    rnnkit_generator *generator;
    int32_t id;
    must(rnnkit_generator_create(embedding, lstm, linear, small->vocab, NULL, &generator), "gen");
    must(rnnkit_generator_prime(generator, "jerry:", -1), "prime");
    for (int i = 0; i < 20; i++)
        must(rnnkit_generator_next(generator, &id), "next");
    rnnkit_generator_destroy(generator);
    rnnkit_tape_destroy(tape);
    rnnkit_batches_destroy(batches);
    rnnkit_linear_destroy(linear);
    rnnkit_rnn_destroy(lstm);
    rnnkit_embedding_destroy(embedding);
    return value;
}

static void loses_little(void **state)
{
    (void)state;
    small_model small;
    const char *path = scratch_path("trained.safetensors");
    double loss;
    must(small_model_create(context, &small), "model");
    for (int epoch = 0; epoch < 30; epoch++)
        must(small_model_train(context, &small, &loss), "train");
    must(rnnkit_model_save(small.model, path), "save");
    double exact = loss_of(small.model, &small);
    for (int f = 0; f < ROUNDING; f++) {
        rnnkit_model *model = open_with(path, formats[f]);
        double rounded = loss_of(model, &small);
        print_message("%s: loss %.6f, in f32 %.6f\n", formats[f], rounded, exact);
        assert_true(fabs(rounded - exact) < 0.02 * exact);
        rnnkit_model_destroy(model);
    }
    small_model_destroy(&small);
}

static void expect(int32_t status, int32_t expected, const char *part)
{
    if (status == expected && strstr(rnnkit_error_message(), part) != NULL) return;
    fail_msg("status %d, message \"%s\" without \"%s\"", (int)status, rnnkit_error_message(), part);
}

static void check_not_trained(const char *format)
{
    rnnkit_model *model = open_with(save_layers(), format);
    rnnkit_tape *tape;
    rnnkit_embedding *words;
    rnnkit_rnn *rnn;
    rnnkit_linear *tied;
    rnnkit_optimizer *adam = NULL;
    rnnkit_tensor *x, *y = NULL;
    const int32_t id = 3;
    float values[INPUTS] = {0};
    must(rnnkit_tape_create(context, "train=1", &tape), "tape");
    must(rnnkit_embedding_find(model, "words", &words), "words");
    must(rnnkit_rnn_find(model, "elman", &rnn), "rnn");
    must(rnnkit_linear_find(model, "tied", &tied), "tied");
    must(rnnkit_tape_input(tape, values, (const int64_t[]){1, 1, INPUTS}, 3, &x), "x");
    expect(rnnkit_embedding_forward(words, tape, &id, 1, 1, &y), RNNKIT_E_ORDER, format);
    expect(rnnkit_rnn_forward(rnn, tape, x, NULL, NULL, &y), RNNKIT_E_ORDER, "weights=f32");
    expect(rnnkit_linear_forward(tied, tape, x, &y), RNNKIT_E_ORDER, "weights=f32");
    expect(rnnkit_linear_cross_entropy(tied, tape, x, &id, 1, -1, &y), RNNKIT_E_ORDER, "train");
    assert_null(y);
    expect(rnnkit_optimizer_create(model, "adam", NULL, &adam), RNNKIT_E_ORDER, "train");
    assert_null(adam);
    rnnkit_tape_destroy(tape);
    rnnkit_linear_destroy(tied);
    rnnkit_rnn_destroy(rnn);
    rnnkit_embedding_destroy(words);
    rnnkit_model_destroy(model);
}

static void is_not_trained(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++)
        check_not_trained(formats[f]);
}

static void check_not_changed(const char *format)
{
    const char *path = save_layers(), *other = scratch_path("other.safetensors");
    size_t size;
    rnnkit_model *model = open_with(path, format);
    float values[50 * INPUTS] = {0};
    expect(rnnkit_model_save(model, other), RNNKIT_E_ORDER, "save it");
    assert_null(scratch_read(other, &size));
    expect(rnnkit_model_load_parameters(model, path, NULL), RNNKIT_E_ORDER, format);
    expect(rnnkit_model_parameter_write(model, "words.weight", values, 50 * INPUTS), RNNKIT_E_ORDER,
        "\"words.weight\"");
    rnnkit_model_destroy(model);
}

static void is_not_changed_or_saved(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++)
        check_not_changed(formats[f]);
}

static void wrong_calls_say_why(void **state)
{
    (void)state;
    const char *path = save_layers();
    rnnkit_model *model = NULL;
    expect(rnnkit_model_open(context, path, "weights=int4", &model), RNNKIT_E_OPTION, "int8");
    expect(rnnkit_model_open(context, path, "weight=int8", &model), RNNKIT_E_OPTION, "weights");
    expect(rnnkit_model_open(context, NULL, formats[0], &model), RNNKIT_E_ARGUMENT, "path");
    expect(rnnkit_model_open(context, path, formats[0], NULL), RNNKIT_E_ARGUMENT, "out");
    expect(
        rnnkit_model_open(context, scratch_path("none"), formats[0], &model), RNNKIT_E_IO, "none");
    expect(
        rnnkit_model_open_memory(context, NULL, 1, formats[0], &model), RNNKIT_E_ARGUMENT, "bytes");
    assert_null(model);
    size_t size;
    unsigned char *bytes = scratch_read(path, &size);
    assert_non_null(bytes);
    must(rnnkit_model_open_memory(context, bytes, size, formats[1], &model), "memory");
    rnnkit_model_destroy(model);
    model = NULL;
    for (size_t cut = 0; cut < size; cut += 1 + size / 60)
        assert_true(rnnkit_model_open_memory(context, bytes, cut, formats[1], &model) < 0);
    assert_null(model);
    free(bytes);
}

static void needs_the_cpu(void **state)
{
    (void)state;
    const char *path = save_layers();
    rnnkit_context *reference;
    rnnkit_model *model = NULL;
    if (rnnkit_context_create("reference", NULL, &reference) < 0) skip();
    expect(rnnkit_model_open(reference, path, formats[1], &model), RNNKIT_E_UNSUPPORTED,
        "weights=int8 needs device cpu");
    expect(rnnkit_model_open(reference, path, formats[2], &model), RNNKIT_E_UNSUPPORTED,
        "weights=packed needs device cpu");
    assert_null(model);
    must(rnnkit_model_open(reference, path, "weights=f32", &model), "f32");
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(reference);
}

static void survives_failing_memory(void **state)
{
    (void)state;
    const char *path = save_layers();
    failing_memory memory = {0};
    rnnkit_context *own;
    must(rnnkit_context_create_with_allocator(
             "cpu", NULL, failing_allocate, failing_release, &memory, &own),
        "context");
    int64_t before = memory.alive;
    for (int f = 1; f < FORMATS; f++) {
        int32_t status = RNNKIT_E_MEMORY;
        for (int64_t n = 1; status != RNNKIT_OK; n++) {
            rnnkit_model *model = NULL;
            memory.calls = 0;
            memory.fail_at = n;
            status = rnnkit_model_open(own, path, formats[f], &model);
            assert_true(status == RNNKIT_OK || (status == RNNKIT_E_MEMORY && model == NULL));
            memory.fail_at = 0;
            rnnkit_model_destroy(model);
            assert_int_equal(memory.alive, before);
        }
    }
    rnnkit_context_destroy(own);
    assert_int_equal(memory.alive, 0);
}

static int start(void **state)
{
    (void)state;
    must(rnnkit_context_create("cpu", "threads=2 seed=5", &context), "context");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rnnkit_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_as_the_rounded_model_in_f32),
        cmocka_unit_test(steps_as_in_a_sequence),
        cmocka_unit_test(loses_little),
        cmocka_unit_test(is_not_trained),
        cmocka_unit_test(is_not_changed_or_saved),
        cmocka_unit_test(wrong_calls_say_why),
        cmocka_unit_test(needs_the_cpu),
        cmocka_unit_test(survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
