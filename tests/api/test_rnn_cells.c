/* Every cell with its options: padding and company change nothing, pieces and single steps are the
 * whole, pooled outputs are what they say, first values too, a saved model is the same layer again.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/rnn_kind.h"
#include "../support/scratch.h"
#include "../support/small_model.h"

enum { INPUTS = 6, HIDDEN = 9, STEPS = 8, BATCH = 5, MOST = 4096 };

/* Of one direction; with more in front, two. */
static const rnn_kind one_way[] = {
    {rnnkit_elman_create, "layers=2"},
    {rnnkit_elman_create, "activation=relu zoneout=0.3 layer_norm=1"},
    {rnnkit_gru_create, "layers=2 hidden=7,9 initial=learned"},
    {rnnkit_gru_create, "layers=2 reset=before zoneout=0.2"},
    {rnnkit_gru_create, "layer_norm=1 bias=0"},
    {rnnkit_lstm_create, "layers=2 projection=4 hidden=5,9"},
    {rnnkit_lstm_create, "layers=2 layer_norm=1 zoneout=0.1 zoneout_cell=0.4"},
    {rnnkit_lstm_create, "layers=2 init=orthogonal forget_bias=1"},
};
enum { ONE_WAY = sizeof one_way / sizeof *one_way };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *rnn;
    rnnkit_tape *tape;
    int64_t outputs, state;
    float x[STEPS * BATCH * INPUTS];
} net;

