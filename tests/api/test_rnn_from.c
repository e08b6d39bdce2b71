/* Recurrent layers with tensors for their first and last state: pieces that hang together by them
 * are the whole sequence, gradients included; an encoder learns through a decoder's start; gradients
 * every k1 steps that go back k2 of them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/small_model.h"
#include "../support/text.h"

enum { WORDS = 11, WIDTH = 6, HIDDEN = 9, BATCH = 3, STEPS = 12, LAYERS = 2 };
enum { IDS = STEPS * BATCH, MOST_VALUES = 4096 };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *rnn;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
    rnnkit_state *state;
    int32_t ids[IDS], targets[IDS];
} net;

static net make(int gru)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=2 seed=3", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_embedding_create(n.model, "words", WORDS, WIDTH, NULL, &n.embedding), "words");
    must((gru ? rnnkit_gru_create : rnnkit_lstm_create)(
             n.model, "rnn", WIDTH, HIDDEN, "layers=2", &n.rnn),
        "rnn");
    must(rnnkit_linear_create(n.model, "linear", HIDDEN, WORDS, NULL, &n.linear), "linear");
    must(rnnkit_tape_create(n.context, "train=1", &n.tape), "tape");
    must(rnnkit_state_create(n.rnn, BATCH, &n.state), "state");
    for (int i = 0; i < IDS; i++) {
        n.ids[i] = i * 7 % WORDS;
        n.targets[i] = (i * 5 + 2) % WORDS;
    }
    return n;
}

static void drop(net *n)
{
    rnnkit_state_destroy(n->state);
    rnnkit_tape_destroy(n->tape);
    rnnkit_linear_destroy(n->linear);
    rnnkit_rnn_destroy(n->rnn);
    rnnkit_embedding_destroy(n->embedding);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

static rnnkit_tensor *embed(net *n, int first, int steps)
{
    rnnkit_tensor *x;
    must(rnnkit_embedding_forward(n->embedding, n->tape, n->ids + first * BATCH, steps, BATCH, &x),
        "embed");
    return x;
}

/* Steps first .. first + steps - 1 from a start; *end goes on from there. */
static rnnkit_tensor *piece(net *n, int first, int steps, rnnkit_tensor *start, rnnkit_tensor **end)
{
    rnnkit_tensor *y;
    must(rnnkit_rnn_forward_from(n->rnn, n->tape, embed(n, first, steps), NULL, start, &y, end),
        "piece");
    return y;
}

static rnnkit_tensor *loss_of(net *n, rnnkit_tensor *y, const int32_t *targets, int steps)
{
    rnnkit_tensor *loss;
    must(rnnkit_linear_cross_entropy(
             n->linear, n->tape, y, targets, steps * BATCH, RNNKIT_IGNORE, &loss),
        "loss");
    return loss;
}

/* All gradients, one behind the other; they are zero afterwards. */
static int64_t take_gradients(net *n, float values[MOST_VALUES])
{
    int64_t place = 0;
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(n->model, i)) != NULL; i++) {
        int64_t dims[4], rank, count = 1;
        must(rnnkit_model_parameter_shape(n->model, name, dims, 4, &rank), "shape");
        for (int64_t k = 0; k < rank; k++)
            count *= dims[k];
        assert_true(place + count <= MOST_VALUES);
        must(rnnkit_model_gradient_read(n->model, name, values + place, count), "gradient");
        place += count;
    }
    must(rnnkit_model_clear_gradients(n->model), "clear gradients");
    return place;
}

static void expect_near(const float *a, const float *b, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        if (fabs((double)a[i]) > most) most = fabs((double)a[i]);
    assert_true(most > 0);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= 2e-6 * most))
            fail_msg("value %d is %.9g, expected %.9g", (int)i, (double)b[i], (double)a[i]);
}

