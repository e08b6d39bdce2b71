/* Optimisers and schedules: clipping and its reported norm, divergence that costs nothing, rates as
 * the formulas say, and a steady training step that allocates nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/small_model.h"

enum { INPUTS = 4, OUTPUTS = 3, ROWS = 2, WEIGHTS = INPUTS * OUTPUTS };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
} net;

static net make(const char *rule, const char *options)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=1 seed=2", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_linear_create(n.model, "out", INPUTS, OUTPUTS, "bias=0", &n.linear), "linear");
    must(rnnkit_tape_create(n.context, NULL, &n.tape), "tape");
    must(rnnkit_optimizer_create(n.model, rule, options, &n.optimizer), "optimizer");
    return n;
}

static void drop(net *n)
{
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
    rnnkit_linear_destroy(n->linear);
    rnnkit_tape_destroy(n->tape);
    rnnkit_optimizer_destroy(n->optimizer);
}

static void backward(net *n, float scale)
{
    static const int64_t dims[2] = {ROWS, INPUTS};
    static const int32_t targets[ROWS] = {2, 0};
    float values[ROWS * INPUTS];
    rnnkit_tensor *x, *loss;
    for (int i = 0; i < ROWS * INPUTS; i++)
        values[i] = scale * (float)(i - 3);
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, values, dims, 2, &x), "input");
    must(rnnkit_linear_cross_entropy(n->linear, n->tape, x, targets, ROWS, -1, &loss), "loss");
    must(rnnkit_tape_backward(n->tape, loss), "backward");
}

static void read_weights(const net *n, float *values)
{
    must(rnnkit_model_parameter_read(n->model, "out.weight", values, WEIGHTS), "read");
}

static double norm_of(const float *values)
{
    double sum = 0;
    for (int i = 0; i < WEIGHTS; i++)
        sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

static void clipping_by_norm(void **state)
{
    (void)state;
    net n = make("sgd", "lr=1 clip_norm=0.01");
    float gradient[WEIGHTS], before[WEIGHTS], after[WEIGHTS];
    double norm = -1;
    assert_int_equal(rnnkit_optimizer_gradient_norm(n.optimizer, &norm), RNNKIT_E_ORDER);
    backward(&n, 1);
    must(rnnkit_model_gradient_read(n.model, "out.weight", gradient, WEIGHTS), "gradient");
    read_weights(&n, before);
    must(rnnkit_optimizer_step(n.optimizer), "step");
    read_weights(&n, after);
    must(rnnkit_optimizer_gradient_norm(n.optimizer, &norm), "norm");
    assert_true(fabs(norm - norm_of(gradient)) < 1e-6);
    assert_true(norm > 0.01);
    for (int i = 0; i < WEIGHTS; i++)
        after[i] -= before[i];
    assert_true(fabs(norm_of(after) - 0.01) < 1e-5);
    drop(&n);
}

static void clipping_by_value(void **state)
{
    (void)state;
    net n = make("sgd", "lr=1 clip_value=0.05");
    float gradient[WEIGHTS], before[WEIGHTS], after[WEIGHTS];
    int clipped = 0;
    backward(&n, 1);
    must(rnnkit_model_gradient_read(n.model, "out.weight", gradient, WEIGHTS), "gradient");
    read_weights(&n, before);
    must(rnnkit_optimizer_step(n.optimizer), "step");
    read_weights(&n, after);
    for (int i = 0; i < WEIGHTS; i++) {
        float expected = fminf(0.05f, fmaxf(-0.05f, gradient[i]));
        clipped += expected != gradient[i];
        assert_true(fabsf(before[i] - after[i] - expected) < 1e-6f);
    }
    assert_true(clipped > 0);
    drop(&n);
}

static void divergence_costs_nothing(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, 3e38f};
    net n = make("adam", NULL);
    float before[WEIGHTS], after[WEIGHTS];
    backward(&n, 1);
    must(rnnkit_optimizer_step(n.optimizer), "step");
    read_weights(&n, before);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        backward(&n, bad[i]);
        assert_int_equal(rnnkit_optimizer_step(n.optimizer), RNNKIT_E_DIVERGED);
        read_weights(&n, after);
        assert_memory_equal(before, after, sizeof before);
    }
    backward(&n, 1); /* and it can go on: nothing of the bad gradients is left */
    must(rnnkit_optimizer_step(n.optimizer), "step");
    read_weights(&n, after);
    for (int i = 0; i < WEIGHTS; i++)
        assert_true(isfinite(after[i]));
    assert_memory_not_equal(before, after, sizeof before);
    drop(&n);
}

