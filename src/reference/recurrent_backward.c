/* Gradients of the recurrent layer of recurrent_forward.c, back through time.
 *
 * With dh = dL/dh_t (what y passes on plus what the next step sends back), dc = dL/dc_t and the
 * record of the step, and sigmoid'(s) = s (1 - s), tanh'(s) = 1 - tanh(s)^2 of their values:
 *
 *   zoneout     dh' = (1 - m) dh, and m dh goes on to h_{t-1}; c alike
 *   projection  d(shown) = W_hr^T dh'      dW_hr += dh' shown^T
 *   Elman       ds = dh' f'(s)
 *   GRU         dn = dh' (1 - z)   dz = dh' (h - n)   h_{t-1} gets dh' z   d(s_n) = dn (1 - n^2)
 *               dr = d(s_n) (u_n + b_hh_n), and the product with h sees d(s_n) r
 *   GRU_BEFORE  d(r h) = W_hh_n^T d(s_n)   dr = d(r h) h   h_{t-1} gets d(r h) r
 *   LSTM        do = dh' tanh(c')  dc' = (1 - m) dc + dh' o (1 - tanh(c')^2)
 *               di = dc' g   df = dc' c_{t-1}   dg = dc' i   c_{t-1} gets dc' f + m dc
 *   layer norm  v = normal(w), scale s, dv: dw = s (dv - mean(dv) - v mean(dv v))
 *
 * and then, da and du being the gradients of a and u:
 *   db_ih += da   db_hh += du   dW_ih += da x^T   dW_hh += du h^T   dx = W_ih^T da   h_{t-1} gets
 *   W_hh^T du
 */
#include "reference/recurrent.h"

#include <math.h>
#include <string.h>

/* Working memory: one row's gradients, then sums over the call of what goes to the weights. */
typedef struct sums {
    double *da, *du;         /* [gates hidden] */
    double *dh, *dh_before;  /* [output] */
    double *dc, *dc_before;  /* [hidden] */
    double *dshown, *dreset; /* [hidden] */
    double *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_hr;
    double *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
} sums;

/* The gradients of one call on their way. */
typedef struct walk {
    const rki_reference *device;
    const rki_recurrent_backward *call;
    const rki_recurrent *layer;
    int64_t gates; /* gates * hidden */
    sums sum;
} walk;

static int64_t sums_count(const rki_recurrent *layer)
{
    int64_t hidden = layer->hidden, output = layer->output;
    int64_t gates = rki_cell_gates(layer->cell) * hidden;
    return gates * (6 + layer->input + output) + output * (2 + hidden) + 6 * hidden;
}

static double *take(double **at, int64_t count)
{
    double *piece = *at;
    *at += count;
    return piece;
}

static sums cut(const rki_recurrent *layer, double *at)
{
    sums s;
    int64_t hidden = layer->hidden, output = layer->output;
    int64_t gates = rki_cell_gates(layer->cell) * hidden;
    s.da = take(&at, gates);
    s.du = take(&at, gates);
    s.dh = take(&at, output);
    s.dh_before = take(&at, output);
    s.dc = take(&at, hidden);
    s.dc_before = take(&at, hidden);
    s.dshown = take(&at, hidden);
    s.dreset = take(&at, hidden);
    s.weight_ih = take(&at, gates * layer->input);
    s.weight_hh = take(&at, gates * output);
    s.bias_ih = take(&at, gates);
    s.bias_hh = take(&at, gates);
    s.weight_hr = take(&at, output * hidden);
    s.norm_ih = take(&at, gates);
    s.norm_hh = take(&at, gates);
    s.norm_c = take(&at, hidden);
    s.norm_c_bias = take(&at, hidden);
    return s;
}

size_t rki_reference_recurrent_backward_scratch(void *self, const rki_recurrent *layer)
{
    (void)self;
    return (size_t)sums_count(layer) * sizeof(double);
}

/* h_{t-1} or c_{t-1} of row b, unit j; `before` is the step made before, or -1. */
static double h_before(const walk *w, int64_t before, int64_t b, int64_t j)
{
    if (before < 0) return get(w->device, w->call->h0, b * w->layer->output + j);
    return get(w->device, w->call->y, (before * w->layer->batch + b) * w->call->ldy + j);
}

