/* Attention by itself: rows of weights sum to 1, padding is not there, a window hides what is far,
 * rows know nothing of their batch, keys are projected once and may be the values; and what wrong
 * arguments are answered with. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/small_model.h"
#include "../support/text.h"

enum { TQ = 3, TS = 5, B = 4, DQ = 6, D = 7, MOST = 1024 };

static const int32_t lengths[B] = {5, 1, 3, 2};
static const char *const kinds[] = {"score=additive width=9 bias=1", "score=dot", "score=general",
    "score=concat", "score=scaled_dot", "width=9 bias=1 window=2", "score=dot window=1",
    "score=general window=1", "score=concat window=2147483647", "score=scaled_dot window=2"};
enum { KINDS = sizeof kinds / sizeof *kinds, SCORES = KINDS / 2 /* that look everywhere */ };

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_attention *attention;
    rnnkit_tape *tape;
} net;

static net make(const char *options)
{
    net n = {0};
    must(rnnkit_context_create("cpu", "threads=2 seed=3", &n.context), "context");
    must(rnnkit_model_create(n.context, &n.model), "model");
    must(rnnkit_attention_create(n.model, "look", DQ, DQ, options, &n.attention), "attention");
    must(rnnkit_tape_create(n.context, "train=0", &n.tape), "tape");
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_model_destroy(n->model);
    rnnkit_attention_destroy(n->attention);
    rnnkit_context_destroy(n->context);
}

/* Element i of an input, the same in every batch; `garbage` for what stands in the padding. */
static float element(int64_t t, int64_t b, int64_t j, int64_t kind)
{
    return sinf((float)(1 + t * 37 + b * 101 + j * 13 + kind * 7));
}

static rnnkit_tensor *input(
    net *n, int64_t steps, int64_t first, int64_t rows, int64_t width, int kind, float garbage)
{
    float values[MOST];
    const int64_t dims[3] = {steps, rows, width};
    rnnkit_tensor *x;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < rows; b++)
            for (int64_t j = 0; j < width; j++)
                values[(t * rows + b) * width + j] =
                    kind > 0 && t >= lengths[first + b] ? garbage : element(t, first + b, j, kind);
    must(rnnkit_tape_input(n->tape, values, dims, 3, &x), "input");
    return x;
}

/* Rows first .. first + rows - 1 of the batch, with a source of `positions` steps. */
static void look(net *n, int64_t first, int64_t rows, int64_t positions, float garbage,
    float *context, float *weights)
{
    rnnkit_tensor *keys, *c, *w;
    must(rnnkit_tape_clear(n->tape), "clear");
    rnnkit_tensor *query = input(n, TQ, first, rows, DQ, 0, 0);
    rnnkit_tensor *source = input(n, positions, first, rows, DQ, 1, garbage);
    rnnkit_tensor *values = input(n, positions, first, rows, D, 2, garbage);
    must(rnnkit_attention_keys(n->attention, n->tape, source, &keys), "keys");
    must(rnnkit_attention_forward(
             n->attention, n->tape, query, keys, values, lengths + first, &c, &w),
        "forward");
    must(rnnkit_tensor_read(c, context, TQ * rows * D), "read");
    must(rnnkit_tensor_read(w, weights, TQ * rows * positions), "read");
}

static void weights_sum_to_one(void **state)
{
    (void)state;
    for (int i = 0; i < SCORES; i++) {
        net n = make(kinds[i]);
        float context[TQ * B * D], weights[TQ * B * TS];
        look(&n, 0, B, TS, 1, context, weights);
        for (int t = 0; t < TQ; t++)
            for (int b = 0; b < B; b++) {
                const float *row = weights + (t * B + b) * TS;
                float sum = 0;
                for (int s = 0; s < TS; s++) {
                    if (s < lengths[b]) assert_true(row[s] > 0);
                    if (s >= lengths[b]) assert_true(row[s] == 0 && !signbit(row[s]));
                    sum += row[s];
                }
                assert_true(fabsf(sum - 1) < 1e-6f);
            }
        drop(&n);
    }
}

