/* Recurrent layers, forward: the input product for the whole sequence, then for each step a
 * product with W_hh and one kernel for what the cell does with both (backend.h has the equations;
 * docs/math too). A projection adds a product and a kernel to each step, and a GRU that resets
 * before its product splits that product in two.
 */
#include <math.h>

#include "cells.cuh"
#include "cluster.cuh"

enum { THREADS = RKI_CUDA_CELL_THREADS };

/* What a cell's kernel gets of one step; rows are those of a block. */
struct cell_step {
    int64_t hidden, width; /* of the gates' rows: gates hidden */
    const float *a, *u;    /* [.][width] input and hidden product; u NULL: it is in a already */
    const float *bias_ih, *bias_hh, *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
    const float *h_before, *c_before;
    int64_t ld_before;
    float *gates;         /* [.][width], may be a */
    float *u_n, *reset_h; /* [.][hidden], or NULL */
    float *c, *h;         /* h is q when there is a projection */
    int64_t ld;
    int projected;
    rki_cuda_zoneout zoneout_h, zoneout_c;
    const int32_t *rows; /* t * batch + b of the block's rows, or NULL: first_row + row */
    int64_t first_row;
};

/* Where a block's row stands among all t * batch + b. */
static __device__ int64_t place_of(const cell_step &s)
{
    return s.rows == NULL ? s.first_row + blockIdx.x : s.rows[blockIdx.x];
}

static __device__ float mix(const rki_cuda_zoneout &z, int64_t place, float before, float now)
{
    if (z.rate == 0.0f) return now;
    float m = rki_cuda_zoneout_m(z, place);
    return m == 0.0f ? now : m == 1.0f ? before : m * before + (1.0f - m) * now;
}

/* The products of a row, element by element, after layer_norm and with their biases. */
template <bool Norm> struct row_products {
    const cell_step &s;
    const float *a, *u;
    rki_cuda_moments of_a, of_u;

    __device__ explicit row_products(const cell_step &step)
        : s(step), a(step.a + blockIdx.x * step.width),
          u(step.u == NULL ? NULL : step.u + blockIdx.x * step.width), of_a(), of_u()
    {
        const float epsilon = (float)RKI_NORM_EPSILON;
        if (!Norm) return;
        of_a = rki_cuda_row_moments(s.width, epsilon, [this](int64_t i) { return a[i]; });
        of_u = rki_cuda_row_moments(s.width, epsilon, [this](int64_t i) { return u[i]; });
    }
    __device__ float input(int64_t i) const
    {
        float value = a[i];
        if (Norm) value = (value - of_a.mean) * of_a.inverse * s.norm_ih[i];
        return s.bias_ih == NULL ? value : value + s.bias_ih[i];
    }
    __device__ float hidden(int64_t i) const
    {
        float value = u == NULL ? 0.0f : u[i];
        if (Norm) value = (value - of_u.mean) * of_u.inverse * s.norm_hh[i];
        return s.bias_hh == NULL ? value : value + s.bias_hh[i];
    }
    __device__ float sum(int64_t i) const
    {
        return input(i) + hidden(i);
    }
};

template <bool Relu, bool Norm> static __global__ void elman(cell_step s)
{
    row_products<Norm> products(s);
    int64_t row = blockIdx.x, place = place_of(s);
    for (int64_t j = threadIdx.x; j < s.hidden; j += THREADS) {
        float sum = products.sum(j);
        float h = Relu ? (sum <= 0.0f ? 0.0f : sum) : rki_cuda_tanh(sum); /* NaN passes */
        s.gates[row * s.hidden + j] = h;
        s.h[row * s.ld + j] =
            mix(s.zoneout_h, place * s.hidden + j, s.h_before[row * s.ld_before + j], h);
    }
}

template <bool Norm> static __global__ void gru(cell_step s)
{
    row_products<Norm> products(s);
    int64_t row = blockIdx.x, place = place_of(s), hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += THREADS) {
        float r = rki_cuda_sigmoid(products.sum(j));
        float z = rki_cuda_sigmoid(products.sum(hidden + j));
        float u_n = products.hidden(2 * hidden + j);
        float n = rki_cuda_tanh(products.input(2 * hidden + j) + r * u_n);
        float before = s.h_before[row * s.ld_before + j];
        float *gates = s.gates + row * s.width;
        gates[j] = r;
        gates[hidden + j] = z;
        gates[2 * hidden + j] = n;
        if (s.u_n != NULL) s.u_n[row * hidden + j] = u_n;
        s.h[row * s.ld + j] = mix(s.zoneout_h, place * hidden + j, before, n + z * (before - n));
    }
}

