/* Embedding, linear and the fused loss, on their own: values, gradients that touch only what they
 * should, tied weights, ignored targets, and what wrong arguments are answered with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"

enum { WORDS = 7, WIDTH = 5, STEPS = 3, BATCH = 2, ROWS = STEPS * BATCH };

static const int32_t ids[ROWS] = {3, 1, 3, 0, 6, 3};
static const int32_t targets[ROWS] = {2, 0, 6, 1, 5, 4};

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
    rnnkit_tensor *e, *loss;
} net;

static void expect_message(const char *part)
{
    if (strstr(rnnkit_error_message(), part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), part);
}

static net make(const char *embedding, const char *linear)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=1 seed=5", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_embedding_create(n.model, "words", WORDS, WIDTH, embedding, &n.embedding), "e");
    must(rnnkit_linear_create(n.model, "out", WIDTH, WORDS, linear, &n.linear), "linear");
    must(rnnkit_tape_create(n.context, NULL, &n.tape), "tape");
    return n;
}

static void drop(net *n)
{
    rnnkit_context_destroy(n->context);
    rnnkit_model_destroy(n->model);
    rnnkit_embedding_destroy(n->embedding);
    rnnkit_linear_destroy(n->linear);
    rnnkit_tape_destroy(n->tape);
}

static void run(net *n, const int32_t *wanted)
{
    must(rnnkit_tape_clear(n->tape), "clear");
    must(rnnkit_embedding_forward(n->embedding, n->tape, ids, STEPS, BATCH, &n->e), "forward");
    must(rnnkit_linear_cross_entropy(n->linear, n->tape, n->e, wanted, ROWS, -1, &n->loss), "loss");
}

static double item(const rnnkit_tensor *tensor)
{
    double value = NAN;
    must(rnnkit_tensor_item(tensor, &value), "item");
    return value;
}

static void looks_rows_up(void **state)
{
    (void)state;
    net n = make(NULL, NULL);
    float table[WORDS * WIDTH], out[ROWS * WIDTH];
    int64_t dims[4], rank;
    run(&n, targets);
    must(rnnkit_model_parameter_read(n.model, "words.weight", table, WORDS * WIDTH), "read");
    must(rnnkit_tensor_read(n.e, out, ROWS * WIDTH), "read");
    must(rnnkit_tensor_shape(n.e, dims, 4, &rank), "shape");
    assert_int_equal(rank, 3);
    assert_int_equal(dims[0], STEPS);
    assert_int_equal(dims[1], BATCH);
    assert_int_equal(dims[2], WIDTH);
    for (int i = 0; i < ROWS; i++)
        assert_memory_equal(out + i * WIDTH, table + ids[i] * WIDTH, WIDTH * sizeof(float));
    drop(&n);
}

/* Mean of -log softmax, computed the plain way. */
static double expected_loss(net *n, const int32_t *wanted)
{
    float logits[ROWS * WORDS];
    rnnkit_tensor *z;
    double sum = 0;
    int count = 0;
    must(rnnkit_linear_forward(n->linear, n->tape, n->e, &z), "logits");
    must(rnnkit_tensor_read(z, logits, ROWS * WORDS), "read");
    for (int r = 0; r < ROWS; r++) {
        double total = 0;
        if (wanted[r] < 0) continue;
        for (int v = 0; v < WORDS; v++)
            total += exp((double)logits[r * WORDS + v]);
        sum += log(total) - (double)logits[r * WORDS + wanted[r]];
        count++;
    }
    return sum / count;
}

static void loss_is_mean_cross_entropy(void **state)
{
    (void)state;
    net n = make(NULL, NULL);
    run(&n, targets);
    assert_true(fabs(item(n.loss) - expected_loss(&n, targets)) < 1e-6);
    drop(&n);
}

static void ignored_targets_do_not_count(void **state)
{
    (void)state;
    static const int32_t some[ROWS] = {2, -1, 6, -1, -1, 4}, none[ROWS] = {-1, -1, -1, -1, -1, -1};
    net n = make(NULL, NULL);
    float gradient[ROWS * WIDTH];
    run(&n, some);
    assert_true(fabs(item(n.loss) - expected_loss(&n, some)) < 1e-6);
    must(rnnkit_tape_backward(n.tape, n.loss), "backward");
    must(rnnkit_tensor_read_gradient(n.e, gradient, ROWS * WIDTH), "read");
    for (int r = 0; r < ROWS; r++)
        for (int j = 0; j < WIDTH; j++)
            assert_int_equal(gradient[r * WIDTH + j] != 0, some[r] >= 0);
    run(&n, none);
    assert_true(item(n.loss) == 0);
    must(rnnkit_tape_backward(n.tape, n.loss), "backward");
    drop(&n);
}