/* The gradient of a table whose rows are keys and values at once, from one tensor or from two. */
static void table_gradient(const char *options, int tensors, float *gradient)
{
    int32_t ids[TS * B], targets[TQ * B];
    net n = make(options);
    rnnkit_tape *tape;
    rnnkit_embedding *table;
    rnnkit_linear *output;
    rnnkit_tensor *source, *values, *context, *loss;
    for (int i = 0; i < TS * B; i++)
        ids[i] = i * 5 % 11;
    for (int i = 0; i < TQ * B; i++)
        targets[i] = i % 3;
    must(rnnkit_embedding_create(n.model, "table", 11, DQ, NULL, &table), "table");
    must(rnnkit_linear_create(n.model, "output", DQ, 3, NULL, &output), "output");
    must(rnnkit_tape_create(n.context, NULL, &tape), "tape");
    rnnkit_tape_destroy(n.tape);
    n.tape = tape;
    rnnkit_tensor *query = input(&n, TQ, 0, B, DQ, 0, 0);
    must(rnnkit_embedding_forward(table, tape, ids, TS, B, &source), "source");
    values = source;
    if (tensors == 2) must(rnnkit_embedding_forward(table, tape, ids, TS, B, &values), "values");
    must(
        rnnkit_attention_forward(n.attention, tape, query, source, values, lengths, &context, NULL),
        "forward");
    must(rnnkit_linear_cross_entropy(output, tape, context, targets, TQ * B, RNNKIT_IGNORE, &loss),
        "loss");
    must(rnnkit_tape_backward(tape, loss), "backward");
    must(rnnkit_model_gradient_read(n.model, "table.weight", gradient, 11 * DQ), "gradient");
    rnnkit_linear_destroy(output);
    rnnkit_embedding_destroy(table);
    drop(&n);
}

static void keys_may_be_values(void **state)
{
    (void)state;
    static const char *const options[] = {"width=6 bias=1", "score=dot", "score=dot window=1"};
    for (int i = 0; i < 3; i++) {
        float one[11 * DQ], two[11 * DQ], largest = 0;
        table_gradient(options[i], 1, one);
        table_gradient(options[i], 2, two);
        for (int k = 0; k < 11 * DQ; k++) {
            assert_true(fabsf(one[k] - two[k]) <= 1e-6f);
            if (fabsf(two[k]) > largest) largest = fabsf(two[k]);
        }
        assert_true(largest > 1e-3f);
    }
}

/* What a window leaves is a run of at most 2 D + 1 positions within the length, which sum to 1
 * at most. */
static void check_window(const float *row, int length, int window, int *narrower)
{
    int first = -1, last = -1;
    float sum = 0;
    for (int s = 0; s < TS; s++) {
        assert_true(row[s] >= 0 && !signbit(row[s]));
        if (row[s] == 0) continue;
        if (first < 0) first = s;
        last = s;
        sum += row[s];
    }
    assert_true(first >= 0 && last < length && last - first <= 2 * window);
    for (int s = first; s <= last; s++)
        assert_true(row[s] > 0);
    assert_true(sum < 1 + 1e-6f);
    *narrower += last - first + 1 < length;
}

static void windows_hide_what_is_far(void **state)
{
    (void)state;
    for (int i = SCORES; i < KINDS; i++) {
        net n = make(kinds[i]);
        int window = atoi(strstr(kinds[i], "window=") + 7), narrower = 0;
        float context[TQ * B * D], weights[TQ * B * TS];
        look(&n, 0, B, TS, 1, context, weights);
        for (int r = 0; r < TQ * B; r++)
            check_window(weights + r * TS, lengths[r % B], window > TS ? TS : window, &narrower);
        assert_true(window > TS ? narrower == 0 : narrower > 0);
        drop(&n);
    }
}