/* Reset before the product: first r, z and r h, ... */
static __global__ void gru_before_gates(cell_step s)
{
    row_products<false> products(s);
    int64_t row = blockIdx.x, hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += THREADS) {
        float *gates = s.gates + row * s.width;
        float r = rki_cuda_sigmoid(products.sum(j));
        float z = rki_cuda_sigmoid(products.sum(hidden + j));
        gates[j] = r;
        gates[hidden + j] = z;
        s.reset_h[row * hidden + j] = r * s.h_before[row * s.ld_before + j];
    }
}

/* ... then, with W_hh_n (r h) in u, the rest. */
static __global__ void gru_before_state(cell_step s)
{
    row_products<false> products(s);
    int64_t row = blockIdx.x, place = place_of(s), hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += THREADS) {
        float *gates = s.gates + row * s.width;
        float z = gates[hidden + j], n = rki_cuda_tanh(products.sum(2 * hidden + j));
        float before = s.h_before[row * s.ld_before + j];
        gates[2 * hidden + j] = n;
        s.h[row * s.ld + j] = mix(s.zoneout_h, place * hidden + j, before, n + z * (before - n));
    }
}

/* The gates and c; c' waits in `candidate` when its norm is wanted. */
template <bool Norm> static __global__ void lstm(cell_step s)
{
    row_products<Norm> products(s);
    int64_t row = blockIdx.x, place = place_of(s), hidden = s.hidden;
    float *gates = s.gates + row * s.width;
    rki_cuda_moments of_c = {};
    for (int64_t j = threadIdx.x; j < hidden; j += THREADS) {
        float i = rki_cuda_sigmoid(products.sum(j));
        float f = rki_cuda_sigmoid(products.sum(hidden + j));
        float g = rki_cuda_tanh(products.sum(2 * hidden + j));
        float o = rki_cuda_sigmoid(products.sum(3 * hidden + j));
        gates[j] = i;
        gates[hidden + j] = f;
        gates[2 * hidden + j] = g;
        gates[3 * hidden + j] = o;
    }
    const float *c_before = s.c_before + row * hidden;
    auto candidate = [=](int64_t j) {
        return fmaf(gates[hidden + j], c_before[j], gates[j] * gates[2 * hidden + j]);
    };
    if (Norm) of_c = rki_cuda_row_moments(hidden, (float)RKI_NORM_EPSILON, candidate);
    for (int64_t j = threadIdx.x; j < hidden; j += THREADS) {
        float c = candidate(j), shown = c, c_old = c_before[j];
        if (Norm) shown = (c - of_c.mean) * of_c.inverse * s.norm_c[j] + s.norm_c_bias[j];
        float h = gates[3 * hidden + j] * rki_cuda_tanh(shown);
        s.c[row * hidden + j] = mix(s.zoneout_c, place * hidden + j, c_old, c);
        if (s.projected)
            s.h[row * s.ld + j] = h;
        else
            s.h[row * s.ld + j] =
                mix(s.zoneout_h, place * hidden + j, s.h_before[row * s.ld_before + j], h);
    }
}

/* After a projection: h_t out of h' = W_hr q. */
static __global__ void mix_rows(int64_t width, const float *now, const float *before,
    int64_t ld_before, float *h, int64_t ld, rki_cuda_zoneout zoneout, const int32_t *rows,
    int64_t first_row)
{
    int64_t row = blockIdx.x, place = rows == NULL ? first_row + row : rows[row];
    for (int64_t j = threadIdx.x; j < width; j += THREADS)
        h[row * ld + j] =
            mix(zoneout, place * width + j, before[row * ld_before + j], now[row * width + j]);
}

/* One forward pass: arrays of floats, some of the caller's, some in stash or scratch. */
struct pass {
    rki_cuda *device;
    const rki_recurrent *layer;
    const rki_recurrent_weights *weights;
    rki_cuda_plan plan;
    int64_t width; /* gates hidden */
    float *a;      /* [positions][width] input products, where the gates' values go too
                      unless layer_norm keeps them apart */
    float *gates, *raw_u, *u_n, *q, *c_all; /* by position when training, else by row of a block */
    float *u;                               /* [batch][width] or NULL: added to a */
    float *reset_h, *projected, *c_run, *h_first, *x, *y;
    int64_t ldx, ldy;
    unsigned *counters;
    void *factors;
    rki_cuda_zoneout zoneout_h, zoneout_c;
};

