/* Composed steps, forward. See recurrent_composed.h. */
#include "cpu/recurrent_composed.h"

#include <math.h>
#include <string.h>

#include "cpu/dropout.h"
#include "cpu/format_product.h"
#include "cpu/gemm.h"

enum { DRAWS = 4 * RKI_MOST_LANES, PARTS = 8 };

static int64_t widest(const rki_recurrent *layer)
{
    return (layer->output > layer->hidden ? layer->output : layer->hidden) + DRAWS;
}

rki_composed_room rki_composed_cut(rki_pieces *pieces, const rki_recurrent *layer)
{
    rki_composed_room room = {0};
    int64_t units = layer->batch * layer->hidden;
    int lstm = layer->cell == RKI_CELL_LSTM;
    room.u = rki_take_floats(pieces, rki_cell_gates(layer->cell) * units);
    if (layer->cell == RKI_CELL_GRU) room.reset = rki_take_floats(pieces, units);
    if (lstm && (layer->layer_norm || layer->zoneout_c > 0))
        room.candidates = rki_take_floats(pieces, units);
    room.shown = rki_take_floats(pieces, units);
    if (layer->zoneout_h > 0 || layer->zoneout_c > 0) {
        room.mask = rki_take_floats(pieces, layer->batch * widest(layer));
        room.ones = rki_take_floats(pieces, widest(layer));
    }
    if (layer->format == RKI_INT8) {
        room.ready_step = rki_int8_ready(widest(layer));
        room.ready = rki_pieces_take(pieces, (size_t)layer->batch * room.ready_step);
    }
    if (pieces->block && room.ones)
        for (int64_t j = 0; j < widest(layer); j++)
            room.ones[j] = 1.0f;
    return room;
}

/* Layer norm. */

/* Sums in several parts, in fixed order, so that the compiler may use vectors. */
static double sum_of(const double part[PARTS])
{
    return ((part[0] + part[1]) + (part[2] + part[3])) +
           ((part[4] + part[5]) + (part[6] + part[7]));
}

float rki_normalize(float *v, int64_t count)
{
    double sum[PARTS] = {0}, square[PARTS] = {0};
    for (int64_t i = 0; i < count; i++)
        sum[i % PARTS] += v[i];
    double mean = sum_of(sum) / (double)count;
    for (int64_t i = 0; i < count; i++)
        square[i % PARTS] += (v[i] - mean) * (v[i] - mean);
    double scale = 1.0 / sqrt(sum_of(square) / (double)count + RKI_NORM_EPSILON);
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)((v[i] - mean) * scale);
    return (float)scale;
}

void rki_normalize_backward(const float *v, float scale, int64_t count, float *dv)
{
    double sum[PARTS] = {0}, along[PARTS] = {0};
    for (int64_t i = 0; i < count; i++) {
        sum[i % PARTS] += dv[i];
        along[i % PARTS] += (double)dv[i] * v[i];
    }
    double mean = sum_of(sum) / (double)count, slope = sum_of(along) / (double)count;
    for (int64_t i = 0; i < count; i++)
        dv[i] = (float)(scale * (dv[i] - mean - v[i] * slope));
}

/* Zoneout. */

const float *rki_zoneout_row(const rki_cpu *cpu, const rki_recurrent *layer, int part,
    int64_t place, const rki_composed_room *room, int64_t row)
{
    if (!layer->training) return NULL;
    int64_t width = part == 0 ? layer->output : layer->hidden;
    int64_t first = place * width, from = first / DRAWS * DRAWS;
    double rate = part == 0 ? layer->zoneout_h : layer->zoneout_c;
    float *mask = room->mask + row * widest(layer);
    rki_random random = layer->random;
    random.stream += (uint32_t)part;
    rki_dropout_draws draws = rki_dropout_prepare(cpu, random, layer->random_step, rate);
    cpu->kernels->dropout(&draws, from, first + width - from, room->ones, 0, mask);
    for (int64_t j = 0; j < width; j++)
        mask[first - from + j] = mask[first - from + j] == 0.0f ? 1.0f : 0.0f;
    return mask + (first - from);
}

/* next = m before + (1 - m) next */
static void mix(const rki_forward_pass *p, int part, int64_t place, int64_t row, int64_t width,
    const float *before, float *next)
{
    float rate = (float)(part == 0 ? p->layer->zoneout_h : p->layer->zoneout_c);
    const float *mask = rki_zoneout_row(p->cpu, p->layer, part, place, &p->room, row);
    for (int64_t j = 0; j < width; j++) {
        if (mask)
            next[j] = mask[j] != 0.0f ? before[j] : next[j];
        else
            next[j] = rate * before[j] + (1.0f - rate) * next[j];
    }
}