static net make(const rnn_kind *of, const char *more, const char *tape)
{
    net n = {0};
    char options[160];
    snprintf(options, sizeof options, "%s%s", of->options, more);
    must(rnnkit_context_create("cpu", "threads=2 seed=3", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(of->create(n.model, "rnn", INPUTS, HIDDEN, options, &n.rnn), options);
    must(rnnkit_rnn_widths(n.rnn, &n.outputs, &n.state), "widths");
    must(rnnkit_tape_create(n.context, tape, &n.tape), "tape");
    for (int i = 0; i < STEPS * BATCH * INPUTS; i++)
        n.x[i] = sinf((float)i * 1.7f);
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_rnn_destroy(n->rnn);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

/* `steps` steps from x, which has `rows` rows, to y. */
static rnnkit_tensor *run(net *n, const float *x, int64_t steps, int64_t rows,
    const int32_t *lengths, rnnkit_state *state, float *y)
{
    const int64_t dims[3] = {steps, rows, INPUTS};
    rnnkit_tensor *in, *out;
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, x, dims, 3, &in), "input");
    must(rnnkit_rnn_forward(n->rnn, n->tape, in, lengths, state, &out), "forward");
    must(rnnkit_tensor_read(out, y, steps * rows * n->outputs), "read");
    return out;
}

/* Row b alone, without its padding. */
static void check_row(net *n, int b, int begin, int length, const float *y)
{
    float x[STEPS * INPUTS], own[MOST] = {0};
    for (int t = 0; t < length; t++)
        memcpy(x + t * INPUTS, n->x + ((begin + t) * BATCH + b) * INPUTS, INPUTS * sizeof(float));
    if (length > 0) run(n, x, length, 1, NULL, NULL, own);
    for (int t = 0; t < STEPS; t++) {
        const float *got = y + (t * BATCH + b) * n->outputs;
        for (int j = 0; j < n->outputs; j++) {
            int lives = t >= begin && t < begin + length;
            assert_true(got[j] == (lives ? own[(t - begin) * n->outputs + j] : 0));
        }
    }
}

static void padding_and_company_change_nothing(void **state)
{
    static const int32_t lengths[BATCH] = {5, 0, 8, 1, 7};
    static const char *const more[] = {"", " bidirectional=1", " bidirectional=1 padding=left"};
    (void)state;
    for (int i = 0; i < ONE_WAY; i++)
        for (int k = 0; k < 3; k++) {
            net n = make(&one_way[i], more[k], "train=0");
            float y[MOST], x[STEPS * BATCH * INPUTS];
            memcpy(x, n.x, sizeof x);
            for (int b = 0; b < BATCH; b++) /* padding is not even looked at */
                for (int t = 0; t < STEPS; t++)
                    if (k == 2 ? t < STEPS - lengths[b] : t >= lengths[b])
                        x[(t * BATCH + b) * INPUTS] = NAN;
            run(&n, x, STEPS, BATCH, lengths, NULL, y);
            for (int b = 0; b < BATCH; b++)
                check_row(&n, b, k == 2 ? STEPS - lengths[b] : 0, lengths[b], y);
            drop(&n);
        }
}

static void pieces_and_steps_are_the_whole(void **user)
{
    (void)user;
    for (int i = 0; i < ONE_WAY; i++) {
        net n = make(&one_way[i], "", "train=0");
        rnnkit_state *state[3];
        float whole[MOST], pieces[MOST], ends[3][MOST];
        int64_t x_step = BATCH * INPUTS, y_step = BATCH * n.outputs, count = BATCH * n.state;
        for (int s = 0; s < 3; s++)
            must(rnnkit_state_create(n.rnn, BATCH, &state[s]), "state");
        run(&n, n.x, STEPS, BATCH, NULL, state[0], whole);
        run(&n, n.x, 3, BATCH, NULL, state[1], pieces);
        run(&n, n.x + 3 * x_step, STEPS - 3, BATCH, NULL, state[1], pieces + 3 * y_step);
        assert_memory_equal(whole, pieces, (size_t)(STEPS * y_step) * sizeof(float));
        must(rnnkit_rnn_step(n.rnn, state[2], n.x, x_step, pieces, y_step), "step");
        must(rnnkit_rnn_step(n.rnn, state[2], n.x + x_step, (STEPS - 1) * x_step, pieces + y_step,
                 (STEPS - 1) * y_step),
            "steps");
        for (int j = 0; j < STEPS * y_step; j++)
            assert_true(fabsf(whole[j] - pieces[j]) < 2e-6f);
        for (int s = 0; s < 3; s++)
            must(rnnkit_state_read(state[s], ends[s], count), "read");
        assert_memory_equal(ends[0], ends[1], (size_t)count * sizeof(float));
        for (int j = 0; j < count; j++)
            assert_true(fabsf(ends[0][j] - ends[2][j]) < 2e-6f);
        for (int s = 0; s < 3; s++)
            rnnkit_state_destroy(state[s]);
        drop(&n);
    }
}

static float pooled_by_hand(
    const float *y, int64_t width, int b, int64_t j, int length, const char *how)
{
    float sum = 0, most = -INFINITY;
    if (length == 0) return 0;
    for (int t = 0; t < length; t++) {
        float value = y[(t * BATCH + b) * width + j];
        sum += value;
        most = fmaxf(most, value);
    }
    if (how[8] == 'm') return strcmp(how, "pooling=max") == 0 ? most : sum / (float)length;
    return y[((j < width / 2 ? length - 1 : 0) * BATCH + b) * width + j];
}

static void pooling_is_what_it_says(void **state)
{
    static const int32_t lengths[BATCH] = {5, 0, 8, 1, 7};
    static const int32_t wrong[BATCH] = {5, -1, 8, 1, 7};
    static const char *const ways[] = {"pooling=last", "pooling=mean", "pooling=max"};
    (void)state;
    net n = make(&one_way[0], " bidirectional=1", "train=1");
    for (int i = 0; i < 3; i++) {
        float y[MOST], got[BATCH * 2 * HIDDEN];
        rnnkit_tensor *out, *full = run(&n, n.x, STEPS, BATCH, lengths, NULL, y);
        must(rnnkit_rnn_pool(n.rnn, n.tape, full, lengths, ways[i], &out), "pool");
        must(rnnkit_tensor_read(out, got, BATCH * n.outputs), "read");
        for (int b = 0; b < BATCH; b++)
            for (int j = 0; j < n.outputs; j++) {
                float expected = pooled_by_hand(y, n.outputs, b, j, lengths[b], ways[i]);
                assert_true(fabsf(got[b * n.outputs + j] - expected) < 1e-6f);
            }
        assert_int_equal(
            rnnkit_rnn_pool(n.rnn, n.tape, full, lengths, "pooling=some", &out), RNNKIT_E_OPTION);
        assert_int_equal(
            rnnkit_rnn_pool(n.rnn, n.tape, out, lengths, ways[i], &out), RNNKIT_E_SHAPE);
        assert_int_equal(
            rnnkit_rnn_pool(n.rnn, n.tape, full, lengths, ways[i], NULL), RNNKIT_E_ARGUMENT);
        assert_int_equal(
            rnnkit_rnn_pool(n.rnn, n.tape, full, wrong, ways[i], &out), RNNKIT_E_ARGUMENT);
        assert_non_null(strstr(rnnkit_error_message(), "lengths[1] is -1, expected 0 to 8"));
    }
    drop(&n);
}

/* h and c follow from the gates, by the cells' equations; both directions, with lengths. */
static void check_gates(net *n, int gates, int reverse, const int32_t *lengths)
{
    float y[MOST], g[MOST], c[MOST];
    rnnkit_tensor *values, *cells, *out = run(n, n->x, STEPS, BATCH, lengths, NULL, y);
    must(rnnkit_rnn_gates(n->rnn, n->tape, out, 1, reverse, &values, &cells), "gates");
    must(rnnkit_tensor_read(values, g, STEPS * BATCH * gates * HIDDEN), "read");
    if (gates == 4) must(rnnkit_tensor_read(cells, c, STEPS * BATCH * HIDDEN), "read");
    if (gates == 3) assert_null(cells);
    for (int b = 0; b < BATCH; b++)
        for (int j = 0; j < HIDDEN; j++) {
            float h = 0, before = 0;
            for (int k = 0; k < lengths[b]; k++) {
                int row = (reverse ? lengths[b] - 1 - k : k) * BATCH + b;
                const float *at = g + row * gates * HIDDEN + j;
                if (gates == 4) {
                    before = at[HIDDEN] * before + at[0] * at[2 * HIDDEN];
                    assert_true(fabsf(c[row * HIDDEN + j] - before) < 1e-6f);
                    h = at[3 * HIDDEN] * tanhf(before);
                } else {
                    h = at[2 * HIDDEN] + at[HIDDEN] * (h - at[2 * HIDDEN]);
                }
                assert_true(fabsf(y[row * 2 * HIDDEN + reverse * HIDDEN + j] - h) < 1e-6f);
            }
            for (int t = lengths[b]; t < STEPS; t++)
                assert_true(g[(t * BATCH + b) * gates * HIDDEN + j] == 0);
        }
}

static void gates_can_be_seen(void **state)
{
    static const int32_t lengths[BATCH] = {5, 0, 8, 1, 7};
    static const rnn_kind both[] = {
        {rnnkit_lstm_create, "layers=2"}, {rnnkit_gru_create, "layers=2"}};
    float y[MOST];
    (void)state;
    for (int i = 0; i < 4; i++) {
        net n = make(&both[i / 2], " bidirectional=1", "train=1");
        check_gates(&n, i / 2 == 0 ? 4 : 3, i % 2, lengths);
        rnnkit_tensor *g = NULL, *out = run(&n, n.x, STEPS, BATCH, lengths, NULL, y);
        assert_int_equal(rnnkit_rnn_gates(n.rnn, n.tape, out, 2, 0, &g, NULL), RNNKIT_E_ARGUMENT);
        assert_int_equal(rnnkit_rnn_gates(n.rnn, n.tape, out, 0, 2, &g, NULL), RNNKIT_E_ARGUMENT);
        assert_int_equal(rnnkit_rnn_gates(n.rnn, n.tape, out, 0, 0, NULL, NULL), RNNKIT_E_ARGUMENT);
        must(rnnkit_rnn_gates(n.rnn, n.tape, out, 0, 0, &g, NULL), "gates");
        assert_int_equal(rnnkit_rnn_gates(n.rnn, n.tape, g, 0, 0, &g, NULL), RNNKIT_E_ORDER);
        drop(&n);
    }
}

/* Trains one step on the sum of squares of the outputs; afterwards there are gradients. */
static void train(net *n)
{
    const int64_t dims[3] = {STEPS, BATCH, INPUTS};
    static const float zeros[MOST];
    rnnkit_tensor *x, *y, *loss;
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, n->x, dims, 3, &x), "input");
    must(rnnkit_rnn_forward(n->rnn, n->tape, x, NULL, NULL, &y), "forward");
    must(rnnkit_pointwise_loss(
             n->tape, "squared_error", y, zeros, STEPS * BATCH * n->outputs, NULL, 0, NULL, &loss),
        "loss");
    must(rnnkit_tape_backward(n->tape, loss), "backward");
}