/* What of the scratch is in use, and how much that is; x and y are packed there. */
struct scratch {
    float *a, *gates, *u, *q, *reset_h, *projected, *c_run, *h_first, *x, *y, *counters;
    void *factors; /* of the input product */
    size_t bytes;
};

static scratch scratch_cut(
    const rki_cuda *device, const rki_recurrent *layer, int packed, const void *block)
{
    rki_cuda_cutter cutter(block);
    scratch s;
    int64_t rows = layer->steps * layer->batch, hidden = layer->hidden;
    int64_t width = rki_cell_gates(layer->cell) * hidden;
    int lstm_cell = layer->cell == RKI_CELL_LSTM, projection = rki_cuda_has_projection(layer);
    int gru_cell = layer->cell == RKI_CELL_GRU || layer->cell == RKI_CELL_GRU_BEFORE;
    s.a = cutter.cut(!layer->training, rows * width);
    s.gates = cutter.cut(!layer->training && layer->layer_norm, layer->batch * width);
    s.u = cutter.cut(gru_cell || (layer->layer_norm && !layer->training), layer->batch * width);
    s.q = cutter.cut(projection && !layer->training, layer->batch * hidden);
    s.reset_h = cutter.cut(layer->cell == RKI_CELL_GRU_BEFORE, layer->batch * hidden);
    s.projected = cutter.cut(projection, layer->batch * layer->output);
    s.c_run = cutter.cut(lstm_cell, layer->batch * hidden);
    s.h_first = cutter.cut(packed, layer->batch * layer->output);
    s.x = cutter.cut(packed, rows * layer->input);
    s.y = cutter.cut(packed, rows * layer->output);
    s.counters = cutter.cut(1, device->multiprocessors);
    s.factors = cutter.cut_bytes(rki_cuda_narrow_bytes(device, rows, width, layer->input));
    s.bytes = cutter.used;
    return s;
}

rki_cuda_stash rki_cuda_stash_cut(const rki_recurrent *layer, const void *block)
{
    rki_cuda_cutter cutter(block);
    rki_cuda_stash s;
    int64_t rows = layer->steps * layer->batch, hidden = layer->hidden;
    int64_t width = rki_cell_gates(layer->cell) * hidden;
    s.gates = cutter.cut(1, rows * width);
    s.c = cutter.cut(layer->cell == RKI_CELL_LSTM, rows * hidden);
    s.q = cutter.cut(rki_cuda_has_projection(layer), rows * hidden);
    s.u_n = cutter.cut(layer->cell == RKI_CELL_GRU, rows * hidden);
    s.raw_a = cutter.cut(layer->layer_norm, rows * width);
    s.raw_u = cutter.cut(layer->layer_norm, rows * width);
    s.bytes = cutter.used;
    return s;
}

size_t rki_cuda_recurrent_stash(void *self, const rki_recurrent *layer)
{
    (void)self;
    return layer->training ? rki_cuda_stash_cut(layer, NULL).bytes : 0;
}

static int is_packed(const rki_recurrent *layer)
{
    return layer->starts != NULL || layer->lengths != NULL;
}

size_t rki_cuda_recurrent_forward_scratch(void *self, const rki_recurrent *layer)
{
    return scratch_cut(static_cast<const rki_cuda *>(self), layer, is_packed(layer), NULL).bytes;
}

size_t rki_cuda_recurrent_step_scratch(void *self, const rki_recurrent *layer)
{
    return rki_cuda_recurrent_forward_scratch(self, layer);
}

static const float *floats(const void *array)
{
    return static_cast<const float *>(array);
}

