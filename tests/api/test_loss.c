/* The losses through the API: what masks leave out, gradients that come from above, steps that
 * allocate nothing, and what wrong arguments are answered with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/small_model.h"

enum { ROWS = 3, WIDTH = 2, COUNT = ROWS * WIDTH, CLASSES = 4 };

static const float values[COUNT] = {0.5f, -1, 2, 0.25f, -3, 1};
static const float targets[COUNT] = {1, 0, 0.5f, 1, 0, 1};

typedef struct bench {
    failing_memory hook;
    rnnkit_context *context;
    rnnkit_tape *tape;
    rnnkit_model *model;
    rnnkit_linear *linear;
    rnnkit_tensor *x, *loss;
} bench;

static void make(bench *b)
{
    *b = (bench){0};
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &b->hook, &b->context),
        "context");
    must(rnnkit_tape_create(b->context, NULL, &b->tape), "tape");
    must(rnnkit_model_create(b->context, &b->model), "model");
    must(rnnkit_linear_create(b->model, "out", WIDTH, CLASSES, NULL, &b->linear), "linear");
}

static void drop(bench *b)
{
    rnnkit_linear_destroy(b->linear);
    rnnkit_model_destroy(b->model);
    rnnkit_tape_destroy(b->tape);
    rnnkit_context_destroy(b->context);
    assert_int_equal(b->hook.alive, 0);
}

static void put(bench *b)
{
    const int64_t dims[2] = {ROWS, WIDTH};
    must(rnnkit_tape_clear(b->tape), "clear");
    must(rnnkit_tape_input(b->tape, values, dims, 2, &b->x), "input");
}

static double item(const rnnkit_tensor *tensor)
{
    double value = NAN;
    must(rnnkit_tensor_item(tensor, &value), "item");
    return value;
}

static void expect_message(const char *part)
{
    if (strstr(rnnkit_error_message(), part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), part);
}

/* A row of weight 0 may hold anything; the others give what they give without it. */
static void masked_elements_do_not_exist(void **state)
{
    (void)state;
    bench b;
    make(&b);
    static const char *const kinds[] = {
        "binary_cross_entropy", "squared_error", "absolute_error", "huber"};
    static const float mask[ROWS] = {1, 0, 1};
    const float with_nan[COUNT] = {1, 0, NAN, INFINITY, 0, 1};
    for (int k = 0; k < 4; k++) {
        float gradient[COUNT], alone[COUNT];
        const int64_t dims[2] = {2, WIDTH};
        const float rest[4] = {0.5f, -1, -3, 1}, rest_targets[4] = {1, 0, 0, 1};
        put(&b);
        must(rnnkit_pointwise_loss(
                 b.tape, kinds[k], b.x, with_nan, COUNT, mask, ROWS, NULL, &b.loss),
            "loss");
        must(rnnkit_tape_backward(b.tape, b.loss), "backward");
        must(rnnkit_tensor_read_gradient(b.x, gradient, COUNT), "read");
        double masked = item(b.loss);
        must(rnnkit_tape_clear(b.tape), "clear");
        must(rnnkit_tape_input(b.tape, rest, dims, 2, &b.x), "input");
        must(rnnkit_pointwise_loss(b.tape, kinds[k], b.x, rest_targets, 4, NULL, 0, NULL, &b.loss),
            "loss");
        must(rnnkit_tape_backward(b.tape, b.loss), "backward");
        must(rnnkit_tensor_read_gradient(b.x, alone, 4), "read");
        assert_true(masked == item(b.loss));
        assert_true(gradient[2] == 0 && gradient[3] == 0);
        assert_memory_equal(gradient, alone, 2 * sizeof(float));
        assert_memory_equal(gradient + 4, alone + 2, 2 * sizeof(float));
    }
    drop(&b);
}

