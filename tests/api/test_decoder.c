/* Decoders by themselves: rows know nothing of their batch, padding is not there, a prefix of the
 * target gives the same outputs, any memory can be looked at, an image's places say; dropout; and
 * what wrong arguments are answered with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"
#include "../support/text.h"

enum { T = 4, S = 5, B = 3, E = 3, H = 6, O = 5, P = 2, MOST = 1024 };

static const int32_t lengths[B] = {5, 2, 3};
static const char *const kinds[] = {"output=5 start=2",
    "output=5 start=2 layers=2 score=general dropout=0.4", "style=luong output=5 start=2 score=dot",
    "style=luong feeding=1 output=5 start=2 layers=2 score=concat attention_width=4",
    "style=luong feeding=1 output=5 start=2 score=scaled_dot", "cell=gru output=5 start=2 layers=2",
    "cell=gru style=luong feeding=1 output=5 start=2", "output=5 start=2 attention_window=1",
    "cell=gru style=luong feeding=1 output=5 start=2 layers=2 score=general attention_window=2"};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_decoder *decoder;
    rnnkit_tape *tape;
} net;

static net make(const char *options, const char *tape)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=2 seed=4", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_decoder_create(n.model, "write", E, H, H, options, &n.decoder), "decoder");
    must(rnnkit_tape_create(n.context, tape, &n.tape), "tape");
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_model_destroy(n->model);
    rnnkit_decoder_destroy(n->decoder);
    rnnkit_context_destroy(n->context);
}

/* An input for rows first .. first + rows - 1, the same in every batch; behind `ends` (NULL:
 * nowhere) stands garbage. */
static rnnkit_tensor *input(net *n, int64_t steps, int64_t first, int64_t rows, int64_t width,
    const int32_t *ends, float garbage)
{
    float values[MOST];
    const int64_t dims[3] = {steps, rows, width};
    rnnkit_tensor *x;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < rows; b++)
            for (int64_t j = 0; j < width; j++)
                values[(t * rows + b) * width + j] =
                    ends != NULL && t >= ends[first + b]
                        ? garbage
                        : sinf((float)(1 + t * 37 + (first + b) * 101 + j * 13 + width * 7));
    must(rnnkit_tape_input(n->tape, values, dims, 3, &x), "input");
    return x;
}

static void write_rows(net *n, int64_t steps, int64_t first, int64_t rows, int64_t positions,
    float garbage, float *out, float *weights)
{
    rnnkit_tensor *y, *w;
    must(rnnkit_tape_clear(n->tape), "clear");
    rnnkit_tensor *x = input(n, steps, first, rows, E, NULL, 0);
    rnnkit_tensor *memory = input(n, positions, first, rows, H, lengths, garbage);
    rnnkit_tensor *start = input(n, 1, first, rows, P, NULL, 0);
    must(rnnkit_decoder_forward(n->decoder, n->tape, x, memory, lengths + first, start, &y, &w),
        "forward");
    must(rnnkit_tensor_read(y, out, steps * rows * O), "out");
    must(rnnkit_tensor_read(w, weights, steps * rows * positions), "weights");
}

static void rows_and_padding(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        net n = make(kinds[i], "train=0");
        float out[T * B * O], weights[T * B * S], own[T * B * O], seen[T * B * 9];
        write_rows(&n, T, 0, B, S, 1, out, weights);
        write_rows(&n, T, 0, B, 9, NAN, own, seen);
        assert_memory_equal(out, own, sizeof out);
        for (int64_t b = 0; b < B; b++) {
            write_rows(&n, T, b, 1, S, 2, own, seen);
            for (int64_t t = 0; t < T; t++) {
                assert_memory_equal(own + t * O, out + (t * B + b) * O, O * sizeof(float));
                assert_memory_equal(seen + t * S, weights + (t * B + b) * S, S * sizeof(float));
            }
        }
        write_rows(&n, 2, 0, B, S, 1, own, seen); /* what comes later changes nothing */
        assert_memory_equal(out, own, 2 * B * O * sizeof(float));
        drop(&n);
    }
}

/* Dropout between layers: another step of the tape draws other masks, the same step the same. */
static void dropout_draws(void **state)
{
    (void)state;
    net n = make(kinds[1], NULL), same = make(kinds[1], NULL), plain = make(kinds[1], "train=0");
    float first[T * B * O], second[T * B * O], again[T * B * O], weights[T * B * S];
    write_rows(&n, T, 0, B, S, 1, first, weights);
    write_rows(&n, T, 0, B, S, 1, second, weights);
    assert_memory_not_equal(first, second, sizeof first);
    write_rows(&same, T, 0, B, S, 1, again, weights);
    assert_memory_equal(first, again, sizeof first);
    write_rows(&plain, T, 0, B, S, 1, again, weights);
    assert_memory_not_equal(first, again, sizeof first);
    drop(&n);
    drop(&same);
    drop(&plain);
}

