/* Products with weights in a format: a row has the same bits alone and in a batch, a single step
 * those of a sequence's; with int8 weights all instruction sets agree to the bit, and with packed ones
 * every product has the bits that it has with plain ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "bench.h"

enum { ROWS = 300, MOST_BATCH = 32 };

static const rki_format formats[] = {RKI_PACKED_BF16, RKI_INT8, RKI_PACKED};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static bench start(const subject *on, rki_format format, outcome *out)
{
    memset(out, 0, sizeof *out);
    return (bench){.on = on, .state = 11, .poison = -1, .format = format, .out = out};
}

static void finish(bench *b)
{
    for (int i = 0; i < b->block_count; i++)
        b->on->ops->release(b->on->self, b->blocks[i]);
}

/* Rows first .. first + m - 1 of x times the weight. */
static void product(const subject *on, rki_format format, int64_t first, int64_t m, int64_t n,
    int64_t k, outcome *out)
{
    bench b = start(on, format, out);
    rki_gemm call = {.transpose_b = 1, .m = m, .n = n, .k = k, .lda = k, .ldc = n};
    call.a = (float *)input(&b, ROWS * k, 1.0) + first * k;
    call.b = weight(&b, n, k, 1.0);
    call.b_format = held(&b);
    assert_int_equal(call.b_format, on->ops->formats == 0 ? RKI_PLAIN : format);
    call.b_rows = n;
    call.ldb = k;
    call.bias = input(&b, n, 1.0);
    call.c = unwritten(&b, m * n);
    label(&b, "first=%d m=%d n=%d k=%d", (int)first, (int)m, (int)n, (int)k);
    call.scratch = scratch(&b, on->ops->gemm_scratch(on->self, &call));
    succeed(&b, on->ops->gemm(on->self, &call));
    keep(&b, "c", call.c, m * n);
    finish(&b);
}

static void check_row(
    const subject *on, rki_format format, const outcome *whole, int64_t row, int64_t n, int64_t k)
{
    outcome alone, cut = *whole;
    product(on, format, row, 1, n, k, &alone);
    cut.parts[0].values = whole->parts[0].values + row * n;
    cut.parts[0].count = n;
    assert_identical("a row alone", on->name, &cut, &alone);
    free_outcome(&alone);
}

static void check_rows(const subject *on, rki_format format)
{
    static const int64_t sizes[][3] = {{7, 129, 70}, {64, 33, 200}, {ROWS, 70, 1100}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int64_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
        outcome whole;
        product(on, format, 0, m, n, k, &whole);
        for (int64_t row = 0; row < m; row += 1 + m / 9)
            check_row(on, format, &whole, row, n, k);
        free_outcome(&whole);
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        subject s = open_cpu(isa, 2);
        for (int f = 0; f < FORMATS; f++)
            check_rows(&s, formats[f]);
        close_subject(&s);
    }
}

static void test_int8_is_the_same_everywhere(void **state)
{
    (void)state;
    outcome expected, got;
    subject first = open_cpu(0, 1);
    product(&first, RKI_INT8, 0, ROWS, 70, 1100, &expected);
    for (int32_t isa = 1; isa < isa_count(); isa++) {
        subject s = open_cpu(isa, 2);
        product(&s, RKI_INT8, 0, ROWS, 70, 1100, &got);
        assert_identical("int8", s.name, &expected, &got);
        free_outcome(&got);
        close_subject(&s);
    }
    free_outcome(&expected);
    close_subject(&first);
}

/* Steps. */

static const rki_recurrent layers[] = {
    {.cell = RKI_CELL_LSTM, .batch = 3, .input = 20, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_LSTM, .batch = 13, .input = 20, .hidden = 65, .output = 30},
    {.cell = RKI_CELL_LSTM, .batch = 2, .input = 20, .hidden = 33, .output = 33, .layer_norm = 1},
    {.cell = RKI_CELL_GRU, .batch = 3, .input = 20, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_GRU, .batch = 3, .input = 20, .hidden = 33, .output = 33, .layer_norm = 1},
    {.cell = RKI_CELL_GRU_BEFORE, .batch = 3, .input = 20, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_TANH, .batch = 1, .input = 20, .hidden = 65, .output = 65},
    {.cell = RKI_CELL_RELU, .batch = MOST_BATCH, .input = 20, .hidden = 65, .output = 65},
};
enum { LAYERS = sizeof layers / sizeof layers[0], STEPS = 4 };

typedef struct stream {
    rki_recurrent layer;
    rki_recurrent_weights weights;
    float *x, *h, *c;
} stream;