static int zeros_of(const float *values, int count)
{
    int zeros = 0;
    for (int i = 0; i < count; i++)
        zeros += values[i] == 0;
    return zeros;
}

/* What was dropped got no gradient, the rest did; and another step drops others. */
static void weight_drop_drops_weights(void **state)
{
    static const rnn_kind dropping = {rnnkit_gru_create, "weight_drop=0.5"};
    enum { COUNT = 3 * HIDDEN * HIDDEN };
    float first[COUNT], both[COUNT];
    (void)state;
    net n = make(&dropping, "", "train=1");
    train(&n);
    must(rnnkit_model_gradient_read(n.model, "rnn.weight_hh_l0", first, COUNT), "read");
    assert_in_range(zeros_of(first, COUNT), COUNT / 3, COUNT * 2 / 3);
    train(&n);
    must(rnnkit_model_gradient_read(n.model, "rnn.weight_hh_l0", both, COUNT), "read");
    assert_true(zeros_of(both, COUNT) < zeros_of(first, COUNT) * 3 / 4);
    drop(&n);
}

static void first_states_are_learned(void **state)
{
    static const rnn_kind learned = {rnnkit_lstm_create, "initial=learned"};
    float values[HIDDEN], gradient[HIDDEN], state_values[2 * 2 * HIDDEN], y[2][MOST];
    (void)state;
    net n = make(&learned, "", "train=1");
    rnnkit_state *start;
    for (int j = 0; j < HIDDEN; j++)
        values[j] = (float)(j + 1) / 10;
    must(rnnkit_model_parameter_write(n.model, "rnn.c0_l0", values, HIDDEN), "write");
    must(rnnkit_state_create(n.rnn, 2, &start), "state");
    must(rnnkit_state_read(start, state_values, 4 * HIDDEN), "read");
    for (int j = 0; j < HIDDEN; j++) {
        assert_true(state_values[j] == 0 && state_values[2 * HIDDEN + j] == values[j]);
        assert_true(state_values[3 * HIDDEN + j] == values[j]);
    }
    run(&n, n.x, STEPS, 2, NULL, start, y[0]);
    run(&n, n.x, STEPS, 2, NULL, NULL, y[1]);
    assert_memory_equal(y[0], y[1], STEPS * 2 * HIDDEN * sizeof(float));
    must(rnnkit_state_reset(start, 1), "reset");
    must(rnnkit_state_read(start, state_values, 4 * HIDDEN), "read");
    assert_memory_equal(state_values + 3 * HIDDEN, values, sizeof values);
    assert_memory_not_equal(state_values + 2 * HIDDEN, values, sizeof values);
    train(&n);
    must(rnnkit_model_gradient_read(n.model, "rnn.c0_l0", gradient, HIDDEN), "read");
    assert_int_equal(zeros_of(gradient, HIDDEN), 0);
    rnnkit_state_destroy(start);
    drop(&n);
}

