/* The recurrent layer and its state: a sequence in pieces, step by step or whole is the same;
 * padding and company change nothing; wrong arguments are answered. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"

enum { INPUTS = 6, HIDDEN = 9, LAYERS = 2, STEPS = 8, BATCH = 5 };
enum { X = STEPS * BATCH * INPUTS, Y = STEPS * BATCH * HIDDEN };
enum { VALUES = LAYERS * 2 * BATCH * HIDDEN };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *lstm;
    rnnkit_tape *tape;
    float x[X];
} net;

static net make(const char *options)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=2 seed=3", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_lstm_create(n.model, "lstm", INPUTS, HIDDEN, options, &n.lstm), "lstm");
    must(rnnkit_tape_create(n.context, "train=0", &n.tape), "tape");
    for (int i = 0; i < X; i++)
        n.x[i] = sinf((float)i * 1.7f);
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_rnn_destroy(n->lstm);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

/* Steps `first` to first + steps - 1 of rows `row` to row + rows - 1. */
static void run(net *n, int first, int steps, int row, int rows, const int32_t *lengths,
    rnnkit_state *state, float *y)
{
    static float part[X];
    const int64_t dims[3] = {steps, rows, INPUTS};
    rnnkit_tensor *x, *out;
    for (int t = 0; t < steps; t++)
        memcpy(part + t * rows * INPUTS, n->x + ((first + t) * BATCH + row) * INPUTS,
            (size_t)(rows * INPUTS) * sizeof(float));
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, part, dims, 3, &x), "input");
    must(rnnkit_rnn_forward(n->lstm, n->tape, x, lengths, state, &out), "forward");
    must(rnnkit_tensor_read(out, y, steps * rows * HIDDEN), "read");
}

static void pieces_are_the_whole(void **state)
{
    (void)state;
    net n = make("layers=2");
    rnnkit_state *one, *two, *three;
    float whole[Y], pieces[Y], ends[3][VALUES];
    must(rnnkit_state_create(n.lstm, BATCH, &one), "state");
    must(rnnkit_state_create(n.lstm, BATCH, &two), "state");
    must(rnnkit_state_create(n.lstm, BATCH, &three), "state");
    run(&n, 0, STEPS, 0, BATCH, NULL, one, whole);
    run(&n, 0, 3, 0, BATCH, NULL, two, pieces);
    run(&n, 3, STEPS - 3, 0, BATCH, NULL, two, pieces + 3 * BATCH * HIDDEN);
    assert_memory_equal(whole, pieces, sizeof whole);
    for (int t = 0; t < STEPS; t++)
        must(rnnkit_rnn_step(n.lstm, three, n.x + t * BATCH * INPUTS, BATCH * INPUTS,
                 pieces + t * BATCH * HIDDEN, BATCH * HIDDEN),
            "step");
    for (int i = 0; i < Y; i++)
        assert_true(fabsf(whole[i] - pieces[i]) < 1e-6f);
    must(rnnkit_state_read(one, ends[0], VALUES), "read");
    must(rnnkit_state_read(two, ends[1], VALUES), "read");
    must(rnnkit_state_read(three, ends[2], VALUES), "read");
    assert_memory_equal(ends[0], ends[1], sizeof ends[0]);
    for (int i = 0; i < VALUES; i++)
        assert_true(fabsf(ends[0][i] - ends[2][i]) < 1e-6f);
    rnnkit_state_destroy(one);
    rnnkit_state_destroy(two);
    rnnkit_state_destroy(three);
    drop(&n);
}

static void padding_and_company_change_nothing(void **state)
{
    (void)state;
    static const int32_t lengths[BATCH] = {5, 0, 8, 1, 7};
    net n = make("layers=2");
    rnnkit_state *all, *alone;
    float y[Y], own[Y], ends[VALUES], end[LAYERS * 2 * HIDDEN];
    must(rnnkit_state_create(n.lstm, BATCH, &all), "state");
    run(&n, 0, STEPS, 0, BATCH, lengths, all, y);
    must(rnnkit_state_read(all, ends, VALUES), "read");
    for (int b = 0; b < BATCH; b++) {
        must(rnnkit_state_create(n.lstm, 1, &alone), "state");
        if (lengths[b] > 0) run(&n, 0, lengths[b], b, 1, NULL, alone, own);
        must(rnnkit_state_read(alone, end, LAYERS * 2 * HIDDEN), "read");
        for (int t = 0; t < STEPS; t++)
            for (int j = 0; j < HIDDEN; j++) {
                float expected = t < lengths[b] ? own[t * HIDDEN + j] : 0;
                assert_true(y[(t * BATCH + b) * HIDDEN + j] == expected);
            }
        for (int part = 0; part < LAYERS * 2; part++)
            assert_memory_equal(
                ends + (part * BATCH + b) * HIDDEN, end + part * HIDDEN, HIDDEN * sizeof(float));
        rnnkit_state_destroy(alone);
    }
    rnnkit_state_destroy(all);
    drop(&n);
}