static void saved_and_opened(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        net n = make(kinds[i], "train=0"), again = {0};
        float one[T * B * O], two[T * B * O], weights[T * B * S];
        int64_t output, start;
        write_rows(&n, T, 0, B, S, 1, one, weights);
        must(rnnkit_model_save(n.model, scratch_path("model")), "save");
        must(rnnkit_model_open(n.context, scratch_path("model"), NULL, &again.model), "open");
        must(rnnkit_decoder_find(again.model, "write", &again.decoder), "find");
        must(rnnkit_decoder_size(again.decoder, NULL, NULL, &start, &output), "size");
        assert_int_equal(start, P);
        assert_int_equal(output, O);
        again.tape = n.tape;
        write_rows(&again, T, 0, B, S, 1, two, weights);
        assert_memory_equal(one, two, sizeof one);
        rnnkit_decoder_destroy(again.decoder);
        rnnkit_model_destroy(again.model);
        drop(&n);
    }
}

/* Features of a CNN, 14 x 14 places of 512 numbers: a training step asks for less memory in all
 * than half of what tanh of every caption's step, place and unit would take. */
static void looks_at_an_image(void **state)
{
    (void)state;
    enum { STEPS = 30, PLACES = 14 * 14, WIDE = 512, IMAGES = 16, UNITS = 24 };
    failing_memory hook = {0};
    const int64_t dims[3] = {PLACES, IMAGES, WIDE}, read[3] = {STEPS, IMAGES, E};
    float *features = malloc(sizeof(float) * PLACES * IMAGES * WIDE);
    static float out[STEPS * IMAGES * UNITS], weights[STEPS * IMAGES * PLACES];
    net n = {0};
    rnnkit_linear *project;
    rnnkit_tensor *x, *memory, *y, *w;
    assert_non_null(features);
    for (int64_t i = 0; i < (int64_t)PLACES * IMAGES * WIDE; i++)
        features[i] = (float)(i * 7919 % 2003) / 1001 - 1;
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &hook, &n.context),
        "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_linear_create(n.model, "project", WIDE, WIDE, NULL, &project), "linear");
    must(rnnkit_decoder_create(n.model, "write", E, UNITS, WIDE, "attention_width=512", &n.decoder),
        "decoder");
    must(rnnkit_tape_create(n.context, NULL, &n.tape), "tape");
    must(rnnkit_tape_input(n.tape, features, read, 3, &x), "x");
    must(rnnkit_tape_input(n.tape, features, dims, 3, &memory), "features");
    must(rnnkit_linear_forward(project, n.tape, memory, &memory), "project");
    must(rnnkit_decoder_forward(n.decoder, n.tape, x, memory, NULL, NULL, &y, &w), "forward");
    must(rnnkit_tensor_read(y, out, STEPS * IMAGES * UNITS), "out");
    must(rnnkit_tape_backward_from(n.tape, y, out, STEPS * IMAGES * UNITS), "backward");
    must(rnnkit_model_gradient_read(n.model, "project.bias", features, WIDE), "gradient");
    must(rnnkit_tensor_read(w, weights, STEPS * IMAGES * PLACES), "weights");
    for (int64_t r = 0; r < STEPS * IMAGES; r++) {
        float sum = 0;
        for (int64_t s = 0; s < PLACES; s++)
            sum += weights[r * PLACES + s];
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
    for (int64_t j = 0; j < WIDE; j++)
        assert_true(isfinite(features[j]) && fabsf(features[j]) > 0);
    assert_true(hook.bytes < (int64_t)sizeof(float) * STEPS * IMAGES * PLACES * WIDE / 2);
    free(features);
    rnnkit_linear_destroy(project);
    drop(&n);
    assert_int_equal(hook.alive, 0);
}