static void orthogonal_blocks_are_orthogonal(void **state)
{
    static const rnn_kind orthogonal = {rnnkit_lstm_create, "init=orthogonal"};
    float w[4 * HIDDEN * HIDDEN], bias[4 * HIDDEN];
    (void)state;
    net n = make(&orthogonal, "", "train=0");
    must(rnnkit_model_parameter_read(n.model, "rnn.weight_hh_l0", w, 4 * HIDDEN * HIDDEN), "read");
    must(rnnkit_model_parameter_read(n.model, "rnn.bias_hh_l0", bias, 4 * HIDDEN), "read");
    for (int r = 0; r < 4 * HIDDEN; r++)
        for (int s = r / HIDDEN * HIDDEN; s <= r; s++) {
            float product = 0;
            for (int k = 0; k < HIDDEN; k++)
                product += w[r * HIDDEN + k] * w[s * HIDDEN + k];
            assert_true(fabsf(product - (r == s ? 1.0f : 0.0f)) < 1e-5f);
        }
    assert_int_equal(zeros_of(bias, 4 * HIDDEN), 4 * HIDDEN);
    drop(&n);
}

static void a_saved_layer_is_the_same_again(void **state)
{
    const char *path = scratch_path("rnn.safetensors");
    (void)state;
    for (int i = 0; i < ONE_WAY; i++) {
        float y[2][MOST];
        net n = make(&one_way[i], " bidirectional=1 dropout=0.3 locked=1", "train=0");
        run(&n, n.x, STEPS, BATCH, NULL, NULL, y[0]);
        must(rnnkit_model_save(n.model, path), "save");
        rnnkit_rnn_destroy(n.rnn);
        rnnkit_model_destroy(n.model);
        must(rnnkit_model_open(n.context, path, NULL, &n.model), "open");
        must(rnnkit_rnn_find(n.model, "rnn", &n.rnn), "find");
        run(&n, n.x, STEPS, BATCH, NULL, NULL, y[1]);
        assert_memory_equal(y[0], y[1], (size_t)(STEPS * BATCH * n.outputs) * sizeof(float));
        drop(&n);
    }
}

