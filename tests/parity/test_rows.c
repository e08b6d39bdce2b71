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
    int64_t steps, batch, input, hidden;
    const int32_t *lengths;
    double *x, *h0, *c0, *dy, *dhn, *dcn;
    double *weight_ih, *weight_hh, *bias;
} problem;

static double *values(bench *b, int64_t count, double scale)
{
    double *v = malloc((size_t)count * sizeof(double));
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (double)(float)(scale * draw_value(b));
    return v;
}

static problem new_problem(bench *b, int64_t steps, int64_t batch, int64_t input, int64_t hidden)
{
    problem p = {.steps = steps, .batch = batch, .input = input, .hidden = hidden};
    p.x = values(b, steps * batch * input, 1.0);
    p.h0 = values(b, batch * hidden, 1.0);
    p.c0 = values(b, batch * hidden, 1.0);
    p.dy = values(b, steps * batch * hidden, 1.0);
    p.dhn = values(b, batch * hidden, 1.0);
    p.dcn = values(b, batch * hidden, 1.0);
    p.weight_ih = values(b, 4 * hidden * input, 2.0 / sqrt((double)input));
    p.weight_hh = values(b, 4 * hidden * hidden, 2.0 / sqrt((double)hidden));
    p.bias = values(b, 4 * hidden, 1.0);
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
    free_arrays(p);
    free(p->weight_ih);
    free(p->weight_hh);
    free(p->bias);
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
    problem row = *p;
    row.batch = 1;
    if (p->lengths) row.lengths = p->lengths + b;
    row.x = cut(p->x, p->steps, p->batch, b, p->input);
    row.h0 = cut(p->h0, 1, p->batch, b, p->hidden);
    row.c0 = cut(p->c0, 1, p->batch, b, p->hidden);
    row.dy = cut(p->dy, p->steps, p->batch, b, p->hidden);
    row.dhn = cut(p->dhn, 1, p->batch, b, p->hidden);
    row.dcn = cut(p->dcn, 1, p->batch, b, p->hidden);
    return row;
}

static void run_backward(bench *b, const problem *p, const rki_recurrent_forward *forward)
{
    int64_t state = p->batch * p->hidden;
    rki_recurrent_backward call = {.layer = forward->layer,
        .weights = forward->weights,
        .x = forward->x,
        .ldy = p->hidden,
        .lddy = p->hidden,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .stash = forward->stash};
    call.dy = upload(b, p->dy, p->steps * state);
    call.dhn = upload(b, p->dhn, state);
    call.dcn = upload(b, p->dcn, state);
    call.dx = unwritten(b, p->steps * p->batch * p->input);
    call.dh0 = unwritten(b, state);
    call.dc0 = unwritten(b, state);
    call.gradients.weight_ih = input(b, 4 * p->hidden * p->input, 0.0);
    call.gradients.weight_hh = input(b, 4 * p->hidden * p->hidden, 0.0);
    call.gradients.bias_ih = input(b, 4 * p->hidden, 0.0);
    call.gradients.bias_hh = input(b, 4 * p->hidden, 0.0);
    call.scratch = scratch(b, b->on->ops->recurrent_backward_scratch(b->on->self, &call.layer));
    succeed(b, b->on->ops->recurrent_backward(b->on->self, &call));
    keep(b, "dx", call.dx, p->steps * p->batch * p->input);
    keep(b, "dh0", call.dh0, state);
    keep(b, "dc0", call.dc0, state);
    keep(b, "dweight_ih", call.gradients.weight_ih, 4 * p->hidden * p->input);
    keep(b, "dweight_hh", call.gradients.weight_hh, 4 * p->hidden * p->hidden);
    keep(b, "dbias_ih", call.gradients.bias_ih, 4 * p->hidden);
    keep(b, "dbias_hh", call.gradients.bias_hh, 4 * p->hidden);
}

/* The parts of an outcome, in this order. */
enum { Y, HN, CN, DX, DH0, DC0, PER_ROW, ALL = PER_ROW + 4 };

