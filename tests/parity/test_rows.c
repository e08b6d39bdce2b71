/* Rows know nothing of each other: what a row gets alone it gets in a batch, whatever stands in the
 * other rows and behind its end. Bit for bit; on CUDA, whose products may be added up in another
 * order in another batch, within rounding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* The layer and a batch's inputs, kept on the host so that a row can be cut out of them. */
typedef struct problem {
    rki_recurrent layer;
    double *x, *h0, *c0, *dy, *dhn, *dcn;
    double *weight_ih, *weight_hh, *weight_hr, *bias, *gain;
} problem;

static double *values(bench *b, int64_t count, double scale)
{
    double *v = malloc((size_t)count * sizeof(double));
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (double)(float)(scale * draw_value(b));
    return v;
}

static int64_t gate_rows(const problem *p)
{
    return rki_cell_gates(p->layer.cell) * p->layer.hidden;
}

static problem new_problem(bench *b, rki_recurrent layer)
{
    problem p = {.layer = layer};
    int64_t rows = layer.steps * layer.batch, gates = gate_rows(&p);
    p.x = values(b, rows * layer.input, 1.0);
    p.h0 = values(b, layer.batch * layer.output, 1.0);
    p.c0 = values(b, layer.batch * layer.hidden, 1.0);
    p.dy = values(b, rows * layer.output, 1.0);
    p.dhn = values(b, layer.batch * layer.output, 1.0);
    p.dcn = values(b, layer.batch * layer.hidden, 1.0);
    p.weight_ih = values(b, gates * layer.input, 2.0 / sqrt((double)layer.input));
    p.weight_hh = values(b, gates * layer.output, 2.0 / sqrt((double)layer.output));
    p.weight_hr = values(b, layer.output * layer.hidden, 2.0 / sqrt((double)layer.hidden));
    p.bias = values(b, gates, 1.0);
    p.gain = values(b, gates, 1.0);
    return p;
}