static double rate_of(const net *n)
{
    double rate = -1;
    must(rnnkit_optimizer_learning_rate(n->optimizer, &rate), "rate");
    return rate;
}

static double rate_after(const char *shape, int64_t steps, const char *options, int updates)
{
    net n = make("sgd", "lr=2");
    rnnkit_schedule *schedule;
    must(rnnkit_schedule_create(n.optimizer, shape, steps, options, &schedule), "schedule");
    for (int i = 0; i < updates; i++)
        must(rnnkit_schedule_step(schedule), "step");
    double rate = rate_of(&n);
    rnnkit_schedule_destroy(schedule);
    drop(&n);
    return rate;
}

static void schedules_follow_their_formulas(void **state)
{
    (void)state;
    const double pi = acos(-1.0);
    const struct {
        const char *shape, *options;
        int64_t steps;
        int updates;
        double expected;
    } rows[] = {
        {"constant", NULL, 10, 7, 2},
        {"constant", "warmup=4", 10, 0, 0.5},
        {"constant", "warmup=4", 10, 3, 2},
        {"linear", NULL, 10, 0, 2},
        {"linear", NULL, 10, 4, 1.2},
        {"linear", "floor=0.5", 10, 10, 0.5},
        {"linear", "floor=0.5", 10, 99, 0.5},
        {"linear", "warmup=2", 10, 6, 1},
        {"cosine", NULL, 10, 5, 1},
        {"cosine", "floor=1", 10, 2, 1.5 + 0.5 * cos(0.2 * pi)},
        {"step", "every=3 factor=0.5", 10, 2, 2},
        {"step", "every=3 factor=0.5", 10, 3, 1},
        {"step", "every=3 factor=0.5 floor=0.7", 10, 7, 0.7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double rate = rate_after(rows[i].shape, rows[i].steps, rows[i].options, rows[i].updates);
        if (fabs(rate - rows[i].expected) > 1e-12)
            fail_msg("%s %s after %d: %g, not %g", rows[i].shape,
                rows[i].options ? rows[i].options : "", rows[i].updates, rate, rows[i].expected);
    }
}

static void plateau_waits_and_reduces(void **state)
{
    (void)state;
    static const double losses[] = {5, 4, 4, 4, 4, 3, 3, 3, 3};
    static const double rates[] = {2, 2, 2, 2, 0.5, 0.5, 0.5, 0.5, 0.125};
    net n = make("sgd", "lr=2");
    rnnkit_schedule *schedule;
    must(rnnkit_schedule_create(n.optimizer, "plateau", 1, "patience=2 factor=0.25", &schedule),
        "schedule");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        must(rnnkit_schedule_observe(schedule, losses[i]), "observe");
        assert_true(fabs(rate_of(&n) - rates[i]) < 1e-12);
    }
    assert_int_equal(rnnkit_schedule_observe(schedule, NAN), RNNKIT_E_ARGUMENT);
    rnnkit_schedule_destroy(schedule);
    drop(&n);
}