static void no_weight_is_no_loss(void **state)
{
    (void)state;
    bench b;
    make(&b);
    static const float nothing[CLASSES] = {0};
    static const int32_t classes[ROWS] = {0, 1, 2};
    float gradient[COUNT];
    put(&b);
    must(rnnkit_pointwise_loss(b.tape, "huber", b.x, targets, COUNT, nothing, ROWS, NULL, &b.loss),
        "loss");
    must(rnnkit_tape_backward(b.tape, b.loss), "backward");
    must(rnnkit_tensor_read_gradient(b.x, gradient, COUNT), "read");
    assert_true(item(b.loss) == 0);
    for (int i = 0; i < COUNT; i++)
        assert_true(gradient[i] == 0);
    put(&b);
    must(rnnkit_linear_cross_entropy_with_options(
             b.linear, b.tape, b.x, classes, ROWS, nothing, CLASSES, NULL, &b.loss),
        "loss");
    must(rnnkit_tape_backward(b.tape, b.loss), "backward");
    assert_true(item(b.loss) == 0);
    drop(&b);
}

/* The gradient that comes from above multiplies: here 2 d = 3, that of (loss - -0.5)^2. */
static void losses_can_be_built_upon(void **state)
{
    (void)state;
    bench b;
    make(&b);
    rnnkit_tensor *outer;
    float plain[COUNT], scaled[COUNT];
    put(&b);
    must(rnnkit_pointwise_loss(b.tape, "huber", b.x, targets, COUNT, NULL, 0, NULL, &b.loss), "a");
    must(rnnkit_tape_backward(b.tape, b.loss), "backward");
    must(rnnkit_tensor_read_gradient(b.x, plain, COUNT), "read");
    const float shifted = (float)(item(b.loss) - 1.5);
    put(&b);
    must(rnnkit_pointwise_loss(b.tape, "huber", b.x, targets, COUNT, NULL, 0, NULL, &b.loss), "a");
    must(rnnkit_pointwise_loss(b.tape, "squared_error", b.loss, &shifted, 1, NULL, 0, NULL, &outer),
        "b");
    must(rnnkit_tape_backward(b.tape, outer), "backward");
    must(rnnkit_tensor_read_gradient(b.x, scaled, COUNT), "read");
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(scaled[i] - 3 * plain[i]) < 1e-6f);
    drop(&b);
}

/* Plain options are the plain call, bit for bit; a smoothed loss is another number. */
static void options_extend_the_plain_call(void **state)
{
    (void)state;
    bench b;
    make(&b);
    static const int32_t classes[ROWS] = {0, -1, 2};
    static const float ones[CLASSES] = {1, 1, 1, 1};
    rnnkit_tensor *plain, *same, *weighted, *smooth;
    put(&b);
    must(rnnkit_linear_cross_entropy(b.linear, b.tape, b.x, classes, ROWS, -1, &plain), "plain");
    must(rnnkit_linear_cross_entropy_with_options(
             b.linear, b.tape, b.x, classes, ROWS, NULL, 0, NULL, &same),
        "same");
    must(rnnkit_linear_cross_entropy_with_options(
             b.linear, b.tape, b.x, classes, ROWS, ones, CLASSES, NULL, &weighted),
        "weighted");
    must(rnnkit_linear_cross_entropy_with_options(
             b.linear, b.tape, b.x, classes, ROWS, ones, CLASSES, "label_smoothing=0.5", &smooth),
        "smooth");
    assert_true(item(plain) == item(same));
    assert_true(item(plain) == item(weighted));
    assert_true(item(plain) != item(smooth));
    drop(&b);
}

static void a_steady_step_allocates_nothing(void **state)
{
    (void)state;
    bench b;
    make(&b);
    static const int32_t classes[ROWS] = {0, 1, 2};
    static const float weights[CLASSES] = {1, 2, 3, 4};
    int64_t before = 0;
    for (int step = 0; step < 4; step++) {
        if (step == 2) before = b.hook.calls;
        put(&b);
        must(rnnkit_linear_cross_entropy_with_options(b.linear, b.tape, b.x, classes, ROWS, weights,
                 CLASSES, "label_smoothing=0.1", &b.loss),
            "loss");
        must(rnnkit_pointwise_loss(
                 b.tape, "huber", b.x, targets, COUNT, weights, ROWS, "delta=2", &b.loss),
            "loss");
        must(rnnkit_tape_backward(b.tape, b.loss), "backward");
    }
    assert_int_equal(b.hook.calls, before);
    drop(&b);
}