static void free_arrays(problem *p)
{
    double *all[] = {p->x, p->h0, p->c0, p->dy, p->dhn, p->dcn};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

static void free_problem(problem *p)
{
    double *all[] = {p->weight_ih, p->weight_hh, p->weight_hr, p->bias, p->gain};
    free_arrays(p);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

/* Row b of each step of [steps][batch][width]. */
static double *cut(const double *from, int64_t steps, int64_t batch, int64_t b, int64_t width)
{
    double *row = malloc((size_t)(steps * width) * sizeof(double));
    assert_non_null(row);
    for (int64_t t = 0; t < steps; t++)
        memcpy(row + t * width, from + (t * batch + b) * width, (size_t)width * sizeof(double));
    return row;
}

static problem cut_problem(const problem *p, int64_t b)
{
    const rki_recurrent *l = &p->layer;
    problem row = *p;
    row.layer.batch = 1;
    if (l->lengths) row.layer.lengths = l->lengths + b;
    if (l->starts) row.layer.starts = l->starts + b;
    row.x = cut(p->x, l->steps, l->batch, b, l->input);
    row.h0 = cut(p->h0, 1, l->batch, b, l->output);
    row.c0 = cut(p->c0, 1, l->batch, b, l->hidden);
    row.dy = cut(p->dy, l->steps, l->batch, b, l->output);
    row.dhn = cut(p->dhn, 1, l->batch, b, l->output);
    row.dcn = cut(p->dcn, 1, l->batch, b, l->hidden);
    return row;
}

/* The parts of an outcome, in this order; without c, those of h stand twice. */
enum { Y, HN, CN, DX, DH0, DC0, PER_ROW, ALL = PER_ROW + 4 };

static void run_backward(bench *b, const problem *p, const rki_recurrent_forward *forward)
{
    const rki_recurrent *l = &p->layer;
    int lstm = l->cell == RKI_CELL_LSTM;
    int64_t h_count = l->batch * l->output, c_count = lstm ? l->batch * l->hidden : 0;
    int64_t x_count = l->steps * l->batch * l->input, gates = gate_rows(p);
    rki_recurrent_backward call = {.layer = *l,
        .weights = forward->weights,
        .x = forward->x,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .ldy = l->output,
        .lddy = l->output,
        .stash = forward->stash};
    rki_recurrent_gradients *g = &call.gradients;
    call.dy = upload(b, p->dy, l->steps * h_count);
    call.dhn = upload(b, p->dhn, h_count);
    call.dcn = lstm ? upload(b, p->dcn, c_count) : NULL;
    call.dx = unwritten(b, x_count);
    call.dh0 = unwritten(b, h_count);
    call.dc0 = lstm ? unwritten(b, c_count) : NULL;
    g->weight_ih = input(b, gates * l->input, 0.0);
    g->weight_hh = input(b, gates * l->output, 0.0);
    g->bias_ih = input(b, gates, 0.0);
    g->bias_hh = input(b, gates, 0.0);
    if (forward->weights.weight_hr) g->weight_hr = input(b, l->output * l->hidden, 0.0);
    if (l->layer_norm) {
        g->norm_ih = input(b, gates, 0.0);
        g->norm_hh = input(b, gates, 0.0);
    }
    if (l->layer_norm && lstm) {
        g->norm_c = input(b, l->hidden, 0.0);
        g->norm_c_bias = input(b, l->hidden, 0.0);
    }
    call.scratch = scratch(b, b->on->ops->recurrent_backward_scratch(b->on->self, l));
    succeed(b, b->on->ops->recurrent_backward(b->on->self, &call));
    keep(b, "dx", call.dx, x_count);
    keep(b, "dh0", call.dh0, h_count);
    keep(b, "dc0", lstm ? call.dc0 : call.dh0, lstm ? c_count : h_count);
    keep(b, "dweight_ih", g->weight_ih, gates * l->input);
    keep(b, "dweight_hh", g->weight_hh, gates * l->output);
    keep(b, "dbias_ih", g->bias_ih, gates);
    keep(b, "dbias_hh", g->bias_hh, gates);
}

static void upload_weights(bench *b, const problem *p, rki_recurrent_weights *w)
{
    const rki_recurrent *l = &p->layer;
    int64_t gates = gate_rows(p);
    w->weight_ih = upload(b, p->weight_ih, gates * l->input);
    w->weight_hh = upload(b, p->weight_hh, gates * l->output);
    w->bias_ih = upload(b, p->bias, gates);
    w->bias_hh = upload(b, p->bias, gates);
    if (l->output < l->hidden) w->weight_hr = upload(b, p->weight_hr, l->output * l->hidden);
    if (!l->layer_norm) return;
    w->norm_ih = upload(b, p->gain, gates);
    w->norm_hh = upload(b, p->gain, gates);
    if (l->cell != RKI_CELL_LSTM) return;
    w->norm_c = upload(b, p->gain, l->hidden);
    w->norm_c_bias = upload(b, p->bias, l->hidden);
}

static void run_problem(const subject *on, const problem *p, outcome *out)
{
    memset(out, 0, sizeof *out);
    bench b = {.on = on, .poison = -1, .out = out};
    const rki_recurrent *l = &p->layer;
    int lstm = l->cell == RKI_CELL_LSTM;
    int64_t h_count = l->batch * l->output, c_count = lstm ? l->batch * l->hidden : 0;
    rki_recurrent_forward call = {.layer = *l, .ldy = l->output};
    label(&b, "cell=%d T=%d B=%d I=%d H=%d P=%d norm=%d", (int)l->cell, (int)l->steps,
        (int)l->batch, (int)l->input, (int)l->hidden, (int)l->output, l->layer_norm);
    call.x = upload(&b, p->x, l->steps * l->batch * l->input);
    upload_weights(&b, p, &call.weights);
    call.h0 = upload(&b, p->h0, h_count);
    call.c0 = lstm ? upload(&b, p->c0, c_count) : NULL;
    call.y = unwritten(&b, l->steps * h_count);
    call.hn = unwritten(&b, h_count);
    call.cn = lstm ? unwritten(&b, c_count) : NULL;
    call.stash = scratch(&b, on->ops->recurrent_stash(on->self, l));
    call.scratch = scratch(&b, on->ops->recurrent_forward_scratch(on->self, l));
    succeed(&b, on->ops->recurrent_forward(on->self, &call));
    keep(&b, "y", call.y, l->steps * h_count);
    keep(&b, "hn", call.hn, h_count);
    keep(&b, "cn", lstm ? call.cn : call.hn, lstm ? c_count : h_count);
    run_backward(&b, p, &call);
    assert_int_equal(out->count, ALL);
    for (int i = 0; i < b.block_count; i++)
        on->ops->release(on->self, b.blocks[i]);
}

/* What the whole batch's outcome says about row b, for comparison with the row alone. */
static void cut_outcome(const problem *p, const outcome *whole, int64_t b, outcome *row)
{
    const rki_recurrent *l = &p->layer;
    *row = *whole;
    row->count = PER_ROW;
    for (int i = 0; i < PER_ROW; i++) {
        int64_t steps = i == Y || i == DX ? l->steps : 1;
        int64_t width = whole->parts[i].count / (steps * l->batch);
        row->parts[i].values = cut(whole->parts[i].values, steps, l->batch, b, width);
        row->parts[i].count = steps * width;
    }
}

static void assert_same_row(
    const char *op, const subject *on, const outcome *expected, const outcome *got)
{
    if (on->rows_to_the_bit)
        assert_identical(op, on->name, expected, got);
    else
        assert_close(op, on->name, expected, got, 2e-6);
}

static void check_rows(const subject *on, const problem *p)
{
    outcome whole;
    run_problem(on, p, &whole);
    for (int64_t b = 0; b < p->layer.batch; b++) {
        outcome expected, got;
        problem alone = cut_problem(p, b);
        run_problem(on, &alone, &got);
        cut_outcome(p, &whole, b, &expected);
        for (int i = PER_ROW; i < ALL; i++) /* sums over rows: not the row's own */
            free(got.parts[i].values);
        got.count = PER_ROW;
        assert_same_row("recurrent row alone", on, &expected, &got);
        free_outcome(&expected);
        free_outcome(&got);
        free_arrays(&alone);
    }
    free_outcome(&whole);
}

/* Sizes that take different ways through a kernel: few rows and many, narrow and wide; and cells
 * with what is done in several ways. Zoneout is none of them: a row's masks depend on its place. */
static const rki_recurrent layers[] = {
    {.cell = RKI_CELL_LSTM, .steps = 4, .batch = 13, .input = 20, .hidden = 24, .output = 24},
    {.cell = RKI_CELL_LSTM, .steps = 3, .batch = 5, .input = 7, .hidden = 9, .output = 9},
    {.cell = RKI_CELL_LSTM, .steps = 5, .batch = 33, .input = 40, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_LSTM, .steps = 2, .batch = 6, .input = 64, .hidden = 128, .output = 128},
    {.cell = RKI_CELL_GRU, .steps = 5, .batch = 33, .input = 40, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_TANH, .steps = 5, .batch = 14, .input = 11, .hidden = 70, .output = 70},
    {.cell = RKI_CELL_RELU, .steps = 4, .batch = 13, .input = 20, .hidden = 24, .output = 24},
    {.cell = RKI_CELL_GRU_BEFORE, .steps = 4, .batch = 13, .input = 20, .hidden = 24, .output = 24},
    {.cell = RKI_CELL_LSTM, .steps = 4, .batch = 13, .input = 20, .hidden = 24, .output = 10},
    {.cell = RKI_CELL_LSTM,
        .steps = 4,
        .batch = 7,
        .input = 20,
        .hidden = 33,
        .output = 33,
        .layer_norm = 1},
    {.cell = RKI_CELL_GRU,
        .steps = 4,
        .batch = 7,
        .input = 20,
        .hidden = 33,
        .output = 33,
        .layer_norm = 1},
};
enum { LAYERS = sizeof layers / sizeof layers[0], MOST_BATCH = 64 };

/* Rows of any length, and behind padding. */
static void draw_lengths(
    bench *b, problem *p, int32_t lengths[MOST_BATCH], int32_t starts[MOST_BATCH])
{
    for (int64_t row = 0; row < p->layer.batch; row++) {
        lengths[row] = (int32_t)draw(b, p->layer.steps + 1);
        starts[row] = (int32_t)draw(b, p->layer.steps - lengths[row] + 1);
    }
    p->layer.lengths = lengths;
    p->layer.starts = starts;
}

static problem numbered_problem(bench *b, int i)
{
    rki_recurrent layer = layers[i];
    layer.training = 1;
    return new_problem(b, layer);
}

static void on_every_device(void (*check)(const subject *on))
{
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        subject s = open_cpu(isa, 2);
        check(&s);
        close_subject(&s);
    }
    subject s = open_reference(RKI_FLOAT32);
    check(&s);
    close_subject(&s);
    if (!open_cuda(RKI_PRECISION_FULL, &s)) return;
    check(&s);
    close_subject(&s);
}

static void recurrent_rows(const subject *on)
{
    for (int i = 0; i < LAYERS; i++) {
        bench b = {.state = (uint64_t)i};
        problem p = numbered_problem(&b, i);
        int32_t lengths[MOST_BATCH], starts[MOST_BATCH];
        check_rows(on, &p);
        draw_lengths(&b, &p, lengths, starts);
        p.layer.starts = NULL;
        check_rows(on, &p);
        p.layer.starts = starts;
        p.layer.reverse = 1;
        check_rows(on, &p);
        free_problem(&p);
    }
}

/* NaN where a row does not live, in x and dy, reaches nothing: neither the row nor the weights. */
static void recurrent_padding(const subject *on)
{
    for (int i = 0; i < LAYERS; i++) {
        bench b = {.state = (uint64_t)i};
        problem p = numbered_problem(&b, i);
        const rki_recurrent *l = &p.layer;
        int32_t lengths[MOST_BATCH], starts[MOST_BATCH];
        draw_lengths(&b, &p, lengths, starts);
        p.layer.reverse = i % 2;
        outcome expected, got;
        run_problem(on, &p, &expected);
        for (int64_t t = 0; t < l->steps; t++) {
            for (int64_t row = 0; row < l->batch; row++) {
                if (t >= starts[row] && t < starts[row] + lengths[row]) continue;
                for (int64_t k = 0; k < l->input; k++)
                    p.x[(t * l->batch + row) * l->input + k] = (double)NAN;
                for (int64_t k = 0; k < l->output; k++)
                    p.dy[(t * l->batch + row) * l->output + k] = (double)NAN;
            }
        }
        run_problem(on, &p, &got);
        assert_identical("recurrent padding", on->name, &expected, &got);
        free_outcome(&expected);
        free_outcome(&got);
        free_problem(&p);
    }
}

enum { INPUTS = 37, CLASSES = 123, ROWS = 700 };

static void run_loss(const subject *on, const double *x, const double *weight,
    const int32_t *targets, int64_t rows, double smoothing, outcome *out)
{
    double loss;
    memset(out, 0, sizeof *out);
    bench b = {.on = on, .poison = -1, .out = out};
    rki_softmax_loss call = {.rows = rows,
        .inputs = INPUTS,
        .classes = CLASSES,
        .scale = 0.25,
        .smoothing = smoothing,
        .class_weight_sum = CLASSES,
        .targets = targets,
        .loss = &loss};
    label(&b, "rows=%d", (int)rows);
    call.x = upload(&b, x, rows * INPUTS);
    call.weight = upload(&b, weight, CLASSES * INPUTS);
    call.row_loss = unwritten(&b, rows);
    call.dx = unwritten(&b, rows * INPUTS);
    call.dweight = unwritten(&b, CLASSES * INPUTS);
    call.scratch = scratch(&b, on->ops->softmax_loss_scratch(on->self, &call));
    succeed(&b, on->ops->softmax_loss(on->self, &call));
    keep(&b, "row_loss", call.row_loss, rows);
    keep(&b, "dx", call.dx, rows * INPUTS);
    for (int i = 0; i < b.block_count; i++)
        on->ops->release(on->self, b.blocks[i]);
}

static void smoothed_loss_rows(const subject *on, double smoothing)
{
    bench b = {.state = 5};
    double *x = values(&b, ROWS * INPUTS, 1.0), *weight = values(&b, CLASSES * INPUTS, 1.0);
    int32_t targets[ROWS];
    for (int r = 0; r < ROWS; r++)
        targets[r] = (int32_t)draw(&b, CLASSES);
    outcome whole;
    run_loss(on, x, weight, targets, ROWS, smoothing, &whole);
    for (int64_t r = 0; r < ROWS; r += 23) {
        outcome expected = whole, got;
        run_loss(on, x + r * INPUTS, weight, targets + r, 1, smoothing, &got);
        expected.parts[0].values = whole.parts[0].values + r;
        expected.parts[0].count = 1;
        expected.parts[1].values = whole.parts[1].values + r * INPUTS;
        expected.parts[1].count = INPUTS;
        assert_same_row("softmax_loss row alone", on, &expected, &got);
        free_outcome(&got);
    }
    free_outcome(&whole);
    free(x);
    free(weight);
}

static void loss_rows(const subject *on)
{
    smoothed_loss_rows(on, 0.0);
    smoothed_loss_rows(on, 0.1);
}

static void test_recurrent_rows(void **state)
{
    (void)state;
    on_every_device(recurrent_rows);
}

static void test_recurrent_padding(void **state)
{
    (void)state;
    on_every_device(recurrent_padding);
}

static void test_loss_rows(void **state)
{
    (void)state;
    on_every_device(loss_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recurrent_rows),
        cmocka_unit_test(test_recurrent_padding),
        cmocka_unit_test(test_loss_rows),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
