/* The recurrent layer's forward pass: the equations of backend.h, row by row and step by step.
 *
 * Rows of the batch know nothing of each other, so the outer loop is over rows.
 */
#include "reference/recurrent.h"

#include <math.h>
#include <string.h>

typedef struct walk {
    const rki_reference *device;
    const rki_recurrent *layer;
    const rki_recurrent_weights *weights;
    int64_t gates; /* gates * hidden */
} walk;

/* The row's state, in doubles. */
typedef struct row_state {
    double *h, *c;
} row_state;

size_t rki_reference_recurrent_stash(void *self, const rki_recurrent *layer)
{
    (void)self;
    if (!layer->training) return 0;
    return (size_t)(layer->batch * layer->steps * rki_record_count(layer)) * sizeof(double);
}

/* One record, h and c. */
size_t rki_reference_recurrent_forward_scratch(void *self, const rki_recurrent *layer)
{
    (void)self;
    return (size_t)(rki_record_count(layer) + layer->output + layer->hidden) * sizeof(double);
}

size_t rki_reference_recurrent_step_scratch(void *self, const rki_recurrent *layer)
{
    return rki_reference_recurrent_forward_scratch(self, layer);
}

static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

/* v becomes normal(v); returns what it was scaled with. */
static double normalize(double *v, int64_t count)
{
    double mean = 0.0, square = 0.0;
    for (int64_t i = 0; i < count; i++)
        mean += v[i] / (double)count;
    for (int64_t i = 0; i < count; i++)
        square += (v[i] - mean) * (v[i] - mean) / (double)count;
    double scale = 1.0 / sqrt(square + RKI_NORM_EPSILON);
    for (int64_t i = 0; i < count; i++)
        v[i] = (v[i] - mean) * scale;
    return scale;
}

/* sum[r] = weight[r] v, for rows begin .. end - 1. */
static void product(const walk *w, const void *weight, int64_t begin, int64_t end, const double *v,
    int64_t width, double *sum)
{
    for (int64_t r = begin; r < end; r++) {
        sum[r] = 0.0;
        for (int64_t k = 0; k < width; k++)
            sum[r] += get(w->device, weight, r * width + k) * v[k];
    }
}

/* a of row `row` of x, counted in rows of `input` elements. */
static void input_product(const walk *w, const void *x, int64_t row, double *a)
{
    int64_t input = w->layer->input;
    for (int64_t r = 0; r < w->gates; r++) {
        a[r] = 0.0;
        for (int64_t k = 0; k < input; k++)
            a[r] += get(w->device, w->weights->weight_ih, r * input + k) *
                    get(w->device, x, row * input + k);
    }
}

/* a + b_ih or u + b_hh of unit j of the gates' rows, with the gain of layer_norm. */
static double input_part(const walk *w, const rki_record *at, int64_t j)
{
    double gain = w->layer->layer_norm ? get(w->device, w->weights->norm_ih, j) : 1.0;
    return gain * at->a[j] + get_or_zero(w->device, w->weights->bias_ih, j);
}

static double state_part(const walk *w, const rki_record *at, int64_t j)
{
    double gain = w->layer->layer_norm ? get(w->device, w->weights->norm_hh, j) : 1.0;
    return gain * at->u[j] + get_or_zero(w->device, w->weights->bias_hh, j);
}

static void elman_cell(const walk *w, rki_record *at)
{
    for (int64_t j = 0; j < w->layer->hidden; j++) {
        double s = input_part(w, at, j) + state_part(w, at, j);
        /* The comparison lets a NaN through. */
        at->gates[j] = w->layer->cell == RKI_CELL_TANH ? tanh(s) : s < 0.0 ? 0.0 : s;
        at->shown[j] = at->gates[j];
    }
}

