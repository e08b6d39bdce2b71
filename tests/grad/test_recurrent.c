/* Gradients of the recurrent layer, every cell with every option, and of pooling, against central
 * differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradient.h"

enum { STEPS = 5, BATCH = 4, INPUTS = 3, HIDDEN = 4, GAP = 2, MOST_VARIABLES = 12 };

typedef struct recurrent {
    rki_recurrent_forward forward;
    rki_recurrent_backward backward;
    variable variables[MOST_VARIABLES];
    int count;
} recurrent;

static double dot_rows(
    const double *a, int64_t lda, const double *b, int64_t ldb, int64_t rows, int64_t width)
{
    double sum = 0.0;
    for (int64_t r = 0; r < rows; r++)
        sum += dot(a + r * lda, b + r * ldb, width);
    return sum;
}

static double loss(void *problem)
{
    recurrent *p = problem;
    const rki_recurrent_backward *b = &p->backward;
    const rki_recurrent *layer = &p->forward.layer;
    assert_int_equal(ops->recurrent_forward(device, &p->forward), 0);
    double sum = dot_rows(b->dy, b->lddy, p->forward.y, p->forward.ldy, layer->steps * layer->batch,
                     layer->output) +
                 dot(b->dhn, p->forward.hn, layer->batch * layer->output);
    if (b->dcn) sum += dot(b->dcn, p->forward.cn, layer->batch * layer->hidden);
    return sum;
}

static void backward(void *problem)
{
    recurrent *p = problem;
    assert_int_equal(ops->recurrent_backward(device, &p->backward), 0);
}

static const void *add_variable(recurrent *p, const char *name, int64_t count, void **gradient)
{
    variable *v = &p->variables[p->count++];
    *v = (variable){name, randoms(count, 1), zeros(count), count};
    *gradient = v->gradient;
    return v->values;
}

static void add_weights(recurrent *p, const rki_recurrent *layer, int projected)
{
    int64_t rows = rki_cell_gates(layer->cell) * layer->hidden;
    rki_recurrent_weights *w = &p->forward.weights;
    rki_recurrent_gradients *g = &p->backward.gradients;
    w->weight_ih = add_variable(p, "W_ih", rows * layer->input, &g->weight_ih);
    w->weight_hh = add_variable(p, "W_hh", rows * layer->output, &g->weight_hh);
    w->bias_ih = add_variable(p, "b_ih", rows, &g->bias_ih);
    w->bias_hh = add_variable(p, "b_hh", rows, &g->bias_hh);
    if (projected)
        w->weight_hr = add_variable(p, "W_hr", layer->output * layer->hidden, &g->weight_hr);
    if (!layer->layer_norm) return;
    w->norm_ih = add_variable(p, "norm_ih", rows, &g->norm_ih);
    w->norm_hh = add_variable(p, "norm_hh", rows, &g->norm_hh);
    if (layer->cell != RKI_CELL_LSTM) return;
    w->norm_c = add_variable(p, "norm_c", layer->hidden, &g->norm_c);
    w->norm_c_bias = add_variable(p, "norm_c_bias", layer->hidden, &g->norm_c_bias);
}

static void add_sequence(recurrent *p, const rki_recurrent *layer)
{
    rki_recurrent_forward *f = &p->forward;
    rki_recurrent_backward *b = &p->backward;
    int64_t rows = layer->steps * layer->batch;
    int64_t h_count = layer->batch * layer->output, c_count = layer->batch * layer->hidden;
    f->x = add_variable(p, "x", rows * layer->input, &b->dx);
    f->h0 = add_variable(p, "h0", h_count, &b->dh0);
    f->ldy = layer->output + GAP;
    f->y = zeros(rows * f->ldy);
    f->hn = zeros(h_count);
    b->lddy = layer->output;
    b->dy = randoms(rows * layer->output, 1);
    b->dhn = randoms(h_count, 1);
    if (layer->cell == RKI_CELL_LSTM) {
        f->c0 = add_variable(p, "c0", c_count, &b->dc0);
        f->cn = zeros(c_count);
        b->dcn = randoms(c_count, 1);
    }
    f->stash = bytes_of(ops->recurrent_stash(device, layer));
    f->scratch = bytes_of(ops->recurrent_forward_scratch(device, layer));
    b->scratch = bytes_of(ops->recurrent_backward_scratch(device, layer));
}

static void check_layer(const char *name, rki_recurrent layer)
{
    recurrent p = {.count = 0};
    layer.batch = BATCH;
    layer.input = INPUTS;
    layer.hidden = HIDDEN;
    int projected = layer.output > 0;
    if (!projected) layer.output = HIDDEN;
    if (layer.steps == 0) layer.steps = STEPS;
    layer.training = 1;
    p.forward.layer = layer;
    add_weights(&p, &layer, projected);
    add_sequence(&p, &layer);
    p.backward.layer = layer;
    p.backward.weights = p.forward.weights;
    p.backward.x = p.forward.x;
    p.backward.h0 = p.forward.h0;
    p.backward.c0 = p.forward.c0;
    p.backward.y = p.forward.y;
    p.backward.ldy = p.forward.ldy;
    p.backward.stash = p.forward.stash;
    gradient_check check = {name, p.variables, p.count, &p, loss, backward};
    check_gradients(&check);
}

static const int32_t lengths[BATCH] = {2, 0, 5, 3}, starts[BATCH] = {1, 4, 0, 2};

/* Plain, with lengths, and reversed behind padding. */
static void check_ways(const char *name, rki_recurrent layer)
{
    layer.random = (rki_random){.seed = 4, .purpose = RKI_PURPOSE_DROPOUT, .stream = 3};
    check_layer(name, layer);
    layer.lengths = lengths;
    check_layer(name, layer);
    layer.reverse = 1;
    layer.starts = starts;
    check_layer(name, layer);
}