/* Where the pass's arrays are. */
static void place_arrays(pass *p, const void *stash_block, const void *scratch_block)
{
    const rki_recurrent *layer = p->layer;
    scratch s = scratch_cut(p->device, layer, p->plan.packed, scratch_block);
    p->counters = reinterpret_cast<unsigned *>(s.counters);
    p->factors = s.factors;
    p->u = s.u;
    p->reset_h = s.reset_h;
    p->projected = s.projected;
    p->c_run = s.c_run;
    p->h_first = s.h_first;
    p->x = s.x;
    p->y = s.y;
    p->a = s.a;
    p->q = s.q;
    p->gates = s.gates;
    if (!layer->training) return;
    rki_cuda_stash kept = rki_cuda_stash_cut(layer, stash_block);
    p->a = layer->layer_norm ? kept.raw_a : kept.gates;
    p->gates = layer->layer_norm ? kept.gates : NULL;
    p->raw_u = kept.raw_u;
    p->u_n = kept.u_n;
    p->q = kept.q;
    p->c_all = kept.c;
}

/* The product W_hh h of a step, into u or onto a. A GRU that resets before has two gates' worth. */
static int32_t hidden_product(
    pass *p, int64_t rows, const float *before, int64_t ld_before, float *into, int accumulate)
{
    int64_t columns = p->layer->cell == RKI_CELL_GRU_BEFORE ? 2 * p->layer->hidden : p->width;
    return rki_cuda_multiply(p->device, rows, columns, p->layer->output, {before, ld_before, 0},
        {floats(p->weights->weight_hh), p->layer->output, 1}, into, p->width, accumulate);
}

static int32_t queue_cell(pass *p, int64_t rows, const cell_step &s)
{
    int norm = p->layer->layer_norm;
    void (*kernel)(cell_step) = NULL;
    switch (p->layer->cell) {
    case RKI_CELL_TANH: kernel = norm ? elman<false, true> : elman<false, false>; break;
    case RKI_CELL_RELU: kernel = norm ? elman<true, true> : elman<true, false>; break;
    case RKI_CELL_GRU: kernel = norm ? gru<true> : gru<false>; break;
    case RKI_CELL_GRU_BEFORE: kernel = gru_before_gates; break;
    case RKI_CELL_LSTM: kernel = norm ? lstm<true> : lstm<false>; break;
    }
    dim3 grid(static_cast<unsigned>(rows));
    RKI_TRY(rki_cuda_launch(p->device, "a recurrent step", grid, THREADS, kernel, s));
    if (p->layer->cell != RKI_CELL_GRU_BEFORE) return RNNKIT_OK;
    int64_t hidden = p->layer->hidden;
    RKI_TRY(rki_cuda_multiply(p->device, rows, hidden, hidden, {s.reset_h, hidden, 0},
        {floats(p->weights->weight_hh) + 2 * hidden * hidden, hidden, 1}, p->u + 2 * hidden,
        p->width, 0));
    return rki_cuda_launch(p->device, "a recurrent step", grid, THREADS, gru_before_state, s);
}

/* h_t = zoneout of W_hr q. */
static int32_t project(pass *p, int64_t rows, const cell_step &s, float *h)
{
    int64_t output = p->layer->output, hidden = p->layer->hidden;
    float *now = p->zoneout_h.rate == 0.0f ? h : p->projected;
    int64_t ld = p->zoneout_h.rate == 0.0f ? p->ldy : output;
    /* in place, h is still the state before while the product is written */
    RKI_TRY(rki_cuda_multiply(p->device, rows, output, hidden, {s.h, hidden, 0},
        {floats(p->weights->weight_hr), hidden, 1}, now, ld, 0));
    if (now == h) return RNNKIT_OK;
    return rki_cuda_launch(p->device, "a recurrent step", static_cast<unsigned>(rows), THREADS,
        mix_rows, output, now, s.h_before, s.ld_before, h, p->ldy, p->zoneout_h, s.rows,
        s.first_row);
}