static void gru_cell(const walk *w, rki_record *at, const double *h)
{
    int64_t hidden = w->layer->hidden;
    int before = w->layer->cell == RKI_CELL_GRU_BEFORE;
    double *r = at->gates, *z = r + hidden, *n = z + hidden;
    for (int64_t j = 0; j < 2 * hidden; j++)
        at->gates[j] = sigmoid(input_part(w, at, j) + state_part(w, at, j));
    if (before) {
        for (int64_t j = 0; j < hidden; j++)
            at->reset[j] = r[j] * h[j];
        product(w, w->weights->weight_hh, 2 * hidden, 3 * hidden, at->reset, hidden, at->u);
    }
    for (int64_t j = 0; j < hidden; j++) {
        double u = state_part(w, at, 2 * hidden + j);
        at->reset[j] = before ? h[j] : u;
        n[j] = tanh(input_part(w, at, 2 * hidden + j) + (before ? u : r[j] * u));
        at->shown[j] = n[j] + z[j] * (h[j] - n[j]);
    }
}

static void lstm_cell(const walk *w, rki_record *at, const double *c)
{
    int64_t hidden = w->layer->hidden;
    double *i = at->gates, *f = i + hidden, *g = f + hidden, *o = g + hidden;
    for (int64_t j = 0; j < 4 * hidden; j++) {
        double s = input_part(w, at, j) + state_part(w, at, j);
        at->gates[j] = j / hidden == 2 ? tanh(s) : sigmoid(s);
    }
    for (int64_t j = 0; j < hidden; j++)
        at->cell[j] = f[j] * c[j] + i[j] * g[j];
    if (w->layer->layer_norm) {
        memcpy(at->normal, at->cell, (size_t)hidden * sizeof(double));
        at->scale[2] = normalize(at->normal, hidden);
    }
    for (int64_t j = 0; j < hidden; j++) {
        double inside = at->cell[j];
        if (w->layer->layer_norm)
            inside = get(w->device, w->weights->norm_c, j) * at->normal[j] +
                     get(w->device, w->weights->norm_c_bias, j);
        at->shown[j] = o[j] * tanh(inside);
    }
}

/* h and c become those of the next step; `row` is t * batch + b. */
static void advance(const walk *w, rki_record *at, int64_t row, row_state state)
{
    const rki_recurrent *layer = w->layer;
    for (int64_t j = 0; j < layer->output; j++) {
        double next = w->weights->weight_hr ? 0.0 : at->shown[j];
        for (int64_t k = 0; w->weights->weight_hr && k < layer->hidden; k++)
            next += get(w->device, w->weights->weight_hr, j * layer->hidden + k) * at->shown[k];
        double m = rki_zoneout(w->device, layer, 0, row * layer->output + j);
        state.h[j] = m == 0.0 ? next : m == 1.0 ? state.h[j] : m * state.h[j] + (1.0 - m) * next;
    }
    for (int64_t j = 0; layer->cell == RKI_CELL_LSTM && j < layer->hidden; j++) {
        double m = rki_zoneout(w->device, layer, 1, row * layer->hidden + j);
        at->c[j] = m == 0.0   ? at->cell[j]
                   : m == 1.0 ? state.c[j]
                              : m * state.c[j] + (1.0 - m) * at->cell[j];
        state.c[j] = at->c[j];
    }
}

static void step(const walk *w, rki_record *at, const void *x, int64_t row, row_state state)
{
    int64_t state_rows = w->layer->cell == RKI_CELL_GRU_BEFORE ? 2 * w->layer->hidden : w->gates;
    input_product(w, x, row, at->a);
    product(w, w->weights->weight_hh, 0, state_rows, state.h, w->layer->output, at->u);
    if (w->layer->layer_norm) {
        at->scale[0] = normalize(at->a, w->gates);
        at->scale[1] = normalize(at->u, w->gates);
    }
    if (w->layer->cell == RKI_CELL_LSTM)
        lstm_cell(w, at, state.c);
    else if (w->layer->cell >= RKI_CELL_GRU)
        gru_cell(w, at, state.h);
    else
        elman_cell(w, at);
    advance(w, at, row, state);
}