/* What a step of plain SGD changed in the embedding: 1 for each row that moved. */
static void moved_rows(net *n, const char *rule, const char *options, int moved[WORDS])
{
    float before[WORDS * WIDTH], after[WORDS * WIDTH];
    rnnkit_optimizer *optimizer;
    must(rnnkit_optimizer_create(n->model, rule, options, &optimizer), "optimizer");
    must(rnnkit_model_parameter_read(n->model, "words.weight", before, WORDS * WIDTH), "read");
    run(n, targets);
    must(rnnkit_tape_backward(n->tape, n->loss), "backward");
    must(rnnkit_optimizer_step(optimizer), "step");
    must(rnnkit_model_parameter_read(n->model, "words.weight", after, WORDS * WIDTH), "read");
    for (int w = 0; w < WORDS; w++)
        moved[w] = memcmp(before + w * WIDTH, after + w * WIDTH, WIDTH * sizeof(float)) != 0;
    rnnkit_optimizer_destroy(optimizer);
}

static void only_used_rows_move(void **state)
{
    (void)state;
    static const int used[WORDS] = {1, 1, 0, 1, 0, 0, 1}, all[WORDS] = {1, 1, 1, 1, 1, 1, 1};
    static const int padded[WORDS] = {1, 1, 0, 0, 0, 0, 1};
    int moved[WORDS];
    net n = make("sparse=1", NULL);
    moved_rows(&n, "adamw", "lr=0.1 weight_decay=0.5", moved);
    assert_memory_equal(moved, used, sizeof used);
    drop(&n);
    n = make("sparse=0", NULL);
    moved_rows(&n, "adamw", "lr=0.1 weight_decay=0.5", moved);
    assert_memory_equal(moved, all, sizeof all);
    drop(&n);
    n = make("sparse=1 padding=3", NULL);
    moved_rows(&n, "sgd", "lr=0.1", moved);
    assert_memory_equal(moved, padded, sizeof padded);
    float table[WORDS * WIDTH];
    must(rnnkit_model_parameter_read(n.model, "words.weight", table, WORDS * WIDTH), "read");
    for (int j = 0; j < WIDTH; j++)
        assert_true(table[3 * WIDTH + j] == 0);
    drop(&n);
}

/* The gradient of a tied weight is the sum of what both layers have with untied equal weights. */
static void tied_weights_share_gradients(void **state)
{
    (void)state;
    enum { COUNT = WORDS * WIDTH };
    float table[COUNT], one[COUNT], two[COUNT], both[COUNT];
    net tied = make(NULL, "tie=words"), apart = make(NULL, NULL);
    int64_t parameters;
    must(rnnkit_model_size(tied.model, &parameters, NULL), "size");
    assert_int_equal(parameters, 2); /* the table and the bias */
    must(rnnkit_model_parameter_read(tied.model, "words.weight", table, COUNT), "read");
    must(rnnkit_model_parameter_write(apart.model, "words.weight", table, COUNT), "write");
    must(rnnkit_model_parameter_write(apart.model, "out.weight", table, COUNT), "write");
    float bias[WORDS];
    must(rnnkit_model_parameter_read(tied.model, "out.bias", bias, WORDS), "read");
    must(rnnkit_model_parameter_write(apart.model, "out.bias", bias, WORDS), "write");
    run(&tied, targets);
    run(&apart, targets);
    must(rnnkit_tape_backward(tied.tape, tied.loss), "backward");
    must(rnnkit_tape_backward(apart.tape, apart.loss), "backward");
    must(rnnkit_model_gradient_read(tied.model, "words.weight", both, COUNT), "read");
    must(rnnkit_model_gradient_read(apart.model, "words.weight", one, COUNT), "read");
    must(rnnkit_model_gradient_read(apart.model, "out.weight", two, COUNT), "read");
    for (int i = 0; i < COUNT; i++)
        assert_true(fabsf(both[i] - (one[i] + two[i])) <= 1e-6f);
    drop(&tied);
    drop(&apart);
}

static void clearing_gradients_leaves_zeros(void **state)
{
    (void)state;
    float gradient[WORDS * WIDTH];
    net n = make(NULL, NULL);
    for (int round = 0; round < 2; round++) {
        run(&n, targets);
        must(rnnkit_tape_backward(n.tape, n.loss), "backward");
        must(rnnkit_model_clear_gradients(n.model), "clear");
        const char *names[2] = {"words.weight", "out.weight"};
        for (int k = 0; k < 2; k++) {
            must(rnnkit_model_gradient_read(n.model, names[k], gradient, WORDS * WIDTH), "read");
            for (int i = 0; i < WORDS * WIDTH; i++)
                assert_true(gradient[i] == 0);
        }
    }
    drop(&n);
}

/* A host may finalise in any order: what the tape recorded keeps the model alive. */
static void handles_go_in_any_order(void **state)
{
    (void)state;
    net n = make(NULL, NULL);
    run(&n, targets);
    rnnkit_context_destroy(n.context);
    rnnkit_linear_destroy(n.linear);
    rnnkit_model_destroy(n.model);
    rnnkit_embedding_destroy(n.embedding);
    must(rnnkit_tape_backward(n.tape, n.loss), "backward");
    must(rnnkit_tape_clear(n.tape), "clear");
    rnnkit_tape_destroy(n.tape);
}

