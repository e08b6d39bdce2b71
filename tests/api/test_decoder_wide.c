/* Decoders wide enough for what instruction sets do with large products: in training, weights that
 * are brought into another order once for all steps (gemm_keep). Outputs and every gradient are those
 * of plain code, but for rounding; a row's outputs do not depend on the other rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"

enum { T = 4, S = 5, B = 18, E = 40, H = 48, O = 40, MOST = 1 << 16 };

static const char *const kinds[] = {"output=40", "output=40 layers=2 score=general",
    "style=luong feeding=1 output=40 layers=2 score=concat", "cell=gru output=40 layers=2",
    "cell=gru style=luong feeding=1 output=40 score=general"};

typedef struct result {
    float out[T * B * O], gradients[MOST];
    int64_t count; /* of gradients */
} result;

static rnnkit_tensor *input(rnnkit_tape *tape, int64_t steps, int64_t rows, int64_t width)
{
    float values[T * B * H * 2];
    const int64_t dims[3] = {steps, rows, width};
    rnnkit_tensor *x;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < rows; b++)
            for (int64_t j = 0; j < width; j++)
                values[(t * rows + b) * width + j] = sinf((float)(1 + t * 37 + b * 101 + j * 13));
    must(rnnkit_tape_input(tape, values, dims, 3, &x), "input");
    return x;
}

static void read_gradients(const rnnkit_model *model, result *r)
{
    const char *name;
    r->count = 0;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(model, i)) != NULL; i++) {
        int64_t dims[4], rank, count = 1;
        must(rnnkit_model_parameter_shape(model, name, dims, 4, &rank), name);
        for (int64_t d = 0; d < rank; d++)
            count *= dims[d];
        assert_true(r->count + count <= MOST);
        must(rnnkit_model_gradient_read(model, name, r->gradients + r->count, count), name);
        r->count += count;
    }
}

static void train(const char *isa, const char *kind, int64_t rows, result *r)
{
    static float gradient[T * B * O];
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_decoder *decoder;
    rnnkit_tape *tape;
    rnnkit_tensor *out;
    char options[64];
    snprintf(options, sizeof options, "threads=2 seed=4 isa=%s", isa);
    must(rnnkit_context_create("cpu", options, &context), "context");
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_decoder_create(model, "write", E, H, H, kind, &decoder), "decoder");
    must(rnnkit_tape_create(context, "train=1", &tape), "tape");
    rnnkit_tensor *x = input(tape, T, rows, E), *memory = input(tape, S, rows, H);
    must(rnnkit_decoder_forward(decoder, tape, x, memory, NULL, NULL, &out, NULL), "forward");
    must(rnnkit_tensor_read(out, r->out, T * rows * O), "out");
    for (int64_t i = 0; i < T * rows * O; i++)
        gradient[i] = cosf((float)(i % 97));
    must(rnnkit_tape_backward_from(tape, out, gradient, T * rows * O), "backward");
    read_gradients(model, r);
    rnnkit_tape_destroy(tape);
    rnnkit_decoder_destroy(decoder);
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(context);
}

static void expect_close(
    const char *kind, const char *what, const float *own, const float *plain, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++) {
        double size = fabs((double)plain[i]);
        if (size > most) most = size; /* GCC 12 for AArch64 breaks down over a loop of fmax */
    }
    assert_true(most > 0);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)own[i] - (double)plain[i]) <= 2e-5 * most))
            fail_msg("%s: %s[%lld] is %.9g, in plain code %.9g", kind, what, (long long)i,
                (double)own[i], (double)plain[i]);
}

static void as_plain_code(void **state)
{
    static result own, plain;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        train("auto", kinds[i], B, &own);
        train("portable", kinds[i], B, &plain);
        assert_int_equal(own.count, plain.count);
        expect_close(kinds[i], "out", own.out, plain.out, T * B * O);
        expect_close(kinds[i], "gradients", own.gradients, plain.gradients, own.count);
    }
}

static void rows_by_themselves(void **state)
{
    static result all, first;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        train("auto", kinds[i], B, &all);
        train("auto", kinds[i], 2, &first);
        for (int64_t t = 0; t < T; t++)
            assert_memory_equal(first.out + t * 2 * O, all.out + t * B * O, 2 * O * sizeof(float));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_plain_code),
        cmocka_unit_test(rows_by_themselves),
    };
    return cmocka_run_group_tests_name("decoder_wide", tests, NULL, NULL);
}