static void pieces_are_the_whole(void **state)
{
    (void)state;
    static float whole[MOST_VALUES], parts[MOST_VALUES];
    for (int gru = 0; gru < 2; gru++) {
        net n = make(gru);
        rnnkit_tensor *start = NULL, *last = NULL, *loss;
        float y[IDS * HIDDEN], part[IDS * HIDDEN];
        rnnkit_tensor *all = piece(&n, 0, STEPS, NULL, NULL);
        must(rnnkit_tensor_read(all, y, IDS * HIDDEN), "read");
        must(rnnkit_tape_backward(n.tape, loss_of(&n, all, n.targets, STEPS)), "backward");
        int64_t count = take_gradients(&n, whole);
        must(rnnkit_tape_clear(n.tape), "clear");
        /* The last piece's loss, and those of the pieces before, each a third of the mean. */
        rnnkit_tensor *sum = NULL;
        for (int p = 0; p < 3; p++) {
            rnnkit_tensor *out = piece(&n, 4 * p, 4, start, &last);
            must(
                rnnkit_tensor_read(out, part + 4 * p * BATCH * HIDDEN, 4 * BATCH * HIDDEN), "read");
            loss = loss_of(&n, out, n.targets + 4 * p * BATCH, 4);
            if (sum != NULL) must(rnnkit_add_forward(n.tape, sum, loss, &loss), "add");
            sum = loss;
            start = last;
        }
        assert_memory_equal(y, part, sizeof y);
        must(rnnkit_tape_backward(n.tape, sum), "backward");
        assert_int_equal(take_gradients(&n, parts), count);
        for (int64_t i = 0; i < count; i++)
            parts[i] /= 3;
        expect_near(whole, parts, count);
        drop(&n);
    }
}

/* The loss comes from the second layer alone: what the first gets came through its end. */
static void an_encoder_learns_through_its_end(void **state)
{
    (void)state;
    static const int32_t lengths[BATCH] = {5, 0, 2};
    static float gradients[MOST_VALUES];
    net n = make(0);
    rnnkit_rnn *decoder;
    rnnkit_tensor *unused, *end, *y;
    float moved[2], values[LAYERS * 2 * BATCH * HIDDEN];
    must(rnnkit_lstm_create(n.model, "decoder", WIDTH, HIDDEN, "layers=2", &decoder), "decoder");
    must(rnnkit_rnn_forward_from(n.rnn, n.tape, embed(&n, 0, 5), lengths, NULL, &unused, &end),
        "encode");
    int64_t dims[4], rank;
    must(rnnkit_tensor_shape(end, dims, 4, &rank), "shape");
    assert_true(rank == 3 && dims[0] == LAYERS * 2 && dims[1] == BATCH && dims[2] == HIDDEN);
    must(rnnkit_rnn_forward_from(decoder, n.tape, embed(&n, 5, 7), NULL, end, &y, NULL), "decode");
    must(rnnkit_tape_backward(n.tape, loss_of(&n, y, n.targets, 7)), "backward");
    must(rnnkit_tensor_read_gradient(end, values, LAYERS * 2 * BATCH * HIDDEN), "gradient of end");
    must(rnnkit_model_gradient_read(n.model, "rnn.bias_ih_l0", gradients, 4 * HIDDEN), "gradient");
    /* By hand, for one bias: the mean loss moves as the gradient says. */
    float bias[4 * HIDDEN];
    must(rnnkit_model_parameter_read(n.model, "rnn.bias_ih_l0", bias, 4 * HIDDEN), "read");
    for (int side = 0; side < 2; side++) {
        double loss;
        float changed[4 * HIDDEN];
        memcpy(changed, bias, sizeof bias);
        changed[3] += side == 0 ? 0.02f : -0.02f;
        must(rnnkit_model_parameter_write(n.model, "rnn.bias_ih_l0", changed, 4 * HIDDEN), "write");
        must(rnnkit_tape_clear(n.tape), "clear");
        must(rnnkit_rnn_forward_from(n.rnn, n.tape, embed(&n, 0, 5), lengths, NULL, &unused, &end),
            "encode");
        must(rnnkit_rnn_forward_from(decoder, n.tape, embed(&n, 5, 7), NULL, end, &y, NULL),
            "decode");
        must(rnnkit_tensor_item(loss_of(&n, y, n.targets, 7), &loss), "item");
        moved[side] = (float)loss;
    }
    double slope = ((double)moved[0] - (double)moved[1]) / 0.04;
    assert_true(gradients[3] != 0);
    assert_true(fabs(slope - (double)gradients[3]) < 0.05 * fabs((double)gradients[3]) + 2e-5);
    rnnkit_rnn_destroy(decoder);
    drop(&n);
}

/* One update of truncated back-propagation: the window's pieces of k1 steps from the values in
 * `window` on; the newest has the loss. Afterwards `window` has what the next one starts from. */
