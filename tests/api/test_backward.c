/* Gradients of a loss that the caller computes: they go the way that those of the library's own
 * losses go, on the CPU and on the reference device; and what wrong arguments are answered with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/small_model.h"
#include "../support/text.h"

enum { T = 4, B = 3, F = 5, H = 6, Y = 2, COUNT = T * B * Y, MOST = 512 };

static const char *const devices[] = {"cpu", "reference"};

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
} net;

static net make(rnnkit_context *context, const char *tape)
{
    net n = {.context = context};
    must(rnnkit_model_create(context, &n.model), "model");
    must(rnnkit_lstm_create(n.model, "lstm", F, H, NULL, &n.lstm), "lstm");
    must(rnnkit_linear_create(n.model, "out", H, Y, NULL, &n.linear), "linear");
    must(rnnkit_tape_create(context, tape, &n.tape), "tape");
    return n;
}

static net make_on(const char *device, const char *tape)
{
    rnnkit_context *context;
    must(rnnkit_context_create(device, "threads=1 seed=4", &context), "context");
    return make(context, tape);
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_linear_destroy(n->linear);
    rnnkit_rnn_destroy(n->lstm);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

static float element(int64_t i)
{
    return sinf((float)(3 * i + 1));
}

static rnnkit_tensor *run(net *n)
{
    static const int64_t dims[3] = {T, B, F};
    float x[T * B * F];
    rnnkit_tensor *y;
    for (int64_t i = 0; i < T * B * F; i++)
        x[i] = element(i);
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, x, dims, 3, &y), "input");
    must(rnnkit_rnn_forward(n->lstm, n->tape, y, NULL, NULL, &y), "forward");
    must(rnnkit_linear_forward(n->linear, n->tape, y, &y), "linear");
    return y;
}

/* The gradients of all parameters, one behind the other, which are then cleared. */
static int64_t take_gradients(net *n, float *out)
{
    int64_t used = 0;
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(n->model, i)) != NULL; i++) {
        int64_t dims[4], rank, count = 1;
        must(rnnkit_model_parameter_shape(n->model, name, dims, 4, &rank), "shape");
        for (int64_t k = 0; k < rank; k++)
            count *= dims[k];
        assert_true(used + count <= MOST);
        must(rnnkit_model_gradient_read(n->model, name, out + used, count), "gradient");
        used += count;
    }
    must(rnnkit_model_clear_gradients(n->model), "clear");
    return used;
}

/* The caller's mean of squares gives what the library's own squared error gives. */
static void agrees_with_a_loss_of_the_library(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        net n = make_on(devices[d], NULL);
        float targets[COUNT], y[COUNT], gradient[COUNT], expected[MOST], found[MOST];
        rnnkit_tensor *out = run(&n), *loss;
        for (int64_t i = 0; i < COUNT; i++)
            targets[i] = element(7 * i);
        must(rnnkit_pointwise_loss(
                 n.tape, "squared_error", out, targets, COUNT, NULL, 0, NULL, &loss),
            "loss");
        must(rnnkit_tape_backward(n.tape, loss), "backward");
        int64_t count = take_gradients(&n, expected);

        out = run(&n);
        must(rnnkit_tensor_read(out, y, COUNT), "read");
        for (int64_t i = 0; i < COUNT; i++)
            gradient[i] = 2 * (y[i] - targets[i]) / COUNT;
        must(rnnkit_tape_backward_from(n.tape, out, gradient, COUNT), "backward from");
        assert_int_equal(take_gradients(&n, found), count);
        for (int64_t i = 0; i < count; i++)
            assert_true(fabsf(found[i] - expected[i]) < 1e-6f);
        must(rnnkit_tensor_read_gradient(out, y, COUNT), "gradient");
        assert_memory_equal(y, gradient, sizeof y);
        drop(&n);
    }
}

/* sum of g y by central differences in a weight that everything depends on. */
static void agrees_with_differences(void **state)
{
    (void)state;
    enum { WEIGHTS = 4 * H * F };
    net n = make_on("reference", NULL);
    float weights[WEIGHTS], found[WEIGHTS], g[COUNT], y[COUNT];
    for (int64_t i = 0; i < COUNT; i++)
        g[i] = element(11 * i);
    must(rnnkit_tape_backward_from(n.tape, run(&n), g, COUNT), "backward from");
    must(rnnkit_model_gradient_read(n.model, "lstm.weight_ih_l0", found, WEIGHTS), "gradient");
    must(rnnkit_model_parameter_read(n.model, "lstm.weight_ih_l0", weights, WEIGHTS), "weights");
    for (int64_t k = 0; k < WEIGHTS; k += 7) {
        double sums[2] = {0, 0};
        float kept = weights[k], step = 0x1p-7f;
        for (int side = 0; side < 2; side++) {
            weights[k] = side == 0 ? kept - step : kept + step;
            must(rnnkit_model_parameter_write(n.model, "lstm.weight_ih_l0", weights, WEIGHTS),
                "write");
            must(rnnkit_tensor_read(run(&n), y, COUNT), "read");
            for (int64_t i = 0; i < COUNT; i++)
                sums[side] += (double)(g[i] * y[i]);
        }
        weights[k] = kept;
        assert_true(fabs((sums[1] - sums[0]) / (2 * (double)step) - (double)found[k]) < 1e-4);
    }
    drop(&n);
}