/* Products. */

/* A weight of a layer, or some of its rows. */
typedef struct step_weight {
    const float *panels; /* or NULL: the weight is read where it lies */
    const void *whole;
    int64_t rows, first, k; /* rows of the whole weight; the first that is wanted; columns */
} step_weight;

static rki_gemm product_in_place(
    const rki_forward_pass *p, step_weight weight, const rki_packed_product *call)
{
    int plain = p->layer->format == RKI_PLAIN;
    return (rki_gemm){.transpose_b = 1,
        .accumulate = call->add,
        .m = call->rows,
        .n = call->n,
        .k = weight.k,
        .a = call->a,
        .lda = call->lda,
        .b = plain ? (const float *)weight.whole + weight.first * weight.k : weight.whole,
        .ldb = weight.k,
        .bias = call->bias,
        .c = call->c,
        .ldc = call->ldc,
        .b_format = p->layer->format,
        .b_rows = weight.rows,
        .b_first = weight.first};
}

/* c (+)= a weight^T + bias, for rows of the batch from `row` on. */
static void product(
    const rki_forward_pass *p, step_weight weight, int64_t row, rki_packed_product call)
{
    if (weight.panels) {
        call.k = weight.k;
        call.packed = weight.panels;
        rki_packed_run(p->cpu, &call);
        return;
    }
    rki_gemm gemm = product_in_place(p, weight, &call);
    gemm.scratch = p->room.ready ? p->room.ready + (size_t)row * p->room.ready_step : p->gemm;
    rki_gemm_run(p->cpu, &gemm, NULL);
}

/* Rows of weight_hh that are packed together: a GRU without layer norm has those of n by
 * themselves. */
static int64_t first_rows(const rki_recurrent *layer)
{
    int gru = layer->cell == RKI_CELL_GRU || layer->cell == RKI_CELL_GRU_BEFORE;
    return gru && !layer->layer_norm ? 2 * layer->hidden
                                     : rki_cell_gates(layer->cell) * layer->hidden;
}

int64_t rki_composed_panels(const rki_cpu *cpu, const rki_recurrent *layer)
{
    int64_t first = first_rows(layer), gates = rki_cell_gates(layer->cell) * layer->hidden;
    return rki_packed_count(cpu, layer->output, first) +
           rki_packed_count(cpu, layer->output, gates - first);
}

void rki_composed_pack(
    const rki_cpu *cpu, const rki_recurrent *layer, const float *weight_hh, float *panels)
{
    int64_t first = first_rows(layer), gates = rki_cell_gates(layer->cell) * layer->hidden;
    int64_t k = layer->output;
    rki_packed_make(cpu, k, first, weight_hh, k, 1, panels);
    if (first < gates)
        rki_packed_make(cpu, k, gates - first, weight_hh + first * k, k, 1,
            panels + rki_packed_count(cpu, k, first));
}

/* The rows of a step, with what each needs. */
typedef struct step_rows {
    int64_t count, first; /* first: packed row */
    int64_t row;          /* the first's place in the plan's order */
    const float *h_before, *c_before;
    int64_t ld_before;
    float *z, *reset, *shown, *candidates, *h, *c;
    int64_t ld_shown;
} step_rows;

const float *rki_h_before(const rki_forward_pass *p, int64_t k, int64_t begin, int64_t *stride)
{
    *stride = k > 0 ? p->ldh : p->layer->output;
    return k > 0 ? p->h + (rki_plan_first(&p->plan, k - 1) + begin) * p->ldh
                 : p->h0 + begin * p->layer->output;
}

static step_rows find_rows(const rki_forward_pass *p, int64_t k, int64_t begin, int64_t end)
{
    int64_t hidden = p->layer->hidden;
    int lstm = p->layer->cell == RKI_CELL_LSTM, training = p->layer->training;
    step_rows s = {.count = end - begin, .row = begin};
    s.first = rki_plan_first(&p->plan, k) + begin;
    s.h_before = rki_h_before(p, k, begin, &s.ld_before);
    s.z = p->z + (s.first - p->z_first) * p->plan.gates;
    s.h = p->h + s.first * p->ldh;
    if (lstm && training) {
        s.c = p->stash.cells + s.first * hidden;
        s.c_before = k > 0 ? p->stash.cells + (rki_plan_first(&p->plan, k - 1) + begin) * hidden
                           : p->c0 + begin * hidden;
    } else if (lstm) {
        s.c = p->c + begin * hidden;
        s.c_before = k > 0 ? s.c : p->c0 + begin * hidden;
    }
    s.candidates = s.c;
    if (p->room.candidates)
        s.candidates =
            training ? p->stash.candidates + s.first * hidden : p->room.candidates + begin * hidden;
    if (p->layer->cell == RKI_CELL_GRU)
        s.reset = training ? p->stash.reset + s.first * hidden : p->room.reset + begin * hidden;
    s.shown = s.h;
    s.ld_shown = p->ldh;
    if (p->layer->output != hidden) {
        s.shown = training ? p->stash.shown + s.first * hidden : p->room.shown + begin * hidden;
        s.ld_shown = hidden;
    }
    return s;
}

