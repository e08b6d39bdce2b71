/* What a Transformer's block is made of, each by itself: multi-head self-attention, layer
 * normalisation, sums, ReLU; padding and neighbours, looking ahead, files, memory that fails, and
 * what wrong arguments are answered with. That their values are right is golden_multihead's
 * business. */
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

enum { T = 5, B = 3, W = 8, HEADS = 2, MOST = 1024 };

static const int32_t lengths[B] = {5, 2, 3};

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_multihead *attend;
    rnnkit_norm *norm;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
} net;

/* Hands the first failure to the caller. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        int32_t try_status = (call);                                                               \
        if (try_status < RNNKIT_OK) return try_status;                                             \
    } while (0)

static int32_t fill(net *n, const char *options)
{
    TRY(rnnkit_model_create(n->context, &n->model));
    TRY(rnnkit_multihead_create(n->model, "attend", W, HEADS, options, &n->attend));
    TRY(rnnkit_norm_create(n->model, "norm", W, NULL, &n->norm));
    TRY(rnnkit_linear_create(n->model, "linear", W, 3, NULL, &n->linear));
    return rnnkit_tape_create(n->context, NULL, &n->tape);
}

static net make(const char *options)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=2 seed=4", &n.context), "context");
    must(fill(&n, options), "model");
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_multihead_destroy(n->attend);
    rnnkit_norm_destroy(n->norm);
    rnnkit_linear_destroy(n->linear);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

/* Rows first .. first + rows - 1, the same in every batch; `garbage` behind a row's length. */
static int32_t input(
    const net *n, int64_t steps, int64_t first, int64_t rows, float garbage, rnnkit_tensor **out)
{
    float values[MOST];
    const int64_t dims[3] = {steps, rows, W};
    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < rows; b++)
            for (int64_t j = 0; j < W; j++)
                values[(t * rows + b) * W + j] =
                    t >= lengths[first + b]
                        ? garbage
                        : sinf((float)(1 + t * 37 + (first + b) * 101 + j * 13));
    return rnnkit_tape_input(n->tape, values, dims, 3, out);
}

/* norm(x + relu(attention(x))), and a step of training on it. */
static int32_t run(const net *n, int64_t steps, int64_t first, int64_t rows, float garbage,
    rnnkit_tensor **y, rnnkit_tensor **weights)
{
    int32_t targets[MOST] = {0};
    rnnkit_tensor *x, *loss;
    TRY(rnnkit_tape_clear(n->tape));
    TRY(input(n, steps, first, rows, garbage, &x));
    TRY(rnnkit_multihead_forward(n->attend, n->tape, x, lengths + first, y, weights));
    TRY(rnnkit_relu_forward(n->tape, *y, y));
    TRY(rnnkit_add_forward(n->tape, x, *y, y));
    TRY(rnnkit_norm_forward(n->norm, n->tape, *y, y));
    TRY(rnnkit_linear_cross_entropy(
        n->linear, n->tape, *y, targets, steps * rows, RNNKIT_IGNORE, &loss));
    return rnnkit_tape_backward(n->tape, loss);
}

static void read_run(const net *n, int64_t steps, int64_t first, int64_t rows, float garbage,
    float *out, float *seen)
{
    rnnkit_tensor *y, *weights;
    must(run(n, steps, first, rows, garbage, &y, &weights), "run");
    must(rnnkit_tensor_read(y, out, steps * rows * W), "out");
    must(rnnkit_tensor_read(weights, seen, HEADS * steps * rows * steps), "weights");
}

static void rows_and_padding(void **state)
{
    (void)state;
    static const char *const options[] = {NULL, "causal=1", "bias=0"};
    for (int i = 0; i < 3; i++) {
        net n = make(options[i]);
        float out[T * B * W], seen[HEADS * T * B * T], own[9 * B * W], own_seen[HEADS * 9 * B * 9];
        read_run(&n, T, 0, B, 1, out, seen);
        for (int r = 0; r < HEADS * T * B; r++) {
            int t = r / B % T, b = r % B;
            float sum = 0;
            for (int s = 0; s < T; s++) {
                int hidden = t >= lengths[b] || s >= lengths[b] || (i == 1 && s > t);
                assert_int_equal(seen[r * T + s] == 0, hidden);
                sum += seen[r * T + s];
            }
            assert_true(fabsf(sum - (t < lengths[b] ? 1.0f : 0.0f)) < 1e-6f);
        }
        read_run(&n, 9, 0, B, NAN, own, own_seen);
        for (int b = 0; b < B; b++)
            for (int t = 0; t < lengths[b]; t++)
                assert_memory_equal(
                    own + (t * B + b) * W, out + (t * B + b) * W, W * sizeof(float));
        for (int b = 0; b < B; b++) {
            read_run(&n, T, b, 1, 2, own, own_seen);
            for (int t = 0; t < lengths[b]; t++)
                assert_memory_equal(own + t * W, out + (t * B + b) * W, W * sizeof(float));
        }
        drop(&n);
    }
}

