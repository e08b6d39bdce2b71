/* Layers whose steps are launches of their own, on a CUDA device: when the same arrays come again,
 * the launches are replayed as graphs, and give the same bits as the launches of a fresh context.
 * Skipped where there is no device. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/rnn_kind.h"
#include "../support/small_model.h"

enum { INPUTS = 6, HIDDEN = 10, STEPS = 7, MOST_ROWS = 5, MOST = 1024, PARAMETERS = 16 };

static const rnn_kind kinds[] = {
    {rnnkit_elman_create, "layer_norm=1 activation=relu"},
    {rnnkit_gru_create, "layer_norm=1"},
    {rnnkit_gru_create, "layers=2 reset=before bidirectional=1"},
    {rnnkit_lstm_create, "layers=2 projection=4"},
    {rnnkit_lstm_create, "layer_norm=1 zoneout=0.2"},
};

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *rnn;
    rnnkit_tape *tape;
} net;

/* What one pass over a tape gives. */
typedef struct results {
    float y[MOST], gradients[PARAMETERS][MOST];
} results;

static net make(const rnn_kind *of)
{
    net n = {0};
    must(rnnkit_context_create("cuda", "threads=1 seed=3", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(of->create(n.model, "rnn", INPUTS, HIDDEN, of->options, &n.rnn), of->options);
    must(rnnkit_tape_create(n.context, "train=1", &n.tape), "tape");
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_rnn_destroy(n->rnn);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

/* Forward and backward over `rows` rows of text number `text`. */
static void pass(net *n, int64_t rows, int text, results *to)
{
    float x[STEPS * MOST_ROWS * INPUTS], dy[MOST];
    const int64_t dims[3] = {STEPS, rows, INPUTS};
    rnnkit_tensor *in, *out;
    int64_t width, count, index = 0;
    const char *name;
    memset(to, 0, sizeof *to);
    must(rnnkit_rnn_widths(n->rnn, &width, NULL), "widths");
    count = STEPS * rows * width;
    assert_true(count <= MOST);
    for (int i = 0; i < STEPS * MOST_ROWS * INPUTS; i++)
        x[i] = sinf((float)(i + 31 * text) * 1.7f);
    for (int i = 0; i < MOST; i++)
        dy[i] = cosf((float)(i + text) * 0.9f);
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_model_clear_gradients(n->model), "clear gradients");
    must(rnnkit_tape_input(n->tape, x, dims, 3, &in), "input");
    must(rnnkit_rnn_forward(n->rnn, n->tape, in, NULL, NULL, &out), "forward");
    must(rnnkit_tensor_read(out, to->y, count), "read");
    must(rnnkit_tape_backward_from(n->tape, out, dy, count), "backward");
    for (; (name = rnnkit_model_parameter_name(n->model, index)) != NULL; index++) {
        float *values = parameter_values(n->model, name, &count);
        assert_true(index < PARAMETERS && count <= MOST);
        must(rnnkit_model_gradient_read(n->model, name, to->gradients[index], count), name);
        free(values);
    }
}

/* Adds a little to the first parameter, so that a replay must look at what the weights are now. */
static void nudge(net *n)
{
    const char *name = rnnkit_model_parameter_name(n->model, 0);
    int64_t count;
    float *values = parameter_values(n->model, name, &count);
    for (int64_t i = 0; i < count; i++)
        values[i] += 0.01f;
    must(rnnkit_model_parameter_write(n->model, name, values, count), name);
    free(values);
}

/* The same by a context that sees it for the first time. Zoneout draws by the tape's steps. */
static void pass_afresh(
    const rnn_kind *of, int64_t rows, int text, int nudges, int clears, results *to)
{
    net n = make(of);
    for (int i = 0; i < nudges; i++)
        nudge(&n);
    for (int i = 0; i < clears; i++)
        must(rnnkit_tape_clear(n.tape), "clear");
    pass(&n, rows, text, to);
    drop(&n);
}

static void replays_are_the_launches(void **state)
{
    (void)state;
    static const int64_t rows[] = {5, 5, 5, 3, 5, 3, 3, 5, 3, 5};
    results *replayed = malloc(sizeof *replayed), *launched = malloc(sizeof *launched);
    assert_non_null(replayed);
    assert_non_null(launched);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        net n = make(&kinds[k]);
        for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
            pass(&n, rows[i], i / 2, replayed);
            pass_afresh(&kinds[k], rows[i], i / 2, i, i, launched);
            assert_memory_equal(replayed, launched, sizeof *replayed);
            nudge(&n);
        }
        drop(&n);
    }
    free(replayed);
    free(launched);
}

/* More work than graphs are kept for: that of a third of the tapes, forward and backward, fits. */
static void graphs_make_room(void **state)
{
    (void)state;
    enum { THIRD = 12, TAPES = 3 * THIRD };
    results *first = malloc(sizeof *first), *last = malloc(sizeof *last);
    assert_non_null(first);
    assert_non_null(last);
    net n[TAPES];
    n[0] = make(&kinds[1]);
    for (int i = 1; i < TAPES; i++) {
        n[i] = n[0];
        must(rnnkit_tape_create(n[0].context, "train=1", &n[i].tape), "tape");
    }
    pass_afresh(&kinds[1], 4, 0, 0, 0, first);
    for (int i = 0; i < 2 * TAPES * 4; i++) {
        int third = i / (4 * THIRD) % 3;
        pass(&n[third * THIRD + i % THIRD], 4, 0, last);
        assert_memory_equal(first, last, sizeof *first);
    }
    for (int i = 1; i < TAPES; i++)
        rnnkit_tape_destroy(n[i].tape);
    drop(&n[0]);
    free(first);
    free(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_are_the_launches),
        cmocka_unit_test(graphs_make_room),
    };
    rnnkit_context *context;
    if (rnnkit_context_create("cuda", NULL, &context) < 0) {
        printf("skipped: %s\n", rnnkit_error_message());
        return 0;
    }
    rnnkit_context_destroy(context);
    return cmocka_run_group_tests_name("graphs", tests, NULL, NULL);
}