static void test_cells(void **state)
{
    (void)state;
    check_ways("elman tanh", (rki_recurrent){.cell = RKI_CELL_TANH});
    check_ways("elman relu", (rki_recurrent){.cell = RKI_CELL_RELU});
    check_ways("gru", (rki_recurrent){.cell = RKI_CELL_GRU});
    check_ways("gru before", (rki_recurrent){.cell = RKI_CELL_GRU_BEFORE});
    check_ways("lstm", (rki_recurrent){.cell = RKI_CELL_LSTM});
    check_layer("lstm T=1", (rki_recurrent){.cell = RKI_CELL_LSTM, .steps = 1});
}

static void test_projection(void **state)
{
    (void)state;
    check_ways("projection", (rki_recurrent){.cell = RKI_CELL_LSTM, .output = 2});
    check_ways("projection, norm, zoneout", (rki_recurrent){.cell = RKI_CELL_LSTM,
                                                .output = 2,
                                                .layer_norm = 1,
                                                .zoneout_h = 0.4,
                                                .zoneout_c = 0.3});
}

static void test_layer_norm(void **state)
{
    (void)state;
    check_ways("elman norm", (rki_recurrent){.cell = RKI_CELL_TANH, .layer_norm = 1});
    check_ways("gru norm", (rki_recurrent){.cell = RKI_CELL_GRU, .layer_norm = 1});
    check_ways("lstm norm", (rki_recurrent){.cell = RKI_CELL_LSTM, .layer_norm = 1});
}

static void test_zoneout(void **state)
{
    (void)state;
    check_ways("elman zoneout", (rki_recurrent){.cell = RKI_CELL_TANH, .zoneout_h = 0.4});
    check_ways("gru zoneout", (rki_recurrent){.cell = RKI_CELL_GRU, .zoneout_h = 0.4});
    check_ways(
        "gru before zoneout", (rki_recurrent){.cell = RKI_CELL_GRU_BEFORE, .zoneout_h = 0.4});
    check_ways(
        "lstm zoneout", (rki_recurrent){.cell = RKI_CELL_LSTM, .zoneout_h = 0.4, .zoneout_c = 0.3});
}

typedef struct pooling {
    rki_pool call;
    rki_pool_backward back;
} pooling;

static double pool_loss(void *problem)
{
    pooling *p = problem;
    assert_int_equal(ops->pool(device, &p->call), 0);
    return dot(p->back.dout, p->call.out, p->call.batch * p->call.width);
}

static void pool_backward(void *problem)
{
    pooling *p = problem;
    assert_int_equal(ops->pool_backward(device, &p->back), 0);
}

static void check_pool(const char *name, rki_pooling how, const int32_t *first)
{
    enum { WIDTH = 5, COUNT = STEPS * BATCH * WIDTH };
    variable x = {"x", randoms(COUNT, 1), zeros(COUNT), COUNT};
    pooling p = {.call = {.pooling = how,
                     .steps = STEPS,
                     .batch = BATCH,
                     .width = WIDTH,
                     .forward = 3,
                     .starts = first,
                     .lengths = lengths,
                     .x = x.values,
                     .out = zeros(BATCH * WIDTH)}};
    p.back =
        (rki_pool_backward){.forward = p.call, .dout = randoms(BATCH * WIDTH, 1), .dx = x.gradient};
    gradient_check check = {name, &x, 1, &p, pool_loss, pool_backward};
    check_gradients(&check);
}

static void test_pool(void **state)
{
    (void)state;
    check_pool("last", RKI_POOL_LAST, NULL);
    check_pool("mean", RKI_POOL_MEAN, starts);
    check_pool("max", RKI_POOL_MAX, starts);
    check_pool("last behind padding", RKI_POOL_LAST, starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_projection),
        cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_zoneout),
        cmocka_unit_test(test_pool),
    };
    return cmocka_run_group_tests_name("recurrent gradients", tests, open_device, close_device);
}