static void saved_and_opened(void **state)
{
    (void)state;
    net n = make("causal=1"), again = {0};
    float one[T * B * W], two[T * B * W], seen[HEADS * T * B * T];
    read_run(&n, T, 0, B, 1, one, seen);
    must(rnnkit_model_save(n.model, scratch_path("block")), "save");
    again.context = n.context;
    again.tape = n.tape;
    must(rnnkit_model_open(n.context, scratch_path("block"), NULL, &again.model), "open");
    must(rnnkit_multihead_find(again.model, "attend", &again.attend), "find");
    must(rnnkit_norm_find(again.model, "norm", &again.norm), "find");
    must(rnnkit_linear_find(again.model, "linear", &again.linear), "find");
    read_run(&again, T, 0, B, 1, two, seen);
    assert_memory_equal(one, two, sizeof one);
    rnnkit_multihead_destroy(again.attend);
    rnnkit_norm_destroy(again.norm);
    rnnkit_linear_destroy(again.linear);
    rnnkit_model_destroy(again.model);
    drop(&n);
}

/* x + x has twice the gradient; where relu closed there is none. */
static void sums_and_relu(void **state)
{
    (void)state;
    net n = make(NULL);
    static const int32_t ids[2] = {0, 1}, targets[2] = {0, 0};
    static const int64_t pair[2] = {1, 2};
    rnnkit_embedding *table;
    rnnkit_tensor *x, *once, *twice, *y, *loss;
    float values[2 * W], sums[2 * W], dx[2 * W], dtwice[2 * W], opened[2 * W];
    must(rnnkit_embedding_create(n.model, "table", 2, W, NULL, &table), "table");
    must(rnnkit_embedding_forward(table, n.tape, ids, pair[0], pair[1], &x), "x");
    must(rnnkit_add_forward(n.tape, x, x, &twice), "add");
    must(rnnkit_relu_forward(n.tape, twice, &once), "relu");
    must(rnnkit_norm_forward(n.norm, n.tape, once, &y), "norm");
    must(rnnkit_linear_cross_entropy(n.linear, n.tape, y, targets, 2, RNNKIT_IGNORE, &loss), "l");
    must(rnnkit_tape_backward(n.tape, loss), "backward");
    must(rnnkit_tensor_read(x, values, 2 * W), "read");
    must(rnnkit_tensor_read(twice, sums, 2 * W), "read");
    must(rnnkit_tensor_read(once, opened, 2 * W), "read");
    must(rnnkit_tensor_read_gradient(x, dx, 2 * W), "read");
    must(rnnkit_tensor_read_gradient(twice, dtwice, 2 * W), "read");
    for (int i = 0; i < 2 * W; i++) {
        assert_true(fabsf(sums[i] - 2 * values[i]) < 1e-6f);
        assert_true(fabsf(opened[i] - (sums[i] > 0 ? sums[i] : 0)) < 1e-6f);
        assert_true(fabsf(dx[i] - 2 * dtwice[i]) < 1e-6f);
        assert_int_equal(dtwice[i] == 0, sums[i] <= 0);
    }
    rnnkit_embedding_destroy(table);
    drop(&n);
}

