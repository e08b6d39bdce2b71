/* Attention; equations and masks are in backend/attention.h.
 *
 * A thread takes rows of the batch and heads, all their queries, so nothing is shared; of dv each
 * leaves its own sums, which are added up in the order of the batch.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum { WORK_STEP = 1 << 16 /* elements looked at that are worth another thread */ };

/* One row of one head. */
typedef struct view {
    const rki_attention *of;
    const rki_kernels *kernels;
    int64_t batch_row, head;
    int64_t width, value_width; /* of this head */
    int64_t length, queries;    /* that are seen, that see */
    const float *q, *keys, *values, *v;
} view;

/* The positions begin .. end - 1 that a query sees, and with a window where its center is. */
typedef struct span {
    int64_t begin, end;
    float center, slope; /* c and dc/dz */
} span;

static view view_of(const rki_cpu *cpu, const rki_attention *a, int64_t task)
{
    int64_t b = task / a->heads, n = task % a->heads;
    int64_t width = a->width / a->heads, value_width = a->value_width / a->heads;
    return (view){.of = a,
        .kernels = cpu->kernels,
        .batch_row = b,
        .head = n,
        .width = width,
        .value_width = value_width,
        .length = a->lengths ? a->lengths[b] : a->positions,
        .queries = a->query_lengths ? a->query_lengths[b] : a->queries,
        .q = (const float *)a->q + b * a->ldq + n * width,
        .keys = (const float *)a->keys + b * a->ldkeys + n * width,
        .values = (const float *)a->values + b * a->ldvalues + n * value_width,
        .v = a->v ? (const float *)a->v + n * width : NULL};
}

/* A center that is NaN takes nothing away. */
static void narrow(const view *w, int64_t t, span *at)
{
    const rki_attention *a = w->of;
    float z = ((const float *)a->centers)[t * a->batch + w->batch_row];
    float part = 1.0f / (1.0f + expf(-z));
    at->center = (float)w->length * part;
    at->slope = at->center * (1.0f - part);
    double first = (double)at->center - (double)a->window;
    double last = (double)at->center + (double)a->window;
    if (last + 1.0 < (double)at->end) at->end = (int64_t)last + 1;
    if (first > 0.0) at->begin = (int64_t)ceil(first);
    if (at->begin > at->end) at->begin = at->end;
}

static span span_of(const view *w, int64_t t)
{
    span at = {.begin = 0, .end = w->length};
    if (t >= w->queries) return (span){.begin = 0, .end = 0};
    if (w->of->causal && t + 1 < w->length) at.end = t + 1;
    if (w->of->window > 0) narrow(w, t, &at);
    return at;
}

static float variance(const view *w)
{
    return 0.25f * (float)w->of->window * (float)w->of->window;
}

/* g of a window at `off` from its center. */
static float nearness(const view *w, float off)
{
    return expf(-0.5f * off * off / variance(w));
}

/* Query t's row of weights or dscores. */
static int64_t weights_at(const view *w, int64_t t)
{
    const rki_attention *a = w->of;
    return ((w->head * a->queries + t) * a->batch + w->batch_row) * a->positions;
}

static int64_t context_at(const view *w, int64_t t)
{
    return (t * w->of->batch + w->batch_row) * w->of->value_width + w->head * w->value_width;
}

static const float *query_at(const view *w, int64_t t)
{
    return w->q + t * w->of->batch * w->of->ldq;
}

static rki_rows keys_of(const view *w, int64_t begin, int64_t end)
{
    int64_t stride = w->of->batch * w->of->ldkeys;
    return (rki_rows){w->keys + begin * stride, end - begin, w->width, stride};
}

static rki_rows values_of(const view *w, int64_t begin, int64_t end)
{
    int64_t stride = w->of->batch * w->of->ldvalues;
    return (rki_rows){w->values + begin * stride, end - begin, w->value_width, stride};
}

static void clear(float *row, int64_t begin, int64_t end)
{
    if (end > begin) memset(row + begin, 0, (size_t)(end - begin) * sizeof *row);
}

static int64_t useful_threads(const rki_cpu *cpu, const rki_attention *a)
{
    double seen = (double)a->positions;
    if (a->window > 0 && 2.0 * (double)a->window < seen) seen = 2.0 * (double)a->window;
    double work = (double)a->queries * (double)a->batch * seen *
                  (double)(a->width + a->value_width) / WORK_STEP;
    return work < (double)cpu->threads ? (int64_t)work + 1 : cpu->threads;
}