static void run_problem(const subject *on, const problem *p, outcome *out)
{
    memset(out, 0, sizeof *out);
    bench b = {.on = on, .poison = -1, .out = out};
    int64_t state = p->batch * p->hidden;
    rki_recurrent_forward call = {.layer = {.cell = RKI_CELL_LSTM,
                                      .steps = p->steps,
                                      .batch = p->batch,
                                      .input = p->input,
                                      .hidden = p->hidden,
                                      .output = p->hidden,
                                      .training = 1,
                                      .lengths = p->lengths},
        .ldy = p->hidden};
    label(&b, "T=%d B=%d I=%d H=%d", (int)p->steps, (int)p->batch, (int)p->input, (int)p->hidden);
    call.x = upload(&b, p->x, p->steps * p->batch * p->input);
    call.weights.weight_ih = upload(&b, p->weight_ih, 4 * p->hidden * p->input);
    call.weights.weight_hh = upload(&b, p->weight_hh, 4 * p->hidden * p->hidden);
    call.weights.bias_ih = upload(&b, p->bias, 4 * p->hidden);
    call.weights.bias_hh = upload(&b, p->bias, 4 * p->hidden);
    call.h0 = upload(&b, p->h0, state);
    call.c0 = upload(&b, p->c0, state);
    call.y = unwritten(&b, p->steps * state);
    call.hn = unwritten(&b, state);
    call.cn = unwritten(&b, state);
    call.stash = scratch(&b, on->ops->recurrent_stash(on->self, &call.layer));
    call.scratch = scratch(&b, on->ops->recurrent_forward_scratch(on->self, &call.layer));
    succeed(&b, on->ops->recurrent_forward(on->self, &call));
    keep(&b, "y", call.y, p->steps * state);
    keep(&b, "hn", call.hn, state);
    keep(&b, "cn", call.cn, state);
    run_backward(&b, p, &call);
    assert_int_equal(out->count, ALL);
    for (int i = 0; i < b.block_count; i++)
        on->ops->release(on->self, b.blocks[i]);
}

/* What the whole batch's outcome says about row b, for comparison with the row alone. */
static void cut_outcome(const problem *p, const outcome *whole, int64_t b, outcome *row)
{
    *row = *whole;
    row->count = PER_ROW;
    for (int i = 0; i < PER_ROW; i++) {
        int64_t steps = i == Y || i == DX ? p->steps : 1;
        int64_t width = i == DX ? p->input : p->hidden;
        row->parts[i].values = cut(whole->parts[i].values, steps, p->batch, b, width);
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
    for (int64_t b = 0; b < p->batch; b++) {
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

/* Sizes that take different ways through a kernel: few rows and many, narrow and wide. */
static const int64_t sizes[][4] = {{4, 13, 20, 24}, {3, 5, 7, 9}, {5, 33, 40, 65}, {2, 6, 64, 128}};
enum { SIZES = sizeof sizes / sizeof sizes[0], MOST_BATCH = 64 };

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
    if (!open_cuda(&s)) return;
    check(&s);
    close_subject(&s);
}

static void recurrent_rows(const subject *on)
{
    for (int i = 0; i < SIZES; i++) {
        bench b = {.state = (uint64_t)i};
        problem p = new_problem(&b, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        check_rows(on, &p);
        int32_t lengths[MOST_BATCH];
        for (int64_t row = 0; row < p.batch; row++)
            lengths[row] = (int32_t)draw(&b, p.steps + 1);
        p.lengths = lengths;
        check_rows(on, &p);
        free_problem(&p);
    }
}

/* NaN behind the end of a row, in x and dy, reaches nothing: neither the row nor the weights. */
static void recurrent_padding(const subject *on)
{
    for (int i = 0; i < SIZES; i++) {
        bench b = {.state = (uint64_t)i};
        problem p = new_problem(&b, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        int32_t lengths[MOST_BATCH];
        for (int64_t row = 0; row < p.batch; row++)
            lengths[row] = (int32_t)draw(&b, p.steps + 1);
        p.lengths = lengths;
        outcome expected, got;
        run_problem(on, &p, &expected);
        for (int64_t t = 0; t < p.steps; t++) {
            for (int64_t row = 0; row < p.batch; row++) {
                if (t < lengths[row]) continue;
                for (int64_t k = 0; k < p.input; k++)
                    p.x[(t * p.batch + row) * p.input + k] = (double)NAN;
                for (int64_t k = 0; k < p.hidden; k++)
                    p.dy[(t * p.batch + row) * p.hidden + k] = (double)NAN;
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
