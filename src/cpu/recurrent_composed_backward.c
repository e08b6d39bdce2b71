/* Composed steps back through time. See recurrent_composed.h, recurrent_backward.h; the gradients
 * are those of src/reference/recurrent_backward.c. */
#include <string.h>

#include "cpu/recurrent_backward.h"

/* Rows of weight_hh that are packed together. */
static int64_t first_rows(const rki_recurrent *layer)
{
    return layer->cell == RKI_CELL_GRU_BEFORE ? 2 * layer->hidden
                                              : rki_cell_gates(layer->cell) * layer->hidden;
}

int64_t rki_gradient_panels(const rki_cpu *cpu, const rki_recurrent *layer)
{
    return rki_packed_count(cpu, rki_cell_gates(layer->cell) * layer->hidden, layer->output);
}

void rki_gradient_pack(
    const rki_cpu *cpu, const rki_recurrent *layer, const float *weight_hh, float *panels)
{
    int64_t first = first_rows(layer), gates = rki_cell_gates(layer->cell) * layer->hidden;
    int64_t n = layer->output;
    rki_packed_make(cpu, first, n, weight_hh, n, 0, panels);
    if (first < gates)
        rki_packed_make(cpu, gates - first, n, weight_hh + first * n, n, 0,
            panels + rki_packed_count(cpu, first, n));
}

/* The rows of a step back. */
typedef struct step_rows {
    int64_t count, first, row;
    float *dh, *carry, *dz;
    const float *dshown; /* what reaches h' before the projection [hidden] */
} step_rows;

static size_t bytes_of(int64_t floats)
{
    return (size_t)floats * sizeof(float);
}

/* to[j] gets m d[j], and d[j] keeps (1 - m) d[j]; m is 0 or 1 here. */
static void part_with(const rki_backward_pass *p, int part, int64_t place, int64_t row,
    int64_t width, float *d, float *to)
{
    const float *mask = rki_zoneout_row(p->cpu, p->layer, part, place, &p->room, row);
    for (int64_t j = 0; j < width; j++) {
        to[j] = mask[j] != 0.0f ? d[j] : 0.0f;
        d[j] = mask[j] != 0.0f ? 0.0f : d[j];
    }
}

/* dh takes dy in; then zoneout and projection, back to h' before the projection. */
static void unwind_output(const rki_backward_pass *p, step_rows *s)
{
    int64_t output = p->layer->output, hidden = p->layer->hidden;
    for (int64_t i = 0; i < s->count; i++) {
        float *dh = s->dh + i * output;
        const float *dy = p->dy ? p->dy + (s->first + i) * p->lddy : NULL;
        for (int64_t j = 0; dy && j < output; j++)
            dh[j] += dy[j];
        if (p->layer->zoneout_h > 0)
            part_with(p, 0, rki_plan_place(&p->plan, s->first + i), s->row + i, output, dh,
                p->kept + (s->row + i) * output);
    }
    s->dshown = s->dh;
    if (output == hidden) return;
    float *down = p->down + s->row * hidden;
    memcpy(p->dshown + s->first * output, s->dh, bytes_of(s->count * output));
    rki_packed_product call = {.rows = s->count,
        .n = hidden,
        .k = output,
        .a = s->dh,
        .lda = output,
        .packed = p->panels_hr,
        .c = down,
        .ldc = hidden};
    rki_packed_run(p->cpu, &call);
    s->dshown = down;
}