/* z and reset are complete afterwards, where nothing is normalised. */
static void add_state(const rki_forward_pass *p, const step_rows *s)
{
    int64_t hidden = p->layer->hidden, gates = p->plan.gates;
    int gru = p->layer->cell >= RKI_CELL_GRU && p->layer->cell != RKI_CELL_LSTM;
    rki_packed_product call = {.rows = s->count,
        .n = gru ? 2 * hidden : gates,
        .a = s->h_before,
        .lda = s->ld_before,
        .add = 1,
        .c = s->z,
        .ldc = gates};
    step_weight weight = {p->panels, p->weights->weight_hh, gates, 0, p->layer->output};
    product(p, weight, s->row, call);
    if (p->layer->cell != RKI_CELL_GRU) return;
    call.n = hidden;
    call.add = 0;
    call.bias = rki_recurrent_bias_n(p->layer, p->weights);
    call.c = s->reset;
    call.ldc = hidden;
    if (p->panels) weight.panels += rki_packed_count(p->cpu, p->layer->output, 2 * hidden);
    weight.first = 2 * hidden;
    product(p, weight, s->row, call);
}

/* gain v + bias */
static float affine(const float *gain, const float *bias, int64_t j, float v)
{
    return gain[j] * v + (bias ? bias[j] : 0.0f);
}

/* The same with layer norm: z holds the plain W_ih x. */
static void add_normal_state(const rki_forward_pass *p, const step_rows *s)
{
    const rki_recurrent_weights *w = p->weights;
    int64_t gates = p->plan.gates, hidden = p->layer->hidden;
    int64_t both = p->layer->cell == RKI_CELL_GRU ? 2 * hidden : gates;
    float *u = p->room.u + s->row * gates;
    rki_packed_product call = {
        .rows = s->count, .n = gates, .a = s->h_before, .lda = s->ld_before, .c = u, .ldc = gates};
    step_weight weight = {p->panels, w->weight_hh, gates, 0, p->layer->output};
    product(p, weight, s->row, call);
    for (int64_t i = 0; i < s->count; i++, u += gates) {
        float *z = s->z + i * gates;
        float scale_a = rki_normalize(z, gates), scale_u = rki_normalize(u, gates);
        if (p->layer->training) {
            size_t bytes = (size_t)gates * sizeof(float);
            memcpy(p->stash.normal_a + (s->first + i) * gates, z, bytes);
            memcpy(p->stash.normal_u + (s->first + i) * gates, u, bytes);
            p->stash.scale[3 * (s->first + i)] = scale_a;
            p->stash.scale[3 * (s->first + i) + 1] = scale_u;
        }
        for (int64_t j = 0; j < gates; j++)
            z[j] = affine(w->norm_ih, w->bias_ih, j, z[j]);
        for (int64_t j = 0; j < both; j++)
            z[j] += affine(w->norm_hh, w->bias_hh, j, u[j]);
        for (int64_t j = both; j < gates; j++)
            s->reset[i * hidden + j - both] = affine(w->norm_hh, w->bias_hh, j, u[j]);
    }
}