/* Runs `row` for every row and head. */
static void run_rows(const rki_cpu *cpu, const rki_attention *a, rki_block_fn row, void *user)
{
    rki_parallel_blocks(useful_threads(cpu, a), a->batch * a->heads, 1, row, user);
}

/* Forward. */

typedef struct forward {
    const rki_cpu *cpu;
    const rki_attention_forward *call;
} forward;

/* The softmax over a window, each weight times how near it is. */
static void fade(const view *w, span at, float *weights)
{
    for (int64_t s = at.begin; s < at.end; s++)
        weights[s] *= nearness(w, (float)s - at.center);
}

static void look(const view *w, const rki_attention_forward *call, int64_t t)
{
    const rki_attention *a = w->of;
    float *weights = (float *)call->weights + weights_at(w, t), largest;
    float *context = (float *)call->context + context_at(w, t);
    span at = span_of(w, t);
    rki_rows keys = keys_of(w, at.begin, at.end), values = values_of(w, at.begin, at.end);
    float *seen = weights + at.begin;
    clear(weights, 0, at.begin);
    clear(weights, at.end, a->positions);
    if (keys.count > 0) {
        if (a->score == RKI_SCORE_ADDITIVE)
            w->kernels->additive_scores(query_at(w, t), &keys, w->v, seen);
        else
            w->kernels->row_products(query_at(w, t), &keys, (float)a->scale, seen);
        float sum = w->kernels->softmax_exp(keys.count, seen, 1, &largest);
        w->kernels->scale(keys.count, 1.0f / sum, seen);
    }
    if (a->window > 0) fade(w, at, weights);
    w->kernels->row_sum(seen, 1, &values, 1.0f, context);
}

static void forward_row(void *user, int64_t task, int64_t unused)
{
    (void)unused;
    const forward *f = user;
    view w = view_of(f->cpu, &f->call->attention, task);
    for (int64_t t = 0; t < w.of->queries; t++)
        look(&w, f->call, t);
}

int32_t rki_cpu_attention_forward(void *self, const rki_attention_forward *call)
{
    forward f = {self, call};
    run_rows(self, &call->attention, forward_row, &f);
    return RNNKIT_OK;
}

/* Gradients of the queries. */

typedef struct backward {
    const rki_cpu *cpu;
    const rki_attention_backward *call;
} backward;

/* d, the gradient of a window's weights p, becomes that of its scores; gives that of z. */
static float window_gradient(const view *w, span at, const float *p, float *d)
{
    float mean = 0.0f, dcenter = 0.0f;
    for (int64_t s = at.begin; s < at.end; s++) {
        mean += p[s] * d[s];
        dcenter += p[s] * d[s] * ((float)s - at.center);
    }
    for (int64_t s = at.begin; s < at.end; s++) {
        float near = nearness(w, (float)s - at.center);
        d[s] = p[s] / near * (d[s] * near - mean);
    }
    return dcenter / variance(w) * at.slope;
}

static void query_gradient(const view *w, const rki_attention_backward *call, int64_t t)
{
    const rki_attention *a = w->of;
    span at = span_of(w, t);
    int64_t place = weights_at(w, t);
    const float *p = (const float *)call->weights + place;
    float *row = (float *)call->dscores + place, *d = row + at.begin;
    float *dq = (float *)call->dq + (query_at(w, t) - (const float *)a->q);
    rki_rows keys = keys_of(w, at.begin, at.end), values = values_of(w, at.begin, at.end);
    clear(row, 0, at.begin);
    clear(row, at.end, a->positions);
    w->kernels->row_products((const float *)call->dcontext + context_at(w, t), &values, 1.0f, d);
    if (call->dweights)
        w->kernels->add_scaled(
            keys.count, 1.0f, (const float *)call->dweights + place + at.begin, d);
    if (a->window > 0)
        ((float *)call->dcenters)[t * a->batch + w->batch_row] = window_gradient(w, at, p, row);
    else
        w->kernels->softmax_gradient(keys.count, p, d);
    if (keys.count == 0)
        clear(dq, 0, w->width);
    else if (a->score == RKI_SCORE_ADDITIVE)
        w->kernels->additive_query(query_at(w, t), &keys, w->v, d, dq);
    else
        w->kernels->row_sum(d, 1, &keys, (float)a->scale, dq);
}