static int32_t pointwise(bench *b, const char *kind, const float *wanted, int64_t count,
    const float *weights, int64_t weight_count, const char *options)
{
    rnnkit_tensor *loss = NULL;
    int32_t status = rnnkit_pointwise_loss(
        b->tape, kind, b->x, wanted, count, weights, weight_count, options, &loss);
    assert_null(loss);
    return status;
}

static void refuses_wrong_pointwise_calls(void **state)
{
    (void)state;
    bench b;
    make(&b);
    const float two[2] = {0, 2}, negative[ROWS] = {1, -1, 1}, infinite[ROWS] = {1, 1, INFINITY};
    float beyond[COUNT] = {0, 0, 0, 0, 1.5f, 0};
    rnnkit_tensor *loss = NULL;
    put(&b);
    assert_int_equal(pointwise(&b, "hubert", targets, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    expect_message("rnnkit_pointwise_loss: kind is 'hubert'; did you mean 'huber'?");
    assert_int_equal(pointwise(&b, "", targets, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    expect_message("expected binary_cross_entropy");
    assert_int_equal(pointwise(&b, NULL, targets, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(pointwise(&b, "huber", NULL, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT - 1, NULL, 0, NULL), RNNKIT_E_SHAPE);
    expect_message("there are 5 targets, but x has shape [3, 2]");
    assert_int_equal(pointwise(&b, "huber", targets, -1, NULL, 0, NULL), RNNKIT_E_SHAPE);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, NULL, 3, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, two, 0, NULL), RNNKIT_E_SHAPE);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, two, -2, NULL), RNNKIT_E_SHAPE);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, two, 4, NULL), RNNKIT_E_SHAPE);
    expect_message("there are 4 weights, which do not divide the 6 elements of x");
    assert_int_equal(
        pointwise(&b, "huber", targets, COUNT, negative, ROWS, NULL), RNNKIT_E_ARGUMENT);
    expect_message("weights[1] is -1");
    assert_int_equal(
        pointwise(&b, "huber", targets, COUNT, infinite, ROWS, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, NULL, 0, "delta=0"), RNNKIT_E_OPTION);
    assert_int_equal(pointwise(&b, "huber", targets, COUNT, NULL, 0, "dleta=1"), RNNKIT_E_OPTION);
    expect_message("'delta'");
    assert_int_equal(
        pointwise(&b, "binary_cross_entropy", beyond, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    expect_message("targets[4] is 1.5, expected 0 to 1");
    beyond[4] = NAN;
    assert_int_equal(
        pointwise(&b, "binary_cross_entropy", beyond, COUNT, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(
        rnnkit_pointwise_loss(b.tape, "huber", b.x, targets, COUNT, NULL, 0, NULL, NULL),
        RNNKIT_E_ARGUMENT);
    assert_int_equal(
        rnnkit_pointwise_loss(NULL, "huber", b.x, targets, COUNT, NULL, 0, NULL, &loss),
        RNNKIT_E_HANDLE);
    assert_int_equal(
        rnnkit_pointwise_loss(b.tape, "huber", NULL, targets, COUNT, NULL, 0, NULL, &loss),
        RNNKIT_E_HANDLE);
    assert_null(loss);
    drop(&b);
}

static int32_t entropy(
    bench *b, const int32_t *classes, const float *weights, int64_t count, const char *options)
{
    rnnkit_tensor *loss = NULL;
    int32_t status = rnnkit_linear_cross_entropy_with_options(
        b->linear, b->tape, b->x, classes, ROWS, weights, count, options, &loss);
    assert_null(loss);
    return status;
}

static void refuses_wrong_entropy_calls(void **state)
{
    (void)state;
    bench b;
    make(&b);
    static const int32_t classes[ROWS] = {0, 1, 2}, beyond[ROWS] = {0, CLASSES, -1};
    const float negative[CLASSES] = {1, 1, 1, -0.5f}, not [CLASSES] = {1, NAN, 1, 1};
    rnnkit_tensor *loss = NULL;
    put(&b);
    assert_int_equal(entropy(&b, NULL, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(entropy(&b, beyond, NULL, 0, NULL), RNNKIT_E_ARGUMENT);
    expect_message("targets[1] is 4, expected 0 to 3 or ignore_index = -1");
    assert_int_equal(entropy(&b, beyond, NULL, 0, "ignore_index=4"), RNNKIT_E_ARGUMENT);
    expect_message("targets[2] is -1");
    assert_int_equal(entropy(&b, classes, negative, CLASSES, NULL), RNNKIT_E_ARGUMENT);
    expect_message("class_weights[3] is -0.5");
    assert_int_equal(entropy(&b, classes, not, CLASSES, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(entropy(&b, classes, NULL, CLASSES, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(entropy(&b, classes, negative, CLASSES - 1, NULL), RNNKIT_E_SHAPE);
    expect_message("there are 3 class weights, expected outputs = 4");
    assert_int_equal(entropy(&b, classes, NULL, 0, "label_smoothing=1.1"), RNNKIT_E_OPTION);
    assert_int_equal(entropy(&b, classes, NULL, 0, "smoothing=0.1"), RNNKIT_E_OPTION);
    assert_int_equal(entropy(&b, classes, NULL, 0, "ignore_index=3000000000"), RNNKIT_E_OPTION);
    assert_int_equal(rnnkit_linear_cross_entropy_with_options(
                         NULL, b.tape, b.x, classes, ROWS, NULL, 0, NULL, &loss),
        RNNKIT_E_HANDLE);
    assert_null(loss);
    drop(&b);
}

static int32_t both_losses(bench *b)
{
    static const int32_t classes[ROWS] = {0, 1, 2};
    static const float weights[CLASSES] = {1, 2, 3, 4};
    const int64_t dims[2] = {ROWS, WIDTH};
    rnnkit_tensor *one = NULL, *two = NULL;
    int32_t status = rnnkit_tape_input(b->tape, values, dims, 2, &b->x);
    if (status >= 0)
        status = rnnkit_linear_cross_entropy_with_options(
            b->linear, b->tape, b->x, classes, ROWS, weights, CLASSES, "label_smoothing=0.1", &one);
    if (status >= 0)
        status = rnnkit_pointwise_loss(
            b->tape, "huber", b->x, targets, COUNT, weights, ROWS, NULL, &two);
    return status >= 0 ? rnnkit_tape_backward(b->tape, two) : status;
}

/* The n-th allocation fails, for every n: nothing leaks, and the next step succeeds. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    int failures = 0, done = 0;
    for (int64_t n = 1; !done; n++) {
        bench b;
        make(&b);
        b.hook.fail_at = b.hook.calls + n;
        int32_t status = both_losses(&b);
        done = b.hook.calls < b.hook.fail_at;
        assert_int_equal(status, done ? RNNKIT_OK : RNNKIT_E_MEMORY);
        failures += !done;
        must(rnnkit_tape_clear(b.tape), "clear");
        must(both_losses(&b), "losses");
        drop(&b);
    }
    assert_true(failures > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_elements_do_not_exist),
        cmocka_unit_test(no_weight_is_no_loss),
        cmocka_unit_test(losses_can_be_built_upon),
        cmocka_unit_test(options_extend_the_plain_call),
        cmocka_unit_test(a_steady_step_allocates_nothing),
        cmocka_unit_test(refuses_wrong_pointwise_calls),
        cmocka_unit_test(refuses_wrong_entropy_calls),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