/* The cell of a GRU whose reset comes before the product: z holds the sums of r and z. */
static void gru_before(const rki_forward_pass *p, const step_rows *s)
{
    int64_t hidden = p->layer->hidden, gates = 3 * hidden;
    float *inside = p->room.shown + s->row * hidden;
    for (int64_t i = 0; i < s->count; i++) {
        float *z = s->z + i * gates;
        const float *h = s->h_before + i * s->ld_before;
        p->cpu->kernels->sigmoid(2 * hidden, z, z);
        for (int64_t j = 0; j < hidden; j++)
            inside[i * hidden + j] = z[j] * h[j];
    }
    rki_packed_product call = {.rows = s->count,
        .n = hidden,
        .a = inside,
        .lda = hidden,
        .add = 1,
        .c = s->z + 2 * hidden,
        .ldc = gates};
    step_weight weight = {p->panels, p->weights->weight_hh, gates, 2 * hidden, hidden};
    if (p->panels) weight.panels += rki_packed_count(p->cpu, hidden, 2 * hidden);
    product(p, weight, s->row, call);
    for (int64_t i = 0; i < s->count; i++) {
        const float *z = s->z + i * gates + hidden, *h = s->h_before + i * s->ld_before;
        float *n = s->z + i * gates + 2 * hidden, *to = s->h + i * p->ldh;
        p->cpu->kernels->tanh(hidden, n, n);
        for (int64_t j = 0; j < hidden; j++)
            to[j] = n[j] + z[j] * (h[j] - n[j]);
    }
}

/* h' of an LSTM whose cell state is normalised before it is shown; the gates are in z. */
static void show_normal(const rki_forward_pass *p, const step_rows *s)
{
    int64_t hidden = p->layer->hidden;
    for (int64_t i = 0; i < s->count; i++) {
        float *shown = s->shown + i * s->ld_shown;
        const float *o = s->z + i * p->plan.gates + 3 * hidden;
        memcpy(shown, s->candidates + i * hidden, (size_t)hidden * sizeof(float));
        float scale = rki_normalize(shown, hidden);
        if (p->layer->training) {
            memcpy(
                p->stash.normal_c + (s->first + i) * hidden, shown, (size_t)hidden * sizeof(float));
            p->stash.scale[3 * (s->first + i) + 2] = scale;
        }
        for (int64_t j = 0; j < hidden; j++)
            shown[j] = affine(p->weights->norm_c, p->weights->norm_c_bias, j, shown[j]);
        p->cpu->kernels->tanh(hidden, shown, shown);
        for (int64_t j = 0; j < hidden; j++)
            shown[j] *= o[j];
    }
}

static void run_cells(const rki_forward_pass *p, const step_rows *s)
{
    int normal_lstm = p->layer->layer_norm && p->layer->cell == RKI_CELL_LSTM;
    rki_cell_step cells = {.cell = p->layer->cell,
        .hidden = p->layer->hidden,
        .count = s->count,
        .h = s->h_before,
        .ldh = s->ld_before,
        .c = s->c_before,
        .z = s->z,
        .reset = s->reset,
        .keep = p->layer->training || normal_lstm,
        .h_next = s->shown,
        .ldh_next = s->ld_shown,
        .c_next = s->candidates};
    p->cpu->kernels->cell_step(&cells);
    if (normal_lstm) show_normal(p, s);
}

/* h and c of the step, from h' and c'. */
static void advance(const rki_forward_pass *p, const step_rows *s)
{
    int64_t hidden = p->layer->hidden, output = p->layer->output;
    if (output != hidden) {
        rki_packed_product call = {
            .rows = s->count, .n = output, .a = s->shown, .lda = hidden, .c = s->h, .ldc = p->ldh};
        step_weight weight = {p->panels_hr, p->weights->weight_hr, output, 0, hidden};
        product(p, weight, s->row, call);
    }
    for (int64_t i = 0; p->layer->zoneout_h > 0 && i < s->count; i++)
        mix(p, 0, rki_plan_place(&p->plan, s->first + i), s->row + i, output,
            s->h_before + i * s->ld_before, s->h + i * p->ldh);
    if (s->candidates == s->c) return;
    for (int64_t i = 0; i < s->count; i++) {
        const float *from = s->candidates + i * hidden, *before = s->c_before + i * hidden;
        float *c = s->c + i * hidden;
        float rate = (float)p->layer->zoneout_c;
        const float *mask = NULL;
        if (rate > 0)
            mask = rki_zoneout_row(
                p->cpu, p->layer, 1, rki_plan_place(&p->plan, s->first + i), &p->room, s->row + i);
        for (int64_t j = 0; j < hidden; j++)
            c[j] = mask       ? (mask[j] != 0.0f ? before[j] : from[j])
                   : rate > 0 ? rate * before[j] + (1.0f - rate) * from[j]
                              : from[j];
    }
}

void rki_composed_step(const rki_forward_pass *p, int64_t k, int64_t begin, int64_t end)
{
    step_rows s = find_rows(p, k, begin, end);
    if (p->layer->layer_norm)
        add_normal_state(p, &s);
    else
        add_state(p, &s);
    if (p->layer->cell == RKI_CELL_GRU_BEFORE)
        gru_before(p, &s);
    else
        run_cells(p, &s);
    advance(p, &s);
}
