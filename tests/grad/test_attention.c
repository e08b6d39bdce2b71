/* Gradients of attention (both scores, masks, heads, windows), of layer normalisation and of the
 * cell by itself, against central differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradient.h"

typedef struct attention {
    rki_attention_forward forward;
    rki_attention_backward query;
    rki_attention_source source;
    const double *dcontext, *dweights;
    int64_t contexts, weights;
} attention;

static double attention_loss(void *problem)
{
    attention *p = problem;
    assert_int_equal(ops->attention_forward(device, &p->forward), 0);
    return dot(p->dcontext, p->forward.context, p->contexts) +
           dot(p->dweights, p->forward.weights, p->weights);
}

static void attention_backward(void *problem)
{
    attention *p = problem;
    assert_int_equal(ops->attention_backward(device, &p->query), 0);
    assert_int_equal(ops->attention_source(device, &p->source), 0);
}

static void check(const char *name, rki_attention a)
{
    a.ldq = a.ldkeys = a.width;
    a.ldvalues = a.value_width;
    int64_t q = a.queries * a.batch * a.width, keys = a.positions * a.batch * a.width;
    int64_t values = a.positions * a.batch * a.value_width;
    variable v[] = {{"q", randoms(q, 1), zeros(q), q},
        {"keys", randoms(keys, 1), zeros(keys), keys},
        {"values", randoms(values, 1), zeros(values), values}, {0}, {0}};
    int count = 3;
    double *dv = NULL, *dcenters = NULL;
    a.q = v[0].values;
    a.keys = v[1].values;
    a.values = v[2].values;
    if (a.score == RKI_SCORE_ADDITIVE) {
        v[count] = (variable){"v", randoms(a.width, 1), zeros(a.width), a.width};
        a.v = v[count].values;
        dv = v[count++].gradient;
    }
    if (a.window > 0) {
        int64_t queries = a.queries * a.batch;
        v[count] = (variable){"centers", randoms(queries, 2), zeros(queries), queries};
        a.centers = v[count].values;
        dcenters = v[count++].gradient;
    }
    attention p = {.contexts = a.queries * a.batch * a.value_width,
        .weights = a.heads * a.queries * a.batch * a.positions};
    p.dcontext = randoms(p.contexts, 1);
    p.dweights = randoms(p.weights, 1);
    p.forward = (rki_attention_forward){a, zeros(p.weights), zeros(p.contexts)};
    p.query = (rki_attention_backward){
        a, p.forward.weights, p.dcontext, p.dweights, zeros(p.weights), v[0].gradient, dcenters};
    p.source = (rki_attention_source){a, p.forward.weights, p.query.dscores, p.dcontext,
        v[1].gradient, v[2].gradient, 0, dv, bytes_of(ops->attention_source_scratch(device, &a))};
    gradient_check checked = {name, v, count, &p, attention_loss, attention_backward};
    check_gradients(&checked);
}

static const int32_t lengths[] = {3, 1, 5}, query_lengths[] = {4, 0, 2};

static void test_dot(void **state)
{
    (void)state;
    rki_attention a = {.queries = 4,
        .positions = 5,
        .batch = 3,
        .heads = 1,
        .width = 3,
        .value_width = 2,
        .scale = 0.7};
    check("dot", a);
    a.lengths = lengths;
    a.query_lengths = query_lengths;
    check("dot, masks", a);
    a.query_lengths = NULL;
    a.causal = 1;
    a.heads = 2;
    a.width = 4;
    a.value_width = 6;
    check("dot, causal, two heads", a);
}

static void test_additive(void **state)
{
    (void)state;
    rki_attention a = {.score = RKI_SCORE_ADDITIVE,
        .queries = 4,
        .positions = 5,
        .batch = 3,
        .heads = 1,
        .width = 3,
        .value_width = 2};
    check("additive", a);
    a.lengths = lengths;
    check("additive, lengths", a);
    a.query_lengths = query_lengths;
    a.causal = 1;
    a.heads = 2;
    a.width = 6;
    check("additive, all masks, two heads", a);
}

static void test_window(void **state)
{
    (void)state;
    rki_attention a = {.queries = 4,
        .positions = 9,
        .batch = 3,
        .heads = 1,
        .width = 3,
        .value_width = 2,
        .scale = 0.7,
        .window = 2};
    static const int32_t long_lengths[] = {9, 1, 6};
    check("window, dot", a);
    a.score = RKI_SCORE_ADDITIVE;
    check("window, additive", a);
    a.lengths = long_lengths;
    a.query_lengths = query_lengths;
    check("window, additive, masks", a);
    a.window = 1;
    check("window of 1, additive, masks", a);
}

typedef struct norm {
    rki_norm_forward forward;
    rki_norm_backward backward;
} norm;

static double norm_loss(void *problem)
{
    norm *p = problem;
    assert_int_equal(ops->norm_forward(device, &p->forward), 0);
    return dot(p->backward.dy, p->forward.y, p->forward.rows * p->forward.width);
}

static void norm_backward(void *problem)
{
    norm *p = problem;
    assert_int_equal(ops->norm_backward(device, &p->backward), 0);
}

static void test_norm(void **state)
{
    (void)state;
    enum { NORM_ROWS = 4, NORM_WIDTH = 7, COUNT = NORM_ROWS * NORM_WIDTH };
    variable v[] = {{"x", randoms(COUNT, 2), zeros(COUNT), COUNT},
        {"weight", randoms(NORM_WIDTH, 1), zeros(NORM_WIDTH), NORM_WIDTH},
        {"bias", randoms(NORM_WIDTH, 1), zeros(NORM_WIDTH), NORM_WIDTH}};
    norm p = {.forward = {NORM_ROWS, NORM_WIDTH, 1e-5, v[0].values, v[1].values, v[2].values,
                  zeros(COUNT), zeros(2 * NORM_ROWS)}};
    p.backward = (rki_norm_backward){NORM_ROWS, NORM_WIDTH, v[0].values, v[1].values,
        p.forward.stash, randoms(COUNT, 1), v[0].gradient, v[1].gradient, v[2].gradient};
    gradient_check checked = {"norm", v, 3, &p, norm_loss, norm_backward};
    check_gradients(&checked);
}

typedef struct cell {
    rki_cell_forward forward;
    rki_cell_backward backward;
    const double *sums, *dc; /* what z and carry are before they are replaced */
} cell;