static void states_are_reset_and_copied(void **state)
{
    (void)state;
    net n = make("layers=2");
    rnnkit_state *one, *two;
    float y[Y], values[VALUES], again[VALUES];
    must(rnnkit_state_create(n.lstm, BATCH, &one), "state");
    must(rnnkit_state_create(n.lstm, BATCH, &two), "state");
    run(&n, 0, STEPS, 0, BATCH, NULL, one, y);
    must(rnnkit_state_copy(two, one), "copy");
    must(rnnkit_state_read(one, values, VALUES), "read");
    must(rnnkit_state_read(two, again, VALUES), "read");
    assert_memory_equal(values, again, sizeof values);
    must(rnnkit_state_reset(two, 3), "reset");
    must(rnnkit_state_read(two, again, VALUES), "read");
    for (int i = 0; i < VALUES; i++) {
        int row = i / HIDDEN % BATCH;
        assert_true(again[i] == (row == 3 ? 0 : values[i]));
    }
    must(rnnkit_state_write(two, values, VALUES), "write");
    must(rnnkit_state_reset(one, -1), "reset");
    must(rnnkit_state_read(two, again, VALUES), "read");
    assert_memory_equal(values, again, sizeof values);
    must(rnnkit_state_read(one, again, VALUES), "read");
    for (int i = 0; i < VALUES; i++)
        assert_true(again[i] == 0);
    assert_int_equal(rnnkit_state_reset(one, BATCH), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_state_reset(one, -2), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_state_read(one, values, VALUES - 1), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_state_write(one, NULL, VALUES), RNNKIT_E_ARGUMENT);
    rnnkit_state_destroy(one);
    rnnkit_state_destroy(two);
    drop(&n);
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    net n = make("layers=2");
    rnnkit_rnn *other = NULL;
    rnnkit_state *s = NULL, *foreign = NULL;
    rnnkit_tensor *x, *flat, *out = NULL;
    const int64_t dims[3] = {2, 3, INPUTS}, flat_dims[2] = {6, INPUTS}, wide[3] = {2, 3, 4};
    const int32_t lengths[3] = {0, 3, 1};
    float y[BATCH * HIDDEN];
    must(rnnkit_lstm_create(n.model, "other", INPUTS, HIDDEN, NULL, &other), "lstm");
    must(rnnkit_state_create(n.lstm, BATCH, &s), "state");
    must(rnnkit_state_create(other, 3, &foreign), "state");
    must(rnnkit_tape_input(n.tape, n.x, dims, 3, &x), "input");
    must(rnnkit_tape_input(n.tape, n.x, flat_dims, 2, &flat), "input");
    assert_int_equal(rnnkit_rnn_forward(n.lstm, n.tape, flat, NULL, NULL, &out), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_rnn_forward(n.lstm, n.tape, x, NULL, s, &out), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_rnn_forward(n.lstm, n.tape, x, NULL, foreign, &out), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_rnn_forward(n.lstm, n.tape, x, lengths, NULL, &out), RNNKIT_E_ARGUMENT);
    assert_non_null(strstr(rnnkit_error_message(), "lengths[1] is 3, expected 0 to 2"));
    must(rnnkit_tape_input(n.tape, n.x, wide, 3, &x), "input");
    assert_int_equal(rnnkit_rnn_forward(n.lstm, n.tape, x, NULL, NULL, &out), RNNKIT_E_SHAPE);
    assert_non_null(strstr(rnnkit_error_message(),
        "rnnkit_rnn_forward: x has shape [2, 3, 4], the last dimension must be inputs = 6"));
    assert_null(out);
    assert_int_equal(rnnkit_rnn_step(n.lstm, s, n.x, 1, y, BATCH * HIDDEN), RNNKIT_E_SHAPE);
    assert_int_equal(
        rnnkit_rnn_step(n.lstm, foreign, n.x, 3 * INPUTS, y, 3 * HIDDEN), RNNKIT_E_SHAPE);
    assert_int_equal(
        rnnkit_rnn_step(n.lstm, s, NULL, BATCH * INPUTS, y, BATCH * HIDDEN), RNNKIT_E_ARGUMENT);
    rnnkit_state *none = NULL;
    assert_int_equal(rnnkit_state_create(n.lstm, 0, &none), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_state_create(n.lstm, INT64_MAX / 4, &none), RNNKIT_E_SHAPE);
    rnnkit_rnn *made = NULL;
    assert_int_equal(
        rnnkit_lstm_create(n.model, "big", 4, INT64_MAX / 2, NULL, &made), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_lstm_create(n.model, "big", 4, 4, "layers=0", &made), RNNKIT_E_OPTION);
    assert_int_equal(rnnkit_lstm_create(n.model, "big", 4, -4, NULL, &made), RNNKIT_E_ARGUMENT);
    assert_null(made);
    rnnkit_state_destroy(s);
    rnnkit_state_destroy(foreign);
    rnnkit_rnn_destroy(other);
    drop(&n);
}

static void forget_bias_is_added(void **state)
{
    (void)state;
    net plain = make(NULL), raised = make("forget_bias=1.5");
    float one[4 * HIDDEN], two[4 * HIDDEN];
    must(rnnkit_model_parameter_read(plain.model, "lstm.bias_ih_l0", one, 4 * HIDDEN), "read");
    must(rnnkit_model_parameter_read(raised.model, "lstm.bias_ih_l0", two, 4 * HIDDEN), "read");
    for (int i = 0; i < 4 * HIDDEN; i++)
        assert_true(two[i] == (i / HIDDEN == 1 ? one[i] + 1.5f : one[i]));
    drop(&plain);
    drop(&raised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(padding_and_company_change_nothing),
        cmocka_unit_test(states_are_reset_and_copied),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(forget_bias_is_added),
    };
    return cmocka_run_group_tests_name("recurrent layers", tests, NULL, NULL);
}