static void window_gradient(net *n, int first, int pieces, int k1, float *window, int64_t count)
{
    rnnkit_tensor *start, *end, *y = NULL;
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_tape_input(n->tape, window, &count, 1, &start), "start");
    for (int p = 0; p < pieces; p++) {
        y = piece(n, first + p * k1, k1, start, &end);
        if (p == 0) must(rnnkit_tensor_read(end, window, count), "read");
        start = end;
    }
    int newest = first + (pieces - 1) * k1;
    must(rnnkit_tape_backward(n->tape, loss_of(n, y, n->targets + newest * BATCH, k1)), "backward");
}

/* k1 = k2: as with a state that is carried on. */
static void as_far_back_as_often_is_the_state(void **state)
{
    (void)state;
    static float carried[MOST_VALUES], got[MOST_VALUES];
    enum { K = 4 };
    net n = make(0);
    float window[LAYERS * 2 * BATCH * HIDDEN] = {0}, values[LAYERS * 2 * BATCH * HIDDEN];
    int64_t numbers = LAYERS * 2 * BATCH * HIDDEN;
    for (int at = 0; at < STEPS; at += K) {
        rnnkit_tensor *y;
        must(rnnkit_tape_clear(n.tape), "clear");
        must(rnnkit_rnn_forward(n.rnn, n.tape, embed(&n, at, K), NULL, n.state, &y), "forward");
        must(rnnkit_tape_backward(n.tape, loss_of(&n, y, n.targets + at * BATCH, K)), "backward");
        int64_t count = take_gradients(&n, carried);
        window_gradient(&n, at, 1, K, window, numbers);
        assert_int_equal(take_gradients(&n, got), count);
        assert_memory_equal(carried, got, (size_t)count * sizeof *got);
        must(rnnkit_state_read(n.state, values, numbers), "read");
        assert_memory_equal(values, window, sizeof values);
    }
    drop(&n);
}

/* k1 < k2: a whole forward pass over the window, older targets left out. */
static void farther_back_is_the_window(void **state)
{
    (void)state;
    static float explicit[MOST_VALUES], got[MOST_VALUES];
    enum { K1 = 2, PIECES = 3, K2 = K1 * PIECES };
    net n = make(0);
    float window[LAYERS * 2 * BATCH * HIDDEN] = {0};
    int64_t numbers = LAYERS * 2 * BATCH * HIDDEN;
    for (int at = 0; at + K2 <= STEPS; at += K1) {
        int32_t targets[K2 * BATCH];
        rnnkit_tensor *y;
        for (int i = 0; i < K2 * BATCH; i++)
            targets[i] = i < (K2 - K1) * BATCH ? RNNKIT_IGNORE : n.targets[at * BATCH + i];
        must(rnnkit_tape_clear(n.tape), "clear");
        must(rnnkit_state_write(n.state, window, numbers), "write");
        must(rnnkit_rnn_forward(n.rnn, n.tape, embed(&n, at, K2), NULL, n.state, &y), "forward");
        must(rnnkit_tape_backward(n.tape, loss_of(&n, y, targets, K2)), "backward");
        int64_t count = take_gradients(&n, explicit);
        window_gradient(&n, at, PIECES, K1, window, numbers);
        assert_int_equal(take_gradients(&n, got), count);
        expect_near(explicit, got, count);
        /* Going back K1 steps alone is something else. */
        float newest[LAYERS * 2 * BATCH * HIDDEN] = {0};
        window_gradient(&n, at + K2 - K1, 1, K1, newest, numbers);
        take_gradients(&n, got);
        double apart = 0;
        for (int64_t i = 0; i < count; i++)
            if (fabs((double)got[i] - (double)explicit[i]) > apart)
                apart = fabs((double)got[i] - (double)explicit[i]);
        assert_true(apart > 1e-4);
    }
    drop(&n);
}

static void widths_may_differ(void **state)
{
    (void)state;
    net n = make(0);
    rnnkit_rnn *uneven;
    rnnkit_tensor *y, *end, *again;
    int64_t dims[4], rank, width;
    must(
        rnnkit_lstm_create(n.model, "uneven", WIDTH, 5, "hidden=8,5 projection=3", &uneven), "rnn");
    must(rnnkit_rnn_widths(uneven, NULL, &width), "widths");
    must(rnnkit_rnn_forward_from(uneven, n.tape, embed(&n, 0, 3), NULL, NULL, &y, &end), "first");
    must(rnnkit_tensor_shape(end, dims, 4, &rank), "shape");
    assert_true(rank == 1 && dims[0] == BATCH * width && width == 2 * 3 + 8 + 5);
    must(rnnkit_rnn_forward_from(uneven, n.tape, embed(&n, 3, 3), NULL, end, &again, NULL), "next");
    rnnkit_rnn_destroy(uneven);
    drop(&n);
}