static void backward_row(void *user, int64_t task, int64_t unused)
{
    (void)unused;
    const backward *f = user;
    view w = view_of(f->cpu, &f->call->attention, task);
    for (int64_t t = 0; t < w.of->queries; t++)
        query_gradient(&w, f->call, t);
}

int32_t rki_cpu_attention_backward(void *self, const rki_attention_backward *call)
{
    backward f = {self, call};
    run_rows(self, &call->attention, backward_row, &f);
    return RNNKIT_OK;
}

/* Gradients of the source. */

typedef struct source {
    const rki_cpu *cpu;
    const rki_attention_source *call;
} source;

/* dv of each row of the batch. */
size_t rki_cpu_attention_source_scratch(void *self, const rki_attention *attention)
{
    (void)self;
    if (attention->score != RKI_SCORE_ADDITIVE) return 0;
    return (size_t)(attention->batch * attention->width) * sizeof(float);
}

typedef enum sum_into { WRITE, ADD } sum_into;

/* out_s = scale sum_t factors_ts row_t for every position s, `step` floats apart; ADD, with scale 1:
 * out_s += ... */
static void sum_queries(const view *w, sum_into into, const float *factors, const float *first,
    int64_t width, int64_t stride, float scale, float *out, int64_t step)
{
    const rki_attention *a = w->of;
    int64_t between = a->batch * a->positions;
    factors += weights_at(w, 0);
    for (int64_t s = 0; s < a->positions; s++) {
        int64_t begin = a->causal ? s : 0, count = w->queries - begin;
        if (s >= w->length || count < 0) count = 0;
        rki_rows rows = {first + begin * stride, count, width, stride};
        const float *of_position = factors + begin * between + s;
        if (into == ADD)
            w->kernels->add_row_sum(of_position, between, &rows, out + s * step);
        else
            w->kernels->row_sum(of_position, between, &rows, scale, out + s * step);
    }
}

static void additive_source(const view *w, const rki_attention_source *call)
{
    const rki_attention *a = w->of;
    float *dv = (float *)call->scratch + w->batch_row * a->width + w->head * w->width;
    float *dkeys = (float *)call->dkeys;
    rki_additive_keys rows = {
        .q = {w->q, w->queries, w->width, a->batch * a->ldq},
        .keys = keys_of(w, 0, w->length),
        .causal = a->causal,
        .v = w->v,
        .dscores = (const float *)call->dscores + weights_at(w, 0),
        .dscores_stride = a->batch * a->positions,
        .dkeys = dkeys ? dkeys + (w->keys - (const float *)a->keys) : NULL,
        .dv = dv,
    };
    w->kernels->additive_keys(&rows);
    for (int64_t s = w->length; dkeys && s < a->positions; s++)
        clear(rows.dkeys + s * rows.keys.stride, 0, w->width);
}

static void source_row(void *user, int64_t task, int64_t unused)
{
    (void)unused;
    const source *f = user;
    const rki_attention_source *call = f->call;
    const rki_attention *a = &call->attention;
    view w = view_of(f->cpu, a, task);
    if (a->score == RKI_SCORE_ADDITIVE && (call->dkeys || call->dv))
        additive_source(&w, call);
    else if (call->dkeys)
        sum_queries(&w, WRITE, call->dscores, w.q, w.width, a->batch * a->ldq, (float)a->scale,
            (float *)call->dkeys + (w.keys - (const float *)a->keys), a->batch * a->ldkeys);
    if (call->dvalues)
        sum_queries(&w, call->add_values ? ADD : WRITE, call->weights,
            (const float *)call->dcontext + context_at(&w, 0), w.value_width,
            a->batch * a->value_width, 1.0f,
            (float *)call->dvalues + (w.values - (const float *)a->values), a->batch * a->ldvalues);
}

int32_t rki_cpu_attention_source(void *self, const rki_attention_source *call)
{
    source f = {self, call};
    const rki_attention *a = &call->attention;
    run_rows(self, a, source_row, &f);
    if (call->dv == NULL) return RNNKIT_OK;
    return rki_cpu_column_sum(self, a->batch, a->width, call->scratch, 1, call->dv);
}