/* What stands in the padding, and how much of it, changes no bit; not even NaN does. */
static void padding_is_not_there(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        net n = make(kinds[i]);
        float context[TQ * B * D], weights[TQ * B * TS], other[TQ * B * D], longer[TQ * B * 9];
        look(&n, 0, B, TS, 1, context, weights);
        look(&n, 0, B, 9, NAN, other, longer);
        assert_memory_equal(context, other, sizeof context);
        for (int r = 0; r < TQ * B; r++)
            assert_memory_equal(weights + r * TS, longer + r * 9, TS * sizeof(float));
        drop(&n);
    }
}

static void rows_know_nothing_of_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        net n = make(kinds[i]);
        float context[TQ * B * D], weights[TQ * B * TS], own[TQ * D], seen[TQ * TS];
        look(&n, 0, B, TS, 1, context, weights);
        for (int b = 0; b < B; b++) {
            look(&n, b, 1, TS, 2, own, seen);
            for (int t = 0; t < TQ; t++) {
                assert_memory_equal(own + t * D, context + (t * B + b) * D, D * sizeof(float));
                assert_memory_equal(seen + t * TS, weights + (t * B + b) * TS, TS * sizeof(float));
            }
        }
        drop(&n);
    }
}

/* A model that carries an attention comes back from its file, with all options. */
static void saved_and_opened(void **state)
{
    (void)state;
    net n = make("score=concat width=4 bias=1 window=2"), again = {.context = NULL};
    const char *path = scratch_path("model");
    float one[TQ * B * D], two[TQ * B * D], weights[TQ * B * TS];
    int64_t width;
    look(&n, 0, B, TS, 1, one, weights);
    must(rnnkit_model_save(n.model, path), "save");
    must(rnnkit_model_open(n.context, path, NULL, &again.model), "open");
    must(rnnkit_attention_find(again.model, "look", &again.attention), "find");
    must(rnnkit_attention_size(again.attention, NULL, NULL, &width), "size");
    assert_int_equal(width, 4);
    again.tape = n.tape;
    look(&again, 0, B, TS, 1, two, weights);
    assert_memory_equal(one, two, sizeof one);
    rnnkit_attention_destroy(again.attention);
    rnnkit_model_destroy(again.model);
    drop(&n);
}