static stream new_stream(bench *b, const rki_recurrent *kind)
{
    stream s = {.layer = *kind};
    int64_t gates = rki_cell_gates(kind->cell) * kind->hidden;
    s.layer.format = held(b);
    s.weights.weight_ih = weight(b, gates, kind->input, 0.4);
    s.weights.weight_hh = weight(b, gates, kind->output, 0.2);
    s.weights.bias_ih = input(b, gates, 1.0);
    s.weights.bias_hh = input(b, gates, 1.0);
    if (kind->output < kind->hidden)
        s.weights.weight_hr = weight(b, kind->output, kind->hidden, 0.2);
    if (kind->layer_norm) {
        s.weights.norm_ih = input(b, gates, 0.3);
        s.weights.norm_hh = input(b, gates, 0.3);
        s.weights.norm_c = input(b, kind->hidden, 1.0);
        s.weights.norm_c_bias = input(b, kind->hidden, 1.0);
    }
    s.x = input(b, STEPS * kind->batch * kind->input, 1.0);
    s.h = input(b, kind->batch * kind->output, 1.0);
    s.c = input(b, kind->batch * kind->hidden, 1.0);
    return s;
}

static void run_sequence(const subject *on, rki_format format, int i, outcome *out)
{
    bench b = start(on, format, out);
    stream s = new_stream(&b, &layers[i]);
    int lstm = s.layer.cell == RKI_CELL_LSTM;
    int64_t h_count = s.layer.batch * s.layer.output;
    s.layer.steps = STEPS;
    rki_recurrent_forward call = {.layer = s.layer,
        .weights = s.weights,
        .x = s.x,
        .h0 = s.h,
        .c0 = lstm ? s.c : NULL,
        .y = unwritten(&b, STEPS * h_count),
        .ldy = s.layer.output,
        .hn = unwritten(&b, h_count),
        .cn = lstm ? unwritten(&b, s.layer.batch * s.layer.hidden) : NULL};
    label(&b, "layer %d", i);
    call.scratch = scratch(&b, on->ops->recurrent_forward_scratch(on->self, &s.layer));
    succeed(&b, on->ops->recurrent_forward(on->self, &call));
    keep(&b, "h", call.hn, h_count);
    finish(&b);
}

static void run_steps(const subject *on, rki_format format, int i, outcome *out)
{
    bench b = start(on, format, out);
    stream s = new_stream(&b, &layers[i]);
    s.layer.steps = 1;
    rki_recurrent_step call = {.layer = s.layer, .weights = s.weights, .h = s.h};
    if (s.layer.cell == RKI_CELL_LSTM) call.c = s.c;
    label(&b, "layer %d", i);
    call.scratch = scratch(&b, on->ops->recurrent_step_scratch(on->self, &s.layer));
    for (int64_t t = 0; t < STEPS; t++) {
        call.x = s.x + t * s.layer.batch * s.layer.input;
        succeed(&b, on->ops->recurrent_step(on->self, &call));
    }
    keep(&b, "h", call.h, s.layer.batch * s.layer.output);
    finish(&b);
}

static void test_steps_are_a_sequence(void **state)
{
    (void)state;
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        subject s = open_cpu(isa, 2);
        for (int i = 0; i < FORMATS * LAYERS; i++) {
            outcome whole, steps;
            run_sequence(&s, formats[i % FORMATS], i / FORMATS, &whole);
            run_steps(&s, formats[i % FORMATS], i / FORMATS, &steps);
            assert_identical("steps", s.name, &whole, &steps);
            free_outcome(&whole);
            free_outcome(&steps);
        }
        close_subject(&s);
    }
}

/* Packed weights are plain ones, rounded or not, in another place. */

typedef void (*running)(const subject *on, rki_format format, int i, outcome *out);

static void run_product(const subject *on, rki_format format, int i, outcome *out)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {1, 33, 130}, {5, 70, 33}, {6, 200, 70},
        {7, 129, 513}, {40, 15, 64}, {40, 130, 1100}, {ROWS, 97, 70}, {ROWS, 1, 600}};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    const int64_t *size = sizes[i % SIZES];
    product(on, format, 0, size[0], size[1], size[2], out);
}

static void check_same(
    const subject *one, const subject *two, rki_format format, running run, int count)
{
    subject unheld = *one; /* is given what the format rounds weights to */
    rki_backend ops = *one->ops;
    ops.formats = 0;
    unheld.ops = &ops;
    for (int i = 0; i < count; i++) {
        outcome plain, packed, shared;
        run(&unheld, format, i, &plain);
        run(one, format, i, &packed);
        run(two, format, i, &shared);
        assert_identical("packed", one->name, &plain, &packed);
        assert_identical("packed, two threads", one->name, &plain, &shared);
        free_outcome(&plain);
        free_outcome(&packed);
        free_outcome(&shared);
    }
}

static void test_packed_is_plain(void **state)
{
    (void)state;
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        subject one = open_cpu(isa, 1), two = open_cpu(isa, 2);
        for (int f = 0; f < FORMATS; f++) {
            if (!rki_format_packed(formats[f])) continue;
            check_same(&one, &two, formats[f], run_product, 9);
            check_same(&one, &two, formats[f], run_sequence, LAYERS);
            check_same(&one, &two, formats[f], run_steps, LAYERS);
        }
        close_subject(&one);
        close_subject(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_int8_is_the_same_everywhere),
        cmocka_unit_test(test_steps_are_a_sequence),
        cmocka_unit_test(test_packed_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
