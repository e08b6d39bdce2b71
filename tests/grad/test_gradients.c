/* Gradients of every operation that has them but the recurrent ones, against central differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "gradient.h"
#include "losses.h"

/* y = x W^T + b by gemm; its gradients by gemm and column_sum. */
typedef struct linear {
    int64_t rows, inputs, outputs;
    const variable *x, *weight, *bias;
    double *y, *dy;
} linear;

static double linear_loss(void *problem)
{
    const linear *p = problem;
    rki_gemm call = {.transpose_b = 1,
        .m = p->rows,
        .n = p->outputs,
        .k = p->inputs,
        .a = p->x->values,
        .lda = p->inputs,
        .b = p->weight->values,
        .ldb = p->inputs,
        .bias = p->bias->values,
        .c = p->y,
        .ldc = p->outputs};
    assert_int_equal(ops->gemm(device, &call), 0);
    return dot(p->dy, p->y, p->rows * p->outputs);
}

static void linear_backward(void *problem)
{
    const linear *p = problem;
    rki_gemm dx = {.m = p->rows,
        .n = p->inputs,
        .k = p->outputs,
        .a = p->dy,
        .lda = p->outputs,
        .b = p->weight->values,
        .ldb = p->inputs,
        .c = p->x->gradient,
        .ldc = p->inputs};
    rki_gemm dweight = {.transpose_a = 1,
        .m = p->outputs,
        .n = p->inputs,
        .k = p->rows,
        .a = p->dy,
        .lda = p->outputs,
        .b = p->x->values,
        .ldb = p->inputs,
        .accumulate = 1,
        .c = p->weight->gradient,
        .ldc = p->inputs};
    assert_int_equal(ops->gemm(device, &dx), 0);
    assert_int_equal(ops->gemm(device, &dweight), 0);
    assert_int_equal(ops->column_sum(device, p->rows, p->outputs, p->dy, 1, p->bias->gradient), 0);
}

static void test_linear(void **state)
{
    (void)state;
    enum { ROWS = 6, INPUTS = 5, OUTPUTS = 4 };
    variable v[] = {{"x", randoms(ROWS * INPUTS, 1), zeros(ROWS * INPUTS), ROWS * INPUTS},
        {"W", randoms(OUTPUTS * INPUTS, 1), zeros(OUTPUTS * INPUTS), OUTPUTS * INPUTS},
        {"b", randoms(OUTPUTS, 1), zeros(OUTPUTS), OUTPUTS}};
    linear p = {ROWS, INPUTS, OUTPUTS, &v[0], &v[1], &v[2], zeros(ROWS * OUTPUTS),
        randoms(ROWS * OUTPUTS, 1)};
    gradient_check check = {"linear", v, 3, &p, linear_loss, linear_backward};
    check_gradients(&check);
}

typedef struct dropout {
    rki_dropout call;
    const variable *x;
    double *y, *dy;
} dropout;

static double dropout_loss(void *problem)
{
    dropout *p = problem;
    rki_dropout call = p->call;
    call.x = p->x->values;
    call.y = p->y;
    assert_int_equal(ops->dropout(device, &call), 0);
    return dot(p->dy, p->y, call.count);
}

static void dropout_backward(void *problem)
{
    dropout *p = problem;
    rki_dropout call = p->call;
    call.x = p->dy;
    call.y = p->x->gradient;
    assert_int_equal(ops->dropout(device, &call), 0);
}

static void test_dropout(void **state)
{
    (void)state;
    enum { COUNT = 103 };
    variable x = {"x", randoms(COUNT, 1), zeros(COUNT), COUNT};
    dropout p = {
        .call = {.count = COUNT, .rate = 0.3, .random = {5, RKI_PURPOSE_DROPOUT, 2}, .step = 9},
        .x = &x,
        .y = zeros(COUNT),
        .dy = randoms(COUNT, 1)};
    gradient_check check = {"dropout", &x, 1, &p, dropout_loss, dropout_backward};
    check_gradients(&check);
}

static double negative_sampling_loss(void *problem)
{
    rki_negative_sampling call = *(rki_negative_sampling *)problem;
    call.dx = NULL; /* evaluation alone: the way without gradients must give the same loss */
    assert_int_equal(ops->negative_sampling(device, &call), 0);
    return call.scale * *call.loss;
}

static void negative_sampling_backward(void *problem)
{
    assert_int_equal(ops->negative_sampling(device, problem), 0);
}

static void test_negative_sampling(void **state)
{
    (void)state;
    enum { ROWS = 3, CANDIDATES = 4, WIDTH = 5, TABLE = 4 };
    static const int32_t ids[ROWS * CANDIDATES] = {2, 0, 3, -1, 0, 0, 1, 2, 3, -1, -1, 1};
    static const int32_t starts[] = {0, 3, 5, 7, 9}, order[] = {1, 4, 5, 6, 11, 0, 7, 2, 8};
    variable v[] = {{"x", randoms(ROWS * WIDTH, 1), zeros(ROWS * WIDTH), ROWS * WIDTH},
        {"table", randoms(TABLE * WIDTH, 1), zeros(TABLE * WIDTH), TABLE * WIDTH}};
    rki_negative_sampling call = {.rows = ROWS,
        .candidates = CANDIDATES,
        .width = WIDTH,
        .scale = 0.7,
        .x = v[0].values,
        .table = v[1].values,
        .ids = ids,
        .loss = zeros(1),
        .dx = v[0].gradient,
        .unique = TABLE,
        .starts = starts,
        .order = order,
        .dtable = v[1].gradient};
    call.scratch = bytes_of(ops->negative_sampling_scratch(device, &call));
    gradient_check check = {
        "negative_sampling", v, 2, &call, negative_sampling_loss, negative_sampling_backward};
    check_gradients(&check);
}

enum { WORDS = 8, TABLE_ROWS = 5, WIDTH = 3 };
static const int32_t ids[WORDS] = {4, 0, 2, 4, 4, 0, 2, 1}; /* row 3 never */
static const int32_t rows[] = {0, 1, 2, 4}, starts[] = {0, 2, 3, 5, 8};
static const int32_t order[WORDS] = {1, 5, 7, 2, 6, 0, 3, 4};

typedef struct embedding {
    const variable *table;
    double *out, *dy;
} embedding;

static double embedding_loss(void *problem)
{
    const embedding *p = problem;
    rki_gather call = {
        .count = WORDS, .width = WIDTH, .ids = ids, .table = p->table->values, .out = p->out};
    assert_int_equal(ops->gather(device, &call), 0);
    return dot(p->dy, p->out, WORDS * WIDTH);
}

static void embedding_backward(void *problem)
{
    const embedding *p = problem;
    rki_scatter call = {4, WIDTH, rows, starts, order, p->dy, p->table->gradient};
    assert_int_equal(ops->scatter(device, &call), 0);
}

static void test_embedding(void **state)
{
    (void)state;
    enum { COUNT = TABLE_ROWS * WIDTH };
    variable table = {"table", randoms(COUNT, 1), zeros(COUNT), COUNT};
    embedding p = {&table, zeros(WORDS * WIDTH), randoms(WORDS * WIDTH, 1)};
    gradient_check check = {"embedding", &table, 1, &p, embedding_loss, embedding_backward};
    check_gradients(&check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax_loss),
        cmocka_unit_test(test_softmax_loss_weights),
        cmocka_unit_test(test_pointwise_loss),
        cmocka_unit_test(test_negative_sampling),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_embedding),
    };
    return cmocka_run_group_tests_name("gradients", tests, open_device, close_device);
}