static double cell_loss(void *problem)
{
    cell *p = problem;
    int64_t count = p->forward.batch * p->forward.hidden;
    for (int64_t i = 0; i < (p->forward.gru ? 3 : 4) * count; i++)
        ((double *)p->forward.z)[i] = p->sums[i];
    assert_int_equal(ops->cell_forward(device, &p->forward), 0);
    double loss = dot(p->backward.dh, p->forward.h, count);
    return p->forward.gru ? loss : loss + dot(p->dc, p->forward.c, count);
}

static void cell_backward(void *problem)
{
    cell *p = problem;
    for (int64_t i = 0; i < p->forward.batch * p->forward.hidden; i++)
        ((double *)p->backward.carry)[i] = p->dc[i];
    assert_int_equal(ops->cell_backward(device, &p->backward), 0);
}

enum { CELL_BATCH = 2, CELL_HIDDEN = 5, CELLS = CELL_BATCH * CELL_HIDDEN };

static void test_lstm_cell(void **state)
{
    (void)state;
    variable v[] = {{"z", randoms(4 * CELLS, 2), zeros(4 * CELLS), 4 * CELLS},
        {"c_before", randoms(CELLS, 1), zeros(CELLS), CELLS}};
    cell p = {.forward = {.batch = CELL_BATCH,
                  .hidden = CELL_HIDDEN,
                  .z = zeros(4 * CELLS),
                  .c_before = v[1].values,
                  .h = zeros(CELLS),
                  .c = zeros(CELLS)},
        .sums = v[0].values,
        .dc = randoms(CELLS, 1)};
    p.backward = (rki_cell_backward){.batch = CELL_BATCH,
        .hidden = CELL_HIDDEN,
        .gates = p.forward.z,
        .c_before = v[1].values,
        .c = p.forward.c,
        .dh = randoms(CELLS, 1),
        .carry = v[1].gradient,
        .dz = v[0].gradient};
    gradient_check checked = {"LSTM cell", v, 2, &p, cell_loss, cell_backward};
    check_gradients(&checked);
}

/* The gradient of reset is the n of dz; that of z has dn there. */
static void gru_backward(void *problem)
{
    cell *p = problem;
    double *dz = p->backward.dz, *dn = p->backward.dn;
    cell_backward(problem);
    for (int64_t i = 0; i < CELLS; i++) {
        double *n = &dz[i / CELL_HIDDEN * 3 * CELL_HIDDEN + 2 * CELL_HIDDEN + i % CELL_HIDDEN];
        double dreset = *n;
        *n = dn[i];
        dn[i] = dreset;
    }
}

static void test_gru_cell(void **state)
{
    (void)state;
    variable v[] = {{"z", randoms(3 * CELLS, 2), zeros(3 * CELLS), 3 * CELLS},
        {"reset", randoms(CELLS, 1), zeros(CELLS), CELLS},
        {"h_before", randoms(CELLS, 1), zeros(CELLS), CELLS}};
    cell p = {.forward = {.gru = 1,
                  .batch = CELL_BATCH,
                  .hidden = CELL_HIDDEN,
                  .z = zeros(3 * CELLS),
                  .reset = v[1].values,
                  .h_before = v[2].values,
                  .h = zeros(CELLS)},
        .sums = v[0].values,
        .dc = zeros(CELLS)};
    p.backward = (rki_cell_backward){.gru = 1,
        .batch = CELL_BATCH,
        .hidden = CELL_HIDDEN,
        .gates = p.forward.z,
        .reset = v[1].values,
        .h_before = v[2].values,
        .dh = randoms(CELLS, 1),
        .carry = v[2].gradient,
        .dz = v[0].gradient,
        .dn = v[1].gradient};
    gradient_check checked = {"GRU cell", v, 3, &p, cell_loss, gru_backward};
    check_gradients(&checked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_additive),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_lstm_cell),
        cmocka_unit_test(test_gru_cell),
    };
    return cmocka_run_group_tests_name("gradients of attention", tests, open_device, close_device);
}