static void refuses_wrong_sizes(void **state)
{
    (void)state;
    net n = make(NULL, NULL);
    rnnkit_embedding *e = NULL;
    rnnkit_linear *l = NULL;
    rnnkit_model *m = n.model;
    assert_int_equal(rnnkit_embedding_create(m, "x", 0, 3, NULL, &e), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_embedding_create(m, "", 2, 3, NULL, &e), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_embedding_create(m, NULL, 2, 3, NULL, &e), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_embedding_create(m, "words", 2, 3, NULL, &e), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_embedding_create(m, "\xff", 2, 3, NULL, &e), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_embedding_create(m, "x", 2, 3, "padding=2", &e), RNNKIT_E_OPTION);
    assert_int_equal(
        rnnkit_embedding_create(m, "x", INT32_MAX, INT64_MAX / 2, NULL, &e), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_embedding_create(m, "x", INT64_MAX, 1, NULL, &e), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_linear_create(m, "x", 4, WORDS, "tie=words", &l), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_linear_create(m, "x", 4, 2, "tie=nowhere", &l), RNNKIT_E_NOT_FOUND);
    assert_int_equal(rnnkit_linear_create(m, "x", 4, 2, "tie=out", &l), RNNKIT_E_NOT_FOUND);
    assert_int_equal(rnnkit_linear_create(m, "x", 4, 2, "biass=0", &l), RNNKIT_E_OPTION);
    expect_message("'bias'");
    assert_int_equal(rnnkit_linear_create(NULL, "x", 4, 2, NULL, &l), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_linear_create(m, "x", 4, 2, NULL, NULL), RNNKIT_E_ARGUMENT);
    assert_null(e);
    assert_null(l);
    int64_t parameters;
    must(rnnkit_model_size(m, &parameters, NULL), "size");
    assert_int_equal(parameters, 3); /* nothing was left behind */
    assert_int_equal(rnnkit_linear_find(m, "words", &l), RNNKIT_E_NOT_FOUND);
    expect_message("embedding \"words\", linear \"out\"");
    drop(&n);
}

static void refuses_wrong_calls(void **state)
{
    (void)state;
    net n = make(NULL, NULL), other = make(NULL, NULL);
    int32_t wrong[ROWS] = {0, 1, 2, 3, WORDS, 0};
    rnnkit_tensor *t = NULL;
    run(&n, targets);
    assert_int_equal(
        rnnkit_embedding_forward(n.embedding, n.tape, wrong, STEPS, BATCH, &t), RNNKIT_E_ARGUMENT);
    expect_message("rnnkit_embedding_forward: ids[4] is 7, expected 0 to 6");
    assert_int_equal(
        rnnkit_embedding_forward(n.embedding, n.tape, ids, 0, BATCH, &t), RNNKIT_E_SHAPE);
    assert_int_equal(
        rnnkit_embedding_forward(n.embedding, n.tape, ids, INT64_MAX / 2, 4, &t), RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_embedding_forward(n.embedding, other.tape, ids, STEPS, BATCH, &t),
        RNNKIT_E_ARGUMENT);
    assert_int_equal(
        rnnkit_linear_cross_entropy(n.linear, n.tape, n.e, wrong, ROWS, -1, &t), RNNKIT_E_ARGUMENT);
    expect_message("targets[4] is 7");
    assert_int_equal(rnnkit_linear_cross_entropy(n.linear, n.tape, n.e, targets, ROWS - 1, -1, &t),
        RNNKIT_E_SHAPE);
    assert_int_equal(rnnkit_linear_forward(n.linear, n.tape, n.loss, &t), RNNKIT_E_SHAPE);
    expect_message("x has shape [1], the last dimension must be inputs = 5");
    assert_int_equal(rnnkit_linear_forward(n.linear, other.tape, n.e, &t), RNNKIT_E_ORDER);
    assert_int_equal(
        rnnkit_linear_forward(n.linear, n.tape, (rnnkit_tensor *)n.model, &t), RNNKIT_E_HANDLE);
    assert_null(t);
    must(rnnkit_tape_backward(n.tape, n.loss), "backward");
    assert_int_equal(rnnkit_tape_backward(n.tape, n.loss), RNNKIT_E_ORDER);
    drop(&n);
    drop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_rows_up),
        cmocka_unit_test(loss_is_mean_cross_entropy),
        cmocka_unit_test(ignored_targets_do_not_count),
        cmocka_unit_test(only_used_rows_move),
        cmocka_unit_test(tied_weights_share_gradients),
        cmocka_unit_test(clearing_gradients_leaves_zeros),
        cmocka_unit_test(handles_go_in_any_order),
        cmocka_unit_test(refuses_wrong_sizes),
        cmocka_unit_test(refuses_wrong_calls),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