static void wrong_arguments(void **state)
{
    (void)state;
    net n = make_on("cpu", NULL), other = make_on("cpu", NULL), still = make_on("cpu", "train=0");
    float g[COUNT] = {1}, before[MOST], after[MOST];
    rnnkit_tensor *y = run(&n), *foreign = run(&other), *fixed = run(&still);
    text_fails(rnnkit_tape_backward_from(NULL, y, g, COUNT), RNNKIT_E_HANDLE, "tape");
    text_fails(rnnkit_tape_backward_from(n.tape, NULL, g, COUNT), RNNKIT_E_HANDLE, "tensor");
    text_fails(rnnkit_tape_backward_from(n.tape, y, NULL, COUNT), RNNKIT_E_ARGUMENT, "gradient");
    text_fails(rnnkit_tape_backward_from(n.tape, y, g, COUNT - 1), RNNKIT_E_SHAPE, "[4, 3, 2]");
    text_fails(rnnkit_tape_backward_from(n.tape, y, g, -1), RNNKIT_E_SHAPE, "-1");
    text_fails(
        rnnkit_tape_backward_from(n.tape, y, g, INT64_MAX), RNNKIT_E_SHAPE, "9223372036854775807");
    text_fails(
        rnnkit_tape_backward_from(n.tape, foreign, g, COUNT), RNNKIT_E_ORDER, "another tape");
    text_fails(rnnkit_tape_backward_from(still.tape, fixed, g, COUNT), RNNKIT_E_ORDER, "train=0");
    int64_t count = take_gradients(&n, before);
    for (int64_t i = 0; i < count; i++)
        assert_true(before[i] == 0);
    must(rnnkit_tape_backward_from(n.tape, y, g, COUNT), "after the failures");
    take_gradients(&n, before);
    text_fails(rnnkit_tape_backward_from(n.tape, y, g, COUNT), RNNKIT_E_ORDER, "already");
    text_fails(rnnkit_tape_backward(n.tape, y), RNNKIT_E_ORDER, "already");
    assert_int_equal(take_gradients(&n, after), count);
    for (int64_t i = 0; i < count; i++)
        assert_true(after[i] == 0);
    must(rnnkit_tape_clear(n.tape), "clear");
    text_fails(rnnkit_tape_backward_from(n.tape, y, g, COUNT), RNNKIT_E_HANDLE, "destroyed");
    drop(&n);
    drop(&other);
    drop(&still);
}

/* What is not finite goes through, and the optimiser notices: the weights stay as they are. */
static void gradients_that_are_no_numbers(void **state)
{
    (void)state;
    net n = make_on("cpu", NULL);
    float g[COUNT] = {0}, before[Y], after[Y];
    rnnkit_optimizer *adam;
    must(rnnkit_optimizer_create(n.model, "adam", NULL, &adam), "adam");
    must(rnnkit_model_parameter_read(n.model, "out.bias", before, Y), "read");
    g[3] = NAN;
    must(rnnkit_tape_backward_from(n.tape, run(&n), g, COUNT), "backward from");
    text_fails(rnnkit_optimizer_step(adam), RNNKIT_E_DIVERGED, "");
    must(rnnkit_model_parameter_read(n.model, "out.bias", after, Y), "read");
    assert_memory_equal(before, after, sizeof after);
    rnnkit_optimizer_destroy(adam);
    drop(&n);
}

/* Every allocation fails once, on a device that converts numbers too. */
static void without_memory(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof devices / sizeof *devices; d++) {
        int32_t status = RNNKIT_E_MEMORY;
        int64_t failures = -1;
        for (int64_t fail_at = 1; status != RNNKIT_OK; fail_at++, failures++) {
            failing_memory hook = {0};
            float g[COUNT] = {1};
            rnnkit_context *context;
            must(rnnkit_context_create_with_allocator(
                     devices[d], "threads=1", failing_allocate, failing_release, &hook, &context),
                "context");
            net n = make(context, NULL);
            rnnkit_tensor *y = run(&n);
            hook.fail_at = hook.calls + fail_at;
            status = rnnkit_tape_backward_from(n.tape, y, g, COUNT);
            if (status != RNNKIT_OK) text_fails(status, RNNKIT_E_MEMORY, "memory");
            hook.fail_at = 0;
            drop(&n);
            assert_int_equal(hook.alive, 0);
        }
        assert_true(failures > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_loss_of_the_library),
        cmocka_unit_test(agrees_with_differences),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(gradients_that_are_no_numbers),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("backward", tests, NULL, NULL);
}