static void load(const walk *w, const void *array, int64_t b, int64_t width, double *values)
{
    for (int64_t j = 0; j < width; j++)
        values[j] = get_or_zero(w->device, array, b * width + j);
}

static void store(const walk *w, void *array, int64_t b, int64_t width, const double *values)
{
    for (int64_t j = 0; array && j < width; j++)
        set(w->device, array, b * width + j, values[j]);
}

static void forward_row(const walk *w, const rki_recurrent_forward *call, int64_t b)
{
    const rki_recurrent *layer = w->layer;
    double *scratch = call->scratch;
    row_state state = {.h = scratch + rki_record_count(layer)};
    state.c = state.h + layer->output;
    int64_t begin, length = rki_row_life(layer->starts, layer->lengths, layer->steps, b, &begin);
    load(w, call->h0, b, layer->output, state.h);
    load(w, call->c0, b, layer->hidden, state.c);
    for (int64_t t = 0; t < layer->steps; t++)
        for (int64_t j = 0; j < layer->output; j++)
            set(w->device, call->y, (t * layer->batch + b) * call->ldy + j, 0.0);
    for (int64_t k = 0; k < length; k++) {
        int64_t t = rki_row_step(layer, begin, length, k), row = t * layer->batch + b;
        rki_record at =
            call->stash ? rki_record_of(layer, call->stash, t, b) : rki_record_at(layer, scratch);
        step(w, &at, call->x, row, state);
        for (int64_t j = 0; j < layer->output; j++)
            set(w->device, call->y, row * call->ldy + j, state.h[j]);
    }
    store(w, call->hn, b, layer->output, state.h);
    store(w, call->cn, b, layer->hidden, state.c);
}

int32_t rki_reference_recurrent_forward(void *self, const rki_recurrent_forward *call)
{
    walk w = {
        self, &call->layer, &call->weights, rki_cell_gates(call->layer.cell) * call->layer.hidden};
    for (int64_t b = 0; b < call->layer.batch; b++)
        forward_row(&w, call, b);
    return RNNKIT_OK;
}

int32_t rki_reference_recurrent_step(void *self, const rki_recurrent_step *call)
{
    const rki_recurrent *layer = &call->layer;
    walk w = {self, layer, &call->weights, rki_cell_gates(layer->cell) * layer->hidden};
    rki_record at = rki_record_at(layer, call->scratch);
    row_state state = {.h = (double *)call->scratch + rki_record_count(layer)};
    state.c = state.h + layer->output;
    for (int64_t b = 0; b < layer->batch; b++) {
        load(&w, call->h, b, layer->output, state.h);
        load(&w, call->c, b, layer->hidden, state.c);
        step(&w, &at, call->x, b, state);
        store(&w, call->h, b, layer->output, state.h);
        store(&w, call->c, b, layer->hidden, state.c);
    }
    return RNNKIT_OK;
}

int32_t rki_reference_recurrent_gates(void *self, const rki_recurrent_gates *call)
{
    const rki_recurrent *layer = &call->layer;
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    for (int64_t b = 0; b < layer->batch; b++) {
        int64_t begin,
            length = rki_row_life(layer->starts, layer->lengths, layer->steps, b, &begin);
        for (int64_t t = 0; t < layer->steps; t++) {
            int lives = t >= begin && t < begin + length;
            int64_t row = t * layer->batch + b;
            rki_record at = rki_record_of(layer, call->stash, t, b);
            for (int64_t j = 0; j < gates; j++)
                set(self, call->gates, row * gates + j, lives ? at.gates[j] : 0.0);
            for (int64_t j = 0; call->cells && j < layer->hidden; j++)
                set(self, call->cells, row * layer->hidden + j, lives ? at.c[j] : 0.0);
        }
    }
    return RNNKIT_OK;
}