/* Step k: `before` is the block's rows of h before it. */
static int32_t queue_step(pass *p, int64_t k, const float *before, int64_t ld_before)
{
    const rki_recurrent *layer = p->layer;
    int64_t at = p->plan.offset(k), rows = p->plan.count(k), hidden = layer->hidden;
    int training = layer->training, projection = rki_cuda_has_projection(layer);
    float *h = p->y + at * p->ldy, *a = p->a + at * p->width, *u = p->u;
    if (training && layer->layer_norm) u = p->raw_u + at * p->width;
    RKI_TRY(hidden_product(p, rows, before, ld_before, u == NULL ? a : u, u == NULL));
    cell_step s = {};
    s.hidden = hidden;
    s.width = p->width;
    s.a = a;
    s.u = u;
    s.bias_ih = floats(p->weights->bias_ih);
    s.bias_hh = floats(p->weights->bias_hh);
    s.norm_ih = floats(p->weights->norm_ih);
    s.norm_hh = floats(p->weights->norm_hh);
    s.norm_c = floats(p->weights->norm_c);
    s.norm_c_bias = floats(p->weights->norm_c_bias);
    s.h_before = before;
    s.ld_before = ld_before;
    s.c_before = p->c_run;
    s.c = p->c_run;
    if (training && p->c_all != NULL) {
        if (k > 0) s.c_before = p->c_all + p->plan.offset(k - 1) * hidden;
        s.c = p->c_all + at * hidden;
    }
    s.gates = p->gates == NULL ? a : training ? p->gates + at * p->width : p->gates;
    s.u_n = p->u_n == NULL ? NULL : p->u_n + at * hidden;
    s.reset_h = p->reset_h;
    s.projected = projection;
    s.h = projection ? (training ? p->q + at * hidden : p->q) : h;
    s.ld = projection ? hidden : p->ldy;
    s.zoneout_h = p->zoneout_h;
    s.zoneout_c = p->zoneout_c;
    s.rows = p->plan.packed ? p->plan.rows + at : NULL;
    s.first_row = at;
    RKI_TRY(queue_cell(p, rows, s));
    return projection ? project(p, rows, s, h) : RNNKIT_OK;
}

/* The steps in one kernel. */
static int32_t queue_together(pass *p, const rki_cuda_slices *slices, const float *h0)
{
    rki_cuda_forward call = {};
    call.slices = *slices;
    call.walk = rki_cuda_walk_of(&p->plan);
    call.hidden = p->layer->hidden;
    call.ldy = p->ldy;
    call.weight_hh = floats(p->weights->weight_hh);
    call.bias_ih = floats(p->weights->bias_ih);
    call.bias_hh = floats(p->weights->bias_hh);
    call.a = p->a;
    call.h0 = h0;
    call.y = p->y;
    call.c_run = p->c_run;
    call.c_all = p->c_all;
    call.u_n = p->u_n;
    call.training = p->layer->training;
    if (slices->clustered) return rki_cuda_cluster_forward_queue(p->device, p->layer->cell, &call);
    call.arrived = p->counters;
    RKI_TRY(rki_cuda_check(p->device,
        cudaMemsetAsync(
            p->counters, 0, (size_t)slices->groups * sizeof(unsigned), p->device->stream),
        "clearing counters"));
    return rki_cuda_forward_queue(p->device, p->layer->cell, &call);
}

/* A step after the other, from states h0. */
struct stepwise {
    pass *of;
    const float *h0;
};

static int32_t queue_stepwise(void *work, rki_cuda *on)
{
    const stepwise *steps = static_cast<stepwise *>(work);
    pass p = *steps->of;
    p.device = on;
    for (int64_t k = 0; k < p.plan.steps; k++) {
        const float *before = k == 0 ? steps->h0 : p.y + p.plan.offset(k - 1) * p.ldy;
        RKI_TRY(queue_step(&p, k, before, k == 0 ? p.layer->output : p.ldy));
    }
    return RNNKIT_OK;
}

/* All that queue_stepwise makes launches of. */
static void set_key(rki_cuda_key *key, const pass *p, const float *h0)
{
    pass shown = *p;
    shown.device = NULL;
    shown.layer = shown.plan.layer = NULL;
    shown.weights = NULL;
    key->used = 0;
    key->add('f');
    key->add(shown);
    rki_cuda_key_layer(key, p->layer);
    key->add(*p->weights);
    key->add(h0);
}

/* The steps, from states in rank order. */
static int32_t queue_steps(pass *p, const float *h0)
{
    RKI_TRY(rki_cuda_multiply_all(p->device, p->plan.positions, p->width, p->layer->input,
        {p->x, p->ldx, 0}, {floats(p->weights->weight_ih), p->layer->input, 1}, p->a, p->width, 0,
        p->factors));
    rki_cuda_slices slices = rki_cuda_slices_plan(p->device, p->layer);
    if (slices.units > 0) return queue_together(p, &slices, h0);
    stepwise steps = {p, h0};
    if (!rki_cuda_recurs(&p->plan)) return queue_stepwise(&steps, p->device);
    rki_cuda_key key;
    set_key(&key, p, h0);
    return rki_cuda_replay(p->device, &key, queue_stepwise, &steps);
}