static double c_before(const walk *w, int64_t before, int64_t b, int64_t j)
{
    if (before < 0) return get(w->device, w->call->c0, b * w->layer->hidden + j);
    return rki_record_of(w->layer, w->call->stash, before, b).c[j];
}

/* From dL/dh_t to d(shown), by zoneout and projection; starts dh_before. */
static void unwind_output(walk *w, const rki_record *at, int64_t row)
{
    const rki_recurrent *layer = w->layer;
    const void *weight_hr = w->call->weights.weight_hr;
    sums *s = &w->sum;
    memset(s->dshown, 0, (size_t)layer->hidden * sizeof(double));
    for (int64_t j = 0; j < layer->output; j++) {
        double dh = s->dh[j], m = rki_zoneout(w->device, layer, 0, row * layer->output + j);
        if (w->call->dy) dh += get(w->device, w->call->dy, row * w->call->lddy + j);
        s->dh_before[j] = m == 0.0 ? 0.0 : m * dh;
        dh = m == 0.0 ? dh : m == 1.0 ? 0.0 : (1.0 - m) * dh;
        if (weight_hr == NULL) s->dshown[j] = dh;
        for (int64_t k = 0; weight_hr && k < layer->hidden; k++) {
            s->dshown[k] += dh * get(w->device, weight_hr, j * layer->hidden + k);
            s->weight_hr[j * layer->hidden + k] += dh * at->shown[k];
        }
    }
}

static void elman_backward(walk *w, const rki_record *at)
{
    for (int64_t j = 0; j < w->layer->hidden; j++) {
        double h = at->gates[j];
        double slope = w->layer->cell == RKI_CELL_TANH ? 1.0 - h * h : h > 0.0 ? 1.0 : h * 0.0;
        w->sum.da[j] = w->sum.du[j] = w->sum.dshown[j] * slope;
    }
}

/* d(r h) from d(s_n), with the gradient of W_hh_n. */
static void reset_before(walk *w, const rki_record *at)
{
    int64_t hidden = w->layer->hidden;
    memset(w->sum.dreset, 0, (size_t)hidden * sizeof(double));
    for (int64_t r = 2 * hidden; r < 3 * hidden; r++)
        for (int64_t k = 0; k < hidden; k++) {
            double inside = at->gates[k] * at->reset[k];
            w->sum.dreset[k] +=
                w->sum.da[r] * get(w->device, w->call->weights.weight_hh, r * hidden + k);
            w->sum.weight_hh[r * hidden + k] += w->sum.da[r] * inside;
        }
}

static void gru_backward(walk *w, const rki_record *at, int64_t before, int64_t b)
{
    int64_t hidden = w->layer->hidden;
    int reset_first = w->layer->cell == RKI_CELL_GRU_BEFORE;
    const double *r = at->gates, *z = r + hidden, *n = z + hidden;
    sums *s = &w->sum;
    for (int64_t j = 0; j < hidden; j++) {
        double dh = s->dshown[j], ds = dh * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
        s->da[hidden + j] = dh * (h_before(w, before, b, j) - n[j]) * z[j] * (1.0 - z[j]);
        s->da[2 * hidden + j] = ds;
        s->du[hidden + j] = s->da[hidden + j];
        s->du[2 * hidden + j] = reset_first ? ds : ds * r[j];
        s->dh_before[j] += dh * z[j];
    }
    if (reset_first) reset_before(w, at);
    for (int64_t j = 0; j < hidden; j++) {
        double dr = (reset_first ? s->dreset[j] : s->da[2 * hidden + j]) * at->reset[j];
        s->da[j] = s->du[j] = dr * r[j] * (1.0 - r[j]);
        if (reset_first) s->dh_before[j] += s->dreset[j] * r[j];
    }
}

/* The gradient by what normal() was given, from that by what it gave. */
static void normal_backward(const double *v, double scale, int64_t count, double *dv)
{
    double mean = 0.0, along = 0.0;
    for (int64_t i = 0; i < count; i++) {
        mean += dv[i] / (double)count;
        along += dv[i] * v[i] / (double)count;
    }
    for (int64_t i = 0; i < count; i++)
        dv[i] = scale * (dv[i] - mean - v[i] * along);
}