static void wrong_arguments_are_answered(void **state)
{
    (void)state;
    net n = make(0);
    rnnkit_tape *other;
    rnnkit_tensor *x = embed(&n, 0, 3), *y = NULL, *end = NULL, *small, *foreign;
    const float values[4] = {0};
    must(rnnkit_tape_create(n.context, NULL, &other), "tape");
    must(rnnkit_tape_input(n.tape, values, (const int64_t[]){2, 2}, 2, &small), "small");
    must(rnnkit_tape_input(other, values, (const int64_t[]){4}, 1, &foreign), "foreign");
    text_fails(
        rnnkit_rnn_forward_from(NULL, n.tape, x, NULL, NULL, &y, &end), RNNKIT_E_HANDLE, "rnn");
    text_fails(
        rnnkit_rnn_forward_from(n.rnn, NULL, x, NULL, NULL, &y, &end), RNNKIT_E_HANDLE, "tape");
    text_fails(
        rnnkit_rnn_forward_from(n.rnn, n.tape, NULL, NULL, NULL, &y, &end), RNNKIT_E_HANDLE, "x");
    text_fails(rnnkit_rnn_forward_from(n.rnn, n.tape, x, NULL, NULL, NULL, &end), RNNKIT_E_ARGUMENT,
        "out");
    text_fails(rnnkit_rnn_forward_from(n.rnn, n.tape, x, NULL, small, &y, &end), RNNKIT_E_SHAPE,
        "start has shape [2, 2], expected 108 numbers: 3 rows of 36");
    text_fails(rnnkit_rnn_forward_from(n.rnn, n.tape, x, NULL, foreign, &y, &end), RNNKIT_E_ORDER,
        "start");
    text_fails(
        rnnkit_rnn_forward_from(n.rnn, n.tape, x, (const int32_t[]){1, 4, 0}, NULL, &y, &end),
        RNNKIT_E_ARGUMENT, "lengths[1]");
    assert_true(y == NULL && end == NULL);
    rnnkit_tape_destroy(other);
    drop(&n);
}

/* A steady step takes no memory. */
static void steady_steps_allocate_nothing(void **state)
{
    (void)state;
    failing_memory memory = {0};
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *rnn;
    rnnkit_tape *tape;
    float x[4 * BATCH * WIDTH] = {0.5f}, targets[4 * BATCH * HIDDEN] = {0};
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &memory, &context),
        "context");
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_gru_create(model, "rnn", WIDTH, HIDDEN, NULL, &rnn), "rnn");
    must(rnnkit_tape_create(context, NULL, &tape), "tape");
    for (int step = 0; step < 6; step++) {
        rnnkit_tensor *a, *b, *end, *loss;
        int64_t before = memory.calls;
        must(rnnkit_tape_clear(tape), "clear");
        must(rnnkit_tape_input(tape, x, (const int64_t[]){4, BATCH, WIDTH}, 3, &a), "x");
        must(rnnkit_rnn_forward_from(rnn, tape, a, NULL, NULL, &b, &end), "first");
        must(rnnkit_rnn_forward_from(rnn, tape, a, NULL, end, &b, NULL), "second");
        must(rnnkit_pointwise_loss(
                 tape, "squared_error", b, targets, 4 * BATCH * HIDDEN, NULL, 0, NULL, &loss),
            "loss");
        must(rnnkit_tape_backward(tape, loss), "backward");
        must(rnnkit_model_clear_gradients(model), "gradients");
        if (step > 3) assert_int_equal(memory.calls, before);
    }
    rnnkit_tape_destroy(tape);
    rnnkit_rnn_destroy(rnn);
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(context);
    assert_int_equal(memory.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(an_encoder_learns_through_its_end),
        cmocka_unit_test(as_far_back_as_often_is_the_state),
        cmocka_unit_test(farther_back_is_the_window),
        cmocka_unit_test(widths_may_differ),
        cmocka_unit_test(wrong_arguments_are_answered),
        cmocka_unit_test(steady_steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