static void refuses_what_cannot_be(void **state)
{
    (void)state;
    net n = make("sgd", NULL);
    rnnkit_optimizer *o = NULL;
    rnnkit_schedule *s = NULL;
    rnnkit_linear *late;
    assert_int_equal(rnnkit_optimizer_create(n.model, "adamm", NULL, &o), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_optimizer_create(n.model, NULL, NULL, &o), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_optimizer_create(n.model, "sgd", "lr=-1", &o), RNNKIT_E_OPTION);
    assert_int_equal(rnnkit_optimizer_create(n.model, "sgd", "lr=nan", &o), RNNKIT_E_OPTION);
    assert_int_equal(rnnkit_optimizer_create(n.model, "sgd", "nesterov=1", &o), RNNKIT_E_OPTION);
    assert_int_equal(
        rnnkit_optimizer_create((rnnkit_model *)n.tape, "sgd", NULL, &o), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_optimizer_set_learning_rate(n.optimizer, -1), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_optimizer_set_learning_rate(n.optimizer, NAN), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_schedule_create(n.optimizer, "sine", 5, NULL, &s), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_schedule_create(n.optimizer, "cosine", 0, NULL, &s), RNNKIT_E_ARGUMENT);
    assert_int_equal(
        rnnkit_schedule_create(n.optimizer, "cosine", 5, "warmup=5", &s), RNNKIT_E_OPTION);
    assert_int_equal(
        rnnkit_schedule_create(n.optimizer, "cosine", 5, "floor=9", &s), RNNKIT_E_OPTION);
    assert_null(o);
    assert_null(s);
    must(rnnkit_linear_create(n.model, "late", 2, 2, NULL, &late), "linear");
    assert_int_equal(rnnkit_optimizer_step(n.optimizer), RNNKIT_E_ORDER);
    rnnkit_linear_destroy(late);
    drop(&n);
}

/* The whole loop: batches, tape, recurrent layers with dropout, fused loss, Adam with clipping. */
static void a_steady_step_allocates_nothing(void **state)
{
    (void)state;
    enum { WARM = 4, STEADY = 20, T = 5, B = 3 };
    failing_memory memory = {0};
    rnnkit_context *context;
    small_model small;
    rnnkit_optimizer *adam;
    rnnkit_state *h;
    rnnkit_tape *tape;
    rnnkit_tensor *e, *o, *loss;
    int32_t x[T * B], y[T * B];
    int64_t calls = 0;
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &memory, &context),
        "context");
    must(small_model_create(context, &small), "model");
    must(rnnkit_optimizer_create(small.model, "adam", "clip_norm=1", &adam), "adam");
    must(rnnkit_state_create(small.lstm, B, &h), "state");
    must(rnnkit_tape_create(context, NULL, &tape), "tape");
    for (int step = 0; step < WARM + STEADY; step++) {
        if (step == WARM) calls = memory.calls;
        for (int i = 0; i < T * B; i++) {
            x[i] = (int32_t)((step * 7 + i * 3) % small.words);
            y[i] = (step + i) % 4 == 0 ? -1 : (int32_t)((step * 5 + i) % small.words);
        }
        must(rnnkit_tape_clear(tape), "clear");
        must(rnnkit_embedding_forward(small.embedding, tape, x, T, B, &e), "embedding");
        must(rnnkit_rnn_forward(small.lstm, tape, e, NULL, h, &o), "lstm");
        must(rnnkit_linear_cross_entropy(small.linear, tape, o, y, T * B, -1, &loss), "loss");
        must(rnnkit_tape_backward(tape, loss), "backward");
        must(rnnkit_optimizer_step(adam), "step");
    }
    assert_int_equal(memory.calls, calls);
    rnnkit_tape_destroy(tape);
    rnnkit_state_destroy(h);
    rnnkit_optimizer_destroy(adam);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    assert_int_equal(memory.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipping_by_norm),
        cmocka_unit_test(clipping_by_value),
        cmocka_unit_test(divergence_costs_nothing),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(plateau_waits_and_reduces),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(a_steady_step_allocates_nothing),
    };
    return cmocka_run_group_tests_name("optimizers", tests, NULL, NULL);
}