static void refuses_what_does_not_go_together(void **state)
{
    static const struct {
        rnn_create_fn create;
        const char *options, *message;
    } wrong[] = {
        {rnnkit_gru_create, "projection=2", "option projection belongs to kind lstm, not to gru"},
        {rnnkit_elman_create, "reset=before", "option reset belongs to kind gru, not to elman"},
        {rnnkit_lstm_create, "activation=relu", "option activation belongs to kind elman"},
        {rnnkit_gru_create, "zoneout_cell=0.5", "option zoneout_cell belongs to kind lstm"},
        {rnnkit_elman_create, "forget_bias=1", "option forget_bias belongs to kind lstm"},
        {rnnkit_lstm_create, "forget_bias=1 bias=0", "option forget_bias needs biases"},
        {rnnkit_gru_create, "layer_norm=1 reset=before", "does not go with reset=before"},
        {rnnkit_lstm_create, "projection=9", "option projection=9 must be below hidden"},
        {rnnkit_lstm_create, "hidden=3,4", "the last width must be hidden = 9"},
        {rnnkit_lstm_create, "hidden=3,,9", "width 2 is no number above 0"},
        {rnnkit_lstm_create, "hidden=3,-1,9", "width 2 is no number above 0"},
        {rnnkit_lstm_create, "hidden=3,9,", "width 3 is no number above 0"},
        {rnnkit_lstm_create, "hidden=3,9 layers=3", "has 2 widths, but layers is 3"},
        {rnnkit_lstm_create, "zoneout=1", "out of range"},
        {rnnkit_lstm_create, "init=random", "is none of uniform|xavier|orthogonal"},
    };
    net n = make(&one_way[0], "", "train=0");
    rnnkit_rnn *rnn = NULL;
    rnnkit_state *s;
    float y[BATCH * 2 * HIDDEN];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(wrong[i].create(n.model, "wrong", INPUTS, HIDDEN, wrong[i].options, &rnn),
            RNNKIT_E_OPTION);
        if (strstr(rnnkit_error_message(), wrong[i].message) == NULL)
            fail_msg("%s: %s", wrong[i].options, rnnkit_error_message());
        assert_null(rnn);
    }
    assert_int_equal(
        rnnkit_gru_create(n.model, "wrong", INPUTS, INT64_MAX / 8, NULL, &rnn), RNNKIT_E_SHAPE);
    assert_int_equal(
        rnnkit_lstm_create(n.model, "wrong", INPUTS, 4, "hidden=4000000000000000000,4", &rnn),
        RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_gru_create(NULL, "wrong", 1, 1, NULL, &rnn), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_elman_create(n.model, "wrong", 0, 1, NULL, &rnn), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_rnn_widths(NULL, NULL, NULL), RNNKIT_E_HANDLE);
    assert_null(rnn);
    must(rnnkit_gru_create(n.model, "both", INPUTS, HIDDEN, "bidirectional=1", &rnn), "gru");
    must(rnnkit_state_create(rnn, BATCH, &s), "state");
    assert_int_equal(
        rnnkit_rnn_step(rnn, s, n.x, BATCH * INPUTS, y, BATCH * 2 * HIDDEN), RNNKIT_E_ARGUMENT);
    rnnkit_state_destroy(s);
    rnnkit_rnn_destroy(rnn);
    drop(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_and_company_change_nothing),
        cmocka_unit_test(pieces_and_steps_are_the_whole),
        cmocka_unit_test(pooling_is_what_it_says),
        cmocka_unit_test(gates_can_be_seen),
        cmocka_unit_test(weight_drop_drops_weights),
        cmocka_unit_test(first_states_are_learned),
        cmocka_unit_test(orthogonal_blocks_are_orthogonal),
        cmocka_unit_test(a_saved_layer_is_the_same_again),
        cmocka_unit_test(refuses_what_does_not_go_together),
    };
    return cmocka_run_group_tests_name("recurrent cells", tests, NULL, NULL);
}