static void wrong_layers(void **state)
{
    (void)state;
    net n = make(NULL);
    rnnkit_attention *a = NULL;
    rnnkit_model *m = n.model;
    text_fails(
        rnnkit_attention_create(NULL, "x", 1, 1, NULL, &a), RNNKIT_E_HANDLE, "model is NULL");
    text_fails(rnnkit_attention_create(m, NULL, 1, 1, NULL, &a), RNNKIT_E_ARGUMENT, "name");
    text_fails(rnnkit_attention_create(m, "look", 1, 1, NULL, &a), RNNKIT_E_ARGUMENT, "already");
    text_fails(rnnkit_attention_create(m, "x", 0, 1, NULL, &a), RNNKIT_E_ARGUMENT, "below 1");
    text_fails(rnnkit_attention_create(m, "x", 1, 1, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_attention_create(m, "x", 2, 3, "score=dot", &a), RNNKIT_E_SHAPE, "general");
    text_fails(rnnkit_attention_create(m, "x", 2, 3, "score=local", &a), RNNKIT_E_OPTION, "score");
    text_fails(
        rnnkit_attention_create(m, "x", 2, 2, "score=dot width=3", &a), RNNKIT_E_OPTION, "width");
    text_fails(
        rnnkit_attention_create(m, "x", 2, 2, "score=general bias=1", &a), RNNKIT_E_OPTION, "bias");
    text_fails(rnnkit_attention_create(m, "x", 2, 2, "window=-1", &a), RNNKIT_E_OPTION, "window");
    text_fails(rnnkit_attention_create(m, "x", 2, 2, "window=wide", &a), RNNKIT_E_OPTION, "window");
    text_fails(rnnkit_attention_create(m, "x", INT64_MAX, 2, "score=concat width=1", &a),
        RNNKIT_E_SHAPE, "too large");
    text_fails(
        rnnkit_attention_create(m, "x", INT64_MAX / 4, 9, NULL, &a), RNNKIT_E_SHAPE, "too large");
    text_fails(rnnkit_attention_find(m, "nowhere", &a), RNNKIT_E_NOT_FOUND, "attention \"look\"");
    text_fails(rnnkit_attention_size((rnnkit_attention *)m, NULL, NULL, NULL), RNNKIT_E_HANDLE,
        "expected a attention");
    assert_null(a);
    rnnkit_attention_destroy(NULL);
    drop(&n);
}

static void wrong_tensors(void **state)
{
    (void)state;
    net n = make(NULL), other = make(NULL);
    static const int32_t zero[B] = {5, 0, 3, 2}, beyond[B] = {5, 1, 3, 6};
    rnnkit_tensor *query = input(&n, TQ, 0, B, DQ, 0, 0), *keys = input(&n, TS, 0, B, DQ, 1, 0);
    rnnkit_tensor *values = input(&n, TS, 0, B, D, 2, 0), *few = input(&n, TS, 0, 2, D, 2, 0);
    rnnkit_tensor *brief = input(&n, TS - 1, 0, B, D, 2, 0), *c = NULL, *w = NULL;
    rnnkit_tensor *foreign = input(&other, TQ, 0, B, DQ, 0, 0);
    rnnkit_attention *a = n.attention;
    rnnkit_tape *t = n.tape;
    text_fails(rnnkit_attention_keys(NULL, t, keys, &c), RNNKIT_E_HANDLE, "attention is NULL");
    text_fails(rnnkit_attention_keys(a, NULL, keys, &c), RNNKIT_E_HANDLE, "tape is NULL");
    text_fails(rnnkit_attention_keys(a, other.tape, keys, &c), RNNKIT_E_ARGUMENT, "contexts");
    text_fails(rnnkit_attention_keys(a, t, values, &c), RNNKIT_E_SHAPE, "[5, 4, 7]");
    text_fails(rnnkit_attention_keys(a, t, keys, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_attention_forward(a, t, NULL, keys, values, NULL, &c, &w), RNNKIT_E_HANDLE,
        "query is NULL");
    text_fails(rnnkit_attention_forward(a, t, foreign, keys, values, NULL, &c, &w), RNNKIT_E_ORDER,
        "query belongs to another tape");
    text_fails(rnnkit_attention_forward(a, t, values, keys, values, NULL, &c, &w), RNNKIT_E_SHAPE,
        "query has shape [5, 4, 7]");
    text_fails(rnnkit_attention_forward(a, t, query, values, values, NULL, &c, &w), RNNKIT_E_SHAPE,
        "keys has shape");
    text_fails(rnnkit_attention_forward(a, t, query, keys, brief, NULL, &c, &w), RNNKIT_E_SHAPE,
        "values has shape [4, 4, 7], expected [5, 4, ...]");
    text_fails(rnnkit_attention_forward(a, t, query, keys, few, NULL, &c, &w), RNNKIT_E_SHAPE,
        "values has shape [5, 2, 7]");
    text_fails(rnnkit_attention_forward(a, t, query, keys, values, zero, &c, &w), RNNKIT_E_ARGUMENT,
        "lengths[1] is 0, expected 1 to 5");
    text_fails(rnnkit_attention_forward(a, t, query, keys, values, beyond, &c, &w),
        RNNKIT_E_ARGUMENT, "lengths[3] is 6");
    text_fails(rnnkit_attention_forward(a, t, query, keys, values, NULL, NULL, &w),
        RNNKIT_E_ARGUMENT, "context is NULL");
    assert_null(c);
    assert_null(w);
    must(
        rnnkit_attention_forward(a, t, query, keys, values, NULL, &c, NULL), "weights may be NULL");
    drop(&n);
    drop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_sum_to_one),
        cmocka_unit_test(keys_may_be_values),
        cmocka_unit_test(windows_hide_what_is_far),
        cmocka_unit_test(padding_is_not_there),
        cmocka_unit_test(rows_know_nothing_of_each_other),
        cmocka_unit_test(saved_and_opened),
        cmocka_unit_test(wrong_layers),
        cmocka_unit_test(wrong_tensors),
    };
    return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