static int32_t copy_floats(rki_cuda *device, float *target, const float *source, int64_t count)
{
    return rki_cuda_check(device,
        cudaMemcpyAsync(target, source, (size_t)count * sizeof(float), cudaMemcpyDeviceToDevice,
            device->stream),
        "copying a state");
}

/* Initial states and x to where the steps expect them. */
static int32_t bring_in(pass *p, const rki_recurrent_forward *call, const float **h0)
{
    const rki_recurrent *layer = p->layer;
    int64_t batch = layer->batch;
    p->y = p->plan.packed ? p->y : static_cast<float *>(call->y);
    p->ldy = p->plan.packed ? layer->output : call->ldy;
    p->ldx = layer->input;
    *h0 = floats(call->h0);
    if (!p->plan.packed) {
        p->x = const_cast<float *>(floats(call->x));
        if (p->c_run == NULL) return RNNKIT_OK;
        return copy_floats(p->device, p->c_run, floats(call->c0), batch * layer->hidden);
    }
    *h0 = p->h_first;
    RKI_TRY(rki_cuda_pack(p->device, batch, layer->output, p->plan.ranks, floats(call->h0),
        layer->output, p->h_first));
    if (p->c_run != NULL)
        RKI_TRY(rki_cuda_pack(p->device, batch, layer->hidden, p->plan.ranks, floats(call->c0),
            layer->hidden, p->c_run));
    return rki_cuda_pack(p->device, p->plan.positions, layer->input, p->plan.rows, floats(call->x),
        layer->input, p->x);
}

/* Outputs and last states to where the caller wants them. */
static int32_t bring_out(pass *p, const rki_recurrent_forward *call)
{
    const rki_recurrent *layer = p->layer;
    int64_t hidden = layer->hidden;
    float *y = static_cast<float *>(call->y), *cn = static_cast<float *>(call->cn);
    if (p->plan.packed) {
        RKI_TRY(
            rki_cuda_clear(p->device, layer->steps * layer->batch, layer->output, y, call->ldy));
        RKI_TRY(rki_cuda_unpack(p->device, p->plan.positions, layer->output, p->plan.rows, p->y,
            p->ldy, y, call->ldy, 0));
    }
    RKI_TRY(rki_cuda_last(p->device, &p->plan, layer->output, p->y, p->ldy, floats(call->h0),
        static_cast<float *>(call->hn)));
    if (p->c_run == NULL) return RNNKIT_OK;
    if (p->c_all != NULL)
        return rki_cuda_last(p->device, &p->plan, hidden, p->c_all, hidden, floats(call->c0), cn);
    if (!p->plan.packed) return copy_floats(p->device, cn, p->c_run, layer->batch * hidden);
    return rki_cuda_unpack(
        p->device, layer->batch, hidden, p->plan.ranks, p->c_run, hidden, cn, hidden, 0);
}

static void start(
    pass *p, rki_cuda *device, const rki_recurrent *layer, const rki_recurrent_weights *weights)
{
    *p = pass();
    p->device = device;
    p->layer = layer;
    p->weights = weights;
    p->width = rki_cell_gates(layer->cell) * layer->hidden;
    p->zoneout_h = rki_cuda_zoneout_make(device, layer, layer->zoneout_h, 0);
    p->zoneout_c = rki_cuda_zoneout_make(device, layer, layer->zoneout_c, 1);
}

int32_t rki_cuda_recurrent_forward(void *self, const rki_recurrent_forward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    pass p;
    const float *h0;
    start(&p, device, &call->layer, &call->weights);
    RKI_TRY(rki_cuda_plan_make(&staging, &call->layer, &p.plan));
    place_arrays(&p, call->stash, call->scratch);
    RKI_TRY(bring_in(&p, call, &h0));
    RKI_TRY(queue_steps(&p, h0));
    return bring_out(&p, call);
}

/* In place: one step whose states before and after are the same arrays. */
int32_t rki_cuda_recurrent_step(void *self, const rki_recurrent_step *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    pass p;
    start(&p, device, &call->layer, &call->weights);
    RKI_TRY(rki_cuda_plan_make(&staging, &call->layer, &p.plan));
    place_arrays(&p, NULL, call->scratch);
    p.x = const_cast<float *>(floats(call->x));
    p.ldx = call->layer.input;
    p.y = static_cast<float *>(call->h);
    p.ldy = call->layer.output;
    p.c_run = static_cast<float *>(call->c);
    return queue_steps(&p, p.y);
}