static rki_cell_gradient cell_call(const rki_backward_pass *p, int64_t k, const step_rows *s)
{
    int64_t hidden = p->layer->hidden;
    rki_cell_gradient call = {.cell = p->layer->cell,
        .hidden = hidden,
        .count = s->count,
        .dy = s->dshown,
        .lddy = hidden,
        .gates = p->stash.gates + s->first * p->plan.gates,
        .carry = s->carry,
        .dz = s->dz};
    if (p->layer->cell == RKI_CELL_LSTM) {
        const float *c = p->stash.candidates ? p->stash.candidates : p->stash.cells;
        call.c = c + s->first * hidden;
        call.c_before = rki_gradient_c(p, k, s->row);
    }
    if (p->layer->cell == RKI_CELL_GRU) {
        call.reset = p->stash.reset + s->first * hidden;
        call.dn = p->dn + s->first * hidden;
    }
    if (p->layer->cell >= RKI_CELL_GRU) call.h_before = rki_gradient_h(p, k, s->row, &call.ldh);
    return call;
}

/* s (1 - s) d */
static float through_sigmoid(float d, float s)
{
    return d * (s * (1.0f - s));
}

static float through_tanh(float d, float t)
{
    return d * (1.0f - t * t);
}

/* An LSTM whose cell state is normalised before it is shown, one row. */
static void normal_lstm_row(
    const rki_backward_pass *p, const rki_cell_gradient *call, const step_rows *s, int64_t r)
{
    const rki_recurrent_weights *w = &p->call->weights;
    const float *gain = w->norm_c, *shift = w->norm_c_bias;
    int64_t hidden = p->layer->hidden, at = s->first + r;
    const float *i = call->gates + r * 4 * hidden, *f = i + hidden, *g = f + hidden;
    const float *o = g + hidden, *normal = p->stash.normal_c + at * hidden;
    const float *before = call->c_before + r * hidden, *down = s->dshown + r * hidden;
    float *dz = s->dz + r * 4 * hidden, *carry = s->carry + r * hidden;
    float *dcell = p->dcell + at * hidden, *shown = p->room.shown + (s->row + r) * hidden;
    for (int64_t j = 0; j < hidden; j++)
        shown[j] = gain[j] * normal[j] + shift[j];
    p->cpu->kernels->tanh(hidden, shown, shown);
    float *dc = p->room.u + (s->row + r) * 4 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        dz[3 * hidden + j] = through_sigmoid(down[j] * shown[j], o[j]);
        dcell[j] = through_tanh(down[j] * o[j], shown[j]);
        dc[j] = dcell[j] * gain[j];
    }
    rki_normalize_backward(normal, p->stash.scale[3 * at + 2], hidden, dc);
    for (int64_t j = 0; j < hidden; j++) {
        float d = dc[j] + carry[j];
        dz[j] = through_sigmoid(d * g[j], i[j]);
        dz[hidden + j] = through_sigmoid(d * before[j], f[j]);
        dz[2 * hidden + j] = through_tanh(d * i[j], g[j]);
        carry[j] = d * f[j];
    }
}

static void lstm_gradient(const rki_backward_pass *p, int64_t k, const step_rows *s)
{
    int64_t hidden = p->layer->hidden;
    rki_cell_gradient call = cell_call(p, k, s);
    /* By now room.candidates serves nobody. */
    float *kept = p->room.candidates ? p->room.candidates + s->row * hidden : NULL;
    int zoneout = p->layer->zoneout_c > 0;
    for (int64_t i = 0; zoneout && i < s->count; i++)
        part_with(p, 1, rki_plan_place(&p->plan, s->first + i), s->row + i, hidden,
            s->carry + i * hidden, kept + i * hidden);
    if (p->layer->layer_norm)
        for (int64_t i = 0; i < s->count; i++)
            normal_lstm_row(p, &call, s, i);
    else
        p->cpu->kernels->cell_gradient(&call);
    for (int64_t j = 0; zoneout && j < s->count * hidden; j++)
        s->carry[j] += kept[j];
}