static void wrong_layers(void **state)
{
    (void)state;
    net n = make(NULL);
    rnnkit_model *m = n.model;
    rnnkit_multihead *a = NULL;
    rnnkit_norm *norm = NULL;
    text_fails(
        rnnkit_multihead_create(NULL, "x", 4, 2, NULL, &a), RNNKIT_E_HANDLE, "model is NULL");
    text_fails(rnnkit_multihead_create(m, "attend", 4, 2, NULL, &a), RNNKIT_E_ARGUMENT, "already");
    text_fails(
        rnnkit_multihead_create(m, "x", 4, 3, NULL, &a), RNNKIT_E_SHAPE, "multiple of heads = 3");
    text_fails(rnnkit_multihead_create(m, "x", 4, 0, NULL, &a), RNNKIT_E_ARGUMENT, "below 1");
    text_fails(rnnkit_multihead_create(m, "x", INT64_MAX / 2, 1, NULL, &a), RNNKIT_E_SHAPE, "");
    text_fails(rnnkit_multihead_create(m, "x", 4, 2, "heads=2", &a), RNNKIT_E_OPTION, "heads");
    text_fails(rnnkit_multihead_create(m, "x", 4, 2, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_multihead_find(m, "norm", &a), RNNKIT_E_NOT_FOUND, "multihead \"attend\"");
    text_fails(rnnkit_norm_create(NULL, "x", 4, NULL, &norm), RNNKIT_E_HANDLE, "model is NULL");
    text_fails(rnnkit_norm_create(m, "x", 0, NULL, &norm), RNNKIT_E_ARGUMENT, "below 1");
    text_fails(rnnkit_norm_create(m, "x", INT64_MAX, NULL, &norm), RNNKIT_E_SHAPE, "too large");
    text_fails(rnnkit_norm_create(m, "x", 4, "epsilon=0", &norm), RNNKIT_E_OPTION, "epsilon");
    text_fails(rnnkit_norm_find(m, "attend", &norm), RNNKIT_E_NOT_FOUND, "norm \"norm\"");
    assert_null(a);
    assert_null(norm);
    int64_t parameters;
    must(rnnkit_model_size(m, &parameters, NULL), "size");
    assert_int_equal(parameters, 4 + 2 + 2); /* no layer that failed left any */
    rnnkit_multihead_destroy(NULL);
    rnnkit_norm_destroy(NULL);
    drop(&n);
}

static void wrong_tensors(void **state)
{
    (void)state;
    net n = make(NULL), other = make(NULL);
    static const int32_t beyond[B] = {5, 6, 3};
    static const int64_t dims[2] = {2, 3};
    static const float six[6] = {0};
    rnnkit_tensor *x, *flat, *foreign, *y = NULL;
    must(input(&n, T, 0, B, 0, &x), "x");
    must(input(&other, T, 0, B, 0, &foreign), "x");
    must(rnnkit_tape_input(n.tape, six, dims, 2, &flat), "flat");
    rnnkit_tape *t = n.tape;
    text_fails(rnnkit_multihead_forward(NULL, t, x, NULL, &y, NULL), RNNKIT_E_HANDLE, "multihead");
    text_fails(
        rnnkit_multihead_forward(n.attend, NULL, x, NULL, &y, NULL), RNNKIT_E_HANDLE, "tape");
    text_fails(
        rnnkit_multihead_forward(n.attend, t, foreign, NULL, &y, NULL), RNNKIT_E_ORDER, "x bel");
    text_fails(
        rnnkit_multihead_forward(n.attend, t, flat, NULL, &y, NULL), RNNKIT_E_SHAPE, "[2, 3]");
    text_fails(rnnkit_multihead_forward(n.attend, t, x, beyond, &y, NULL), RNNKIT_E_ARGUMENT,
        "lengths[1] is 6");
    text_fails(
        rnnkit_multihead_forward(n.attend, t, x, NULL, NULL, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(rnnkit_norm_forward(NULL, t, x, &y), RNNKIT_E_HANDLE, "norm is NULL");
    text_fails(rnnkit_norm_forward(n.norm, t, flat, &y), RNNKIT_E_SHAPE, "width = 8");
    text_fails(rnnkit_norm_forward(n.norm, other.tape, foreign, &y), RNNKIT_E_ARGUMENT, "contexts");
    text_fails(rnnkit_norm_forward(n.norm, t, x, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_add_forward(NULL, x, x, &y), RNNKIT_E_HANDLE, "tape is NULL");
    text_fails(rnnkit_add_forward(t, x, flat, &y), RNNKIT_E_SHAPE, "b [2, 3]");
    text_fails(rnnkit_add_forward(t, x, foreign, &y), RNNKIT_E_ORDER, "b belongs");
    text_fails(rnnkit_add_forward(t, x, x, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_relu_forward(t, NULL, &y), RNNKIT_E_HANDLE, "x is NULL");
    text_fails(rnnkit_relu_forward(t, x, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    assert_null(y);
    drop(&n);
    drop(&other);
}

/* The n-th allocation fails, for every n. */
static void without_memory(void **state)
{
    (void)state;
    int32_t status = RNNKIT_E_MEMORY;
    int64_t fail_at = 0;
    while (status != RNNKIT_OK && fail_at < 1000) {
        failing_memory hook = {0};
        net n = {0};
        rnnkit_tensor *y, *weights;
        must(rnnkit_context_create_with_allocator(
                 "cpu", "threads=1", failing_allocate, failing_release, &hook, &n.context),
            "context");
        hook.fail_at = hook.calls + ++fail_at;
        status = fill(&n, NULL);
        if (status == RNNKIT_OK) status = run(&n, T, 0, B, 0, &y, &weights);
        hook.fail_at = 0;
        drop(&n);
        assert_int_equal(hook.alive, 0);
        if (status != RNNKIT_OK) assert_int_equal(status, RNNKIT_E_MEMORY);
    }
    assert_in_range(fail_at, 10, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_padding),
        cmocka_unit_test(saved_and_opened),
        cmocka_unit_test(sums_and_relu),
        cmocka_unit_test(wrong_layers),
        cmocka_unit_test(wrong_tensors),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("transformer", tests, NULL, NULL);
}