/* What flows into c' by way of h', into dc_before; and d(s_o). */
static void show_backward(walk *w, const rki_record *at)
{
    const rki_recurrent_weights *weights = &w->call->weights;
    int64_t hidden = w->layer->hidden;
    const double *o = at->gates + 3 * hidden;
    sums *s = &w->sum;
    for (int64_t j = 0; j < hidden; j++) {
        double inside = at->cell[j], gain = 1.0;
        if (w->layer->layer_norm) {
            gain = get(w->device, weights->norm_c, j);
            inside = gain * at->normal[j] + get(w->device, weights->norm_c_bias, j);
        }
        double shown = tanh(inside), d = s->dshown[j] * o[j] * (1.0 - shown * shown);
        s->da[3 * hidden + j] = s->dshown[j] * shown * o[j] * (1.0 - o[j]);
        if (w->layer->layer_norm) {
            s->norm_c[j] += d * at->normal[j];
            s->norm_c_bias[j] += d;
        }
        s->dc_before[j] = d * gain;
    }
    if (w->layer->layer_norm) normal_backward(at->normal, at->scale[2], hidden, s->dc_before);
}

static void lstm_backward(walk *w, const rki_record *at, int64_t row, int64_t before, int64_t b)
{
    int64_t hidden = w->layer->hidden;
    const double *i = at->gates, *f = i + hidden, *g = f + hidden;
    sums *s = &w->sum;
    show_backward(w, at);
    for (int64_t j = 0; j < hidden; j++) {
        double m = rki_zoneout(w->device, w->layer, 1, row * hidden + j);
        double kept = m == 0.0 ? 0.0 : m * s->dc[j];
        double dc = s->dc_before[j] + (m == 0.0 ? s->dc[j] : m == 1.0 ? 0.0 : (1.0 - m) * s->dc[j]);
        s->da[j] = dc * g[j] * i[j] * (1.0 - i[j]);
        s->da[hidden + j] = dc * c_before(w, before, b, j) * f[j] * (1.0 - f[j]);
        s->da[2 * hidden + j] = dc * i[j] * (1.0 - g[j] * g[j]);
        s->dc_before[j] = dc * f[j] + kept;
    }
    memcpy(s->du, s->da, (size_t)w->gates * sizeof(double));
}

/* Biases and layer norm: da and du become the gradients of the plain products. */
static void unwind_sums(walk *w, const rki_record *at)
{
    sums *s = &w->sum;
    for (int64_t r = 0; r < w->gates; r++) {
        s->bias_ih[r] += s->da[r];
        s->bias_hh[r] += s->du[r];
        if (!w->layer->layer_norm) continue;
        s->norm_ih[r] += s->da[r] * at->a[r];
        s->norm_hh[r] += s->du[r] * at->u[r];
        s->da[r] *= get(w->device, w->call->weights.norm_ih, r);
        s->du[r] *= get(w->device, w->call->weights.norm_hh, r);
    }
    if (!w->layer->layer_norm) return;
    normal_backward(at->a, at->scale[0], w->gates, s->da);
    normal_backward(at->u, at->scale[1], w->gates, s->du);
}

static void unwind_products(walk *w, int64_t row, int64_t before, int64_t b)
{
    const rki_recurrent_backward *call = w->call;
    int64_t input = w->layer->input, output = w->layer->output;
    int64_t state_rows = w->layer->cell == RKI_CELL_GRU_BEFORE ? 2 * w->layer->hidden : w->gates;
    sums *s = &w->sum;
    for (int64_t k = 0; k < input; k++) {
        double x = get(w->device, call->x, row * input + k), dx = 0.0;
        for (int64_t r = 0; r < w->gates; r++) {
            dx += s->da[r] * get(w->device, call->weights.weight_ih, r * input + k);
            s->weight_ih[r * input + k] += s->da[r] * x;
        }
        if (call->dx && call->accumulate_dx) dx += get(w->device, call->dx, row * input + k);
        if (call->dx) set(w->device, call->dx, row * input + k, dx);
    }
    for (int64_t k = 0; k < output; k++) {
        double h = h_before(w, before, b, k);
        for (int64_t r = 0; r < state_rows; r++) {
            s->dh_before[k] += s->du[r] * get(w->device, call->weights.weight_hh, r * output + k);
            s->weight_hh[r * output + k] += s->du[r] * h;
        }
    }
}