/* A GRU whose reset comes before the product: carry is what h gets beside W_hh^T dz. */
static void gru_before_gradient(const rki_backward_pass *p, int64_t k, const step_rows *s)
{
    int64_t hidden = p->layer->hidden, gates = 3 * hidden;
    rki_cell_gradient call = cell_call(p, k, s);
    float *dreset = p->down + (p->layer->batch + s->row) * hidden;
    for (int64_t i = 0; i < s->count; i++) {
        const float *r = call.gates + i * gates, *z = r + hidden, *n = z + hidden;
        const float *h = call.h_before + i * call.ldh, *dh = s->dshown + i * hidden;
        float *dz = s->dz + i * gates, *inside = p->inside + (s->first + i) * hidden;
        for (int64_t j = 0; j < hidden; j++) {
            dz[hidden + j] = through_sigmoid(dh[j] * (h[j] - n[j]), z[j]);
            dz[2 * hidden + j] = through_tanh(dh[j] - dh[j] * z[j], n[j]);
            inside[j] = r[j] * h[j];
        }
    }
    rki_packed_product product = {.rows = s->count,
        .n = hidden,
        .k = hidden,
        .a = s->dz + 2 * hidden,
        .lda = gates,
        .packed = p->panels + rki_packed_count(p->cpu, 2 * hidden, hidden),
        .c = dreset,
        .ldc = hidden};
    rki_packed_run(p->cpu, &product);
    for (int64_t i = 0; i < s->count; i++) {
        const float *r = call.gates + i * gates, *z = r + hidden;
        const float *h = call.h_before + i * call.ldh, *dh = s->dshown + i * hidden;
        for (int64_t j = 0; j < hidden; j++) {
            float d = dreset[i * hidden + j];
            s->dz[i * gates + j] = through_sigmoid(d * h[j], r[j]);
            s->carry[i * hidden + j] = dh[j] * z[j] + d * r[j];
        }
    }
}

/* du of W_hh h, from dz of the sums. */
static void unwind_norm(const rki_backward_pass *p, const step_rows *s)
{
    const float *gain = p->call->weights.norm_hh;
    int64_t gates = p->plan.gates;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t at = s->first + i;
        float *du = p->du + at * gates;
        for (int64_t j = 0; j < gates; j++)
            du[j] = s->dz[i * gates + j] * gain[j];
        rki_normalize_backward(
            p->stash.normal_u + at * gates, p->stash.scale[3 * at + 1], gates, du);
    }
}

/* dh of the step before. */
static void unwind_state(const rki_backward_pass *p, const step_rows *s)
{
    int64_t output = p->layer->output;
    int gru = p->layer->cell == RKI_CELL_GRU || p->layer->cell == RKI_CELL_GRU_BEFORE;
    if (gru) memcpy(s->dh, s->carry, bytes_of(s->count * output));
    rki_packed_product call = {.rows = s->count,
        .n = output,
        .k = first_rows(p->layer),
        .a = p->du ? p->du + s->first * p->plan.gates : s->dz,
        .lda = p->plan.gates,
        .packed = p->panels,
        .add = gru,
        .c = s->dh,
        .ldc = output};
    rki_packed_run(p->cpu, &call);
    if (p->layer->zoneout_h == 0) return;
    const float *kept = p->kept + s->row * output;
    for (int64_t j = 0; j < s->count * output; j++)
        s->dh[j] += kept[j];
}

void rki_composed_gradient(const rki_backward_pass *p, int64_t k, int64_t begin, int64_t end)
{
    step_rows s = {.count = end - begin,
        .first = rki_plan_first(&p->plan, k) + begin,
        .row = begin,
        .dh = p->dh + begin * p->layer->output,
        .carry = p->carry + begin * p->layer->hidden};
    s.dz = p->dz + s.first * p->plan.gates;
    unwind_output(p, &s);
    if (p->layer->cell == RKI_CELL_LSTM) {
        lstm_gradient(p, k, &s);
    } else if (p->layer->cell == RKI_CELL_GRU_BEFORE) {
        gru_before_gradient(p, k, &s);
    } else {
        rki_cell_gradient call = cell_call(p, k, &s);
        p->cpu->kernels->cell_gradient(&call);
    }
    if (p->layer->layer_norm) unwind_norm(p, &s);
    unwind_state(p, &s);
}