static void wrong_layers(void **state)
{
    (void)state;
    net n = make(NULL, NULL);
    rnnkit_decoder *d = NULL;
    rnnkit_model *m = n.model;
    text_fails(
        rnnkit_decoder_create(NULL, "x", 1, 1, 1, NULL, &d), RNNKIT_E_HANDLE, "model is NULL");
    text_fails(rnnkit_decoder_create(m, NULL, 1, 1, 1, NULL, &d), RNNKIT_E_ARGUMENT, "name");
    text_fails(rnnkit_decoder_create(m, "write", 1, 1, 1, NULL, &d), RNNKIT_E_ARGUMENT, "already");
    text_fails(rnnkit_decoder_create(m, "x", 1, 1, 0, NULL, &d), RNNKIT_E_ARGUMENT, "below 1");
    text_fails(
        rnnkit_decoder_create(m, "x", 1, 1, 1, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_decoder_create(m, "x", 1, 1, 1, "feeding=1", &d), RNNKIT_E_OPTION, "luong");
    text_fails(rnnkit_decoder_create(m, "x", 1, 1, 1, "style=old", &d), RNNKIT_E_OPTION, "style");
    text_fails(
        rnnkit_decoder_create(m, "x", 1, 2, 3, "score=dot", &d), RNNKIT_E_SHAPE, "equal widths");
    text_fails(rnnkit_decoder_create(m, "x", 1, 2, 2, "score=dot attention_width=3", &d),
        RNNKIT_E_OPTION, "width");
    text_fails(
        rnnkit_decoder_create(m, "x", INT64_MAX, 2, 2, NULL, &d), RNNKIT_E_SHAPE, "too large");
    text_fails(
        rnnkit_decoder_create(m, "x", 2, INT64_MAX / 5, 2, NULL, &d), RNNKIT_E_SHAPE, "large");
    text_fails(rnnkit_decoder_find(m, "nowhere", &d), RNNKIT_E_NOT_FOUND, "decoder \"write\"");
    text_fails(
        rnnkit_decoder_size(NULL, NULL, NULL, NULL, NULL), RNNKIT_E_HANDLE, "decoder is NULL");
    assert_null(d);
    int64_t parameters;
    must(rnnkit_model_size(m, &parameters, NULL), "size");
    assert_int_equal(parameters, 4 + 3 + 2); /* no layer that failed left any */
    rnnkit_decoder_destroy(NULL);
    drop(&n);
}

static void wrong_tensors(void **state)
{
    (void)state;
    net n = make("output=5 start=2", NULL), bare = make(NULL, NULL);
    static const int32_t zero[B] = {5, 0, 3};
    rnnkit_tensor *x = input(&n, T, 0, B, E, NULL, 0), *memory = input(&n, S, 0, B, H, NULL, 0);
    rnnkit_tensor *start = input(&n, 1, 0, B, P, NULL, 0), *few = input(&n, S, 0, 2, H, NULL, 0);
    rnnkit_tensor *two = input(&n, 2, 0, B, P, NULL, 0), *y = NULL, *w = NULL;
    rnnkit_tensor *bare_x = input(&bare, T, 0, B, E, NULL, 0);
    rnnkit_tensor *bare_memory = input(&bare, S, 0, B, H, NULL, 0);
    rnnkit_decoder *d = n.decoder;
    rnnkit_tape *t = n.tape;
    text_fails(rnnkit_decoder_forward(NULL, t, x, memory, NULL, start, &y, &w), RNNKIT_E_HANDLE,
        "decoder is NULL");
    text_fails(rnnkit_decoder_forward(d, NULL, x, memory, NULL, start, &y, &w), RNNKIT_E_HANDLE,
        "tape is NULL");
    text_fails(rnnkit_decoder_forward(d, bare.tape, x, memory, NULL, start, &y, &w),
        RNNKIT_E_ARGUMENT, "contexts");
    text_fails(rnnkit_decoder_forward(d, t, bare_x, memory, NULL, start, &y, &w), RNNKIT_E_ORDER,
        "x belongs to another tape");
    text_fails(rnnkit_decoder_forward(d, t, memory, memory, NULL, start, &y, &w), RNNKIT_E_SHAPE,
        "x has shape [5, 3, 6], expected [steps, batch, 3]");
    text_fails(rnnkit_decoder_forward(d, t, x, x, NULL, start, &y, &w), RNNKIT_E_SHAPE,
        "memory has shape [4, 3, 3], expected [steps, 3, 6]");
    text_fails(rnnkit_decoder_forward(d, t, x, few, NULL, start, &y, &w), RNNKIT_E_SHAPE,
        "memory has shape [5, 2, 6]");
    text_fails(rnnkit_decoder_forward(d, t, x, memory, zero, start, &y, &w), RNNKIT_E_ARGUMENT,
        "lengths[1] is 0");
    text_fails(rnnkit_decoder_forward(d, t, x, memory, NULL, NULL, &y, &w), RNNKIT_E_ARGUMENT,
        "start is NULL");
    text_fails(rnnkit_decoder_forward(d, t, x, memory, NULL, two, &y, &w), RNNKIT_E_SHAPE,
        "start has shape [2, 3, 2], expected [3, 2]");
    text_fails(
        rnnkit_decoder_forward(bare.decoder, bare.tape, bare_x, bare_memory, NULL, bare_x, &y, &w),
        RNNKIT_E_ARGUMENT, "without option start");
    text_fails(rnnkit_decoder_forward(d, t, x, memory, NULL, start, NULL, &w), RNNKIT_E_ARGUMENT,
        "out is NULL");
    assert_null(y);
    assert_null(w);
    must(rnnkit_decoder_forward(d, t, x, memory, NULL, start, &y, NULL), "weights may be NULL");
    drop(&n);
    drop(&bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_padding),
        cmocka_unit_test(dropout_draws),
        cmocka_unit_test(saved_and_opened),
        cmocka_unit_test(looks_at_an_image),
        cmocka_unit_test(wrong_layers),
        cmocka_unit_test(wrong_tensors),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