static void backward_step(walk *w, int64_t t, int64_t before, int64_t b)
{
    int64_t row = t * w->layer->batch + b;
    rki_record at = rki_record_of(w->layer, w->call->stash, t, b);
    sums *s = &w->sum;
    unwind_output(w, &at, row);
    if (w->layer->cell == RKI_CELL_LSTM)
        lstm_backward(w, &at, row, before, b);
    else if (w->layer->cell >= RKI_CELL_GRU)
        gru_backward(w, &at, before, b);
    else
        elman_backward(w, &at);
    unwind_sums(w, &at);
    unwind_products(w, row, before, b);
    memcpy(s->dh, s->dh_before, (size_t)w->layer->output * sizeof(double));
    memcpy(s->dc, s->dc_before, (size_t)w->layer->hidden * sizeof(double));
}

/* dx of the steps at which row b does not live. */
static void clear_dx(const walk *w, int64_t b, int64_t begin, int64_t length)
{
    int64_t input = w->layer->input;
    if (w->call->dx == NULL || w->call->accumulate_dx) return;
    for (int64_t t = 0; t < w->layer->steps; t++)
        for (int64_t k = 0; (t < begin || t >= begin + length) && k < input; k++)
            set(w->device, w->call->dx, (t * w->layer->batch + b) * input + k, 0.0);
}

static void backward_row(walk *w, int64_t b)
{
    const rki_recurrent_backward *call = w->call;
    const rki_recurrent *layer = w->layer;
    int64_t begin, length = rki_row_life(layer->starts, layer->lengths, layer->steps, b, &begin);
    for (int64_t j = 0; j < layer->output; j++)
        w->sum.dh[j] = get_or_zero(w->device, call->dhn, b * layer->output + j);
    for (int64_t j = 0; j < layer->hidden; j++)
        w->sum.dc[j] = get_or_zero(w->device, call->dcn, b * layer->hidden + j);
    clear_dx(w, b, begin, length);
    for (int64_t k = length - 1; k >= 0; k--) {
        int64_t before = k > 0 ? rki_row_step(layer, begin, length, k - 1) : -1;
        backward_step(w, rki_row_step(layer, begin, length, k), before, b);
    }
    for (int64_t j = 0; call->dh0 && j < layer->output; j++)
        set(w->device, call->dh0, b * layer->output + j, w->sum.dh[j]);
    for (int64_t j = 0; call->dc0 && j < layer->hidden; j++)
        set(w->device, call->dc0, b * layer->hidden + j, w->sum.dc[j]);
}

static void add_all(const walk *w, void *gradient, const double *values, int64_t count)
{
    for (int64_t i = 0; gradient && i < count; i++)
        add(w->device, gradient, i, values[i]);
}

int32_t rki_reference_recurrent_backward(void *self, const rki_recurrent_backward *call)
{
    const rki_recurrent *layer = &call->layer;
    const rki_recurrent_gradients *to = &call->gradients;
    walk w = {
        self, call, layer, rki_cell_gates(layer->cell) * layer->hidden, cut(layer, call->scratch)};
    memset(call->scratch, 0, (size_t)sums_count(layer) * sizeof(double));
    for (int64_t b = 0; b < layer->batch; b++)
        backward_row(&w, b);
    add_all(&w, to->weight_ih, w.sum.weight_ih, w.gates * layer->input);
    add_all(&w, to->weight_hh, w.sum.weight_hh, w.gates * layer->output);
    add_all(&w, to->bias_ih, w.sum.bias_ih, w.gates);
    add_all(&w, to->bias_hh, w.sum.bias_hh, w.gates);
    add_all(&w, to->weight_hr, w.sum.weight_hr, layer->output * layer->hidden);
    add_all(&w, to->norm_ih, w.sum.norm_ih, w.gates);
    add_all(&w, to->norm_hh, w.sum.norm_hh, w.gates);
    add_all(&w, to->norm_c, w.sum.norm_c, layer->hidden);
    add_all(&w, to->norm_c_bias, w.sum.norm_c_bias, layer->hidden);
    return RNNKIT_OK;
}
