/* Recurrent layers, backward through time: for each step, from the last to the first, one kernel
 * (cells_backward.cuh) and a product with W_hh; then the products for x and the weights, which are
 * over the whole sequence.
 */
#include <math.h>

#include "cells_backward.cuh"
#include "cluster.cuh"

enum { THREADS = RKI_CUDA_CELL_THREADS };

/* Arrays by position, in scratch; NULL where the layer has no use for one. */
struct scratch {
    float *ds_a, *ds_u, *through_a, *through_u, *norm_a, *norm_u, *dshown, *norm_shown;
    float *previous, *dh, *dq, *reset_h, *dreset_h, *carry_h, *carry_c;
    float *x, *dy, *dx, *c_first; /* packed */
    float *counters;
    void *factors; /* of one product at a time */
    size_t bytes;
};

/* For the factors of any of the products over all positions. */
static size_t factors_bytes(const rki_cuda *device, const rki_recurrent *layer)
{
    int64_t rows = layer->steps * layer->batch, width = rki_cell_gates(layer->cell) * layer->hidden;
    size_t sizes[] = {rki_cuda_narrow_bytes(device, width, layer->input, rows),
        rki_cuda_narrow_bytes(device, width, layer->output, rows),
        rki_cuda_narrow_bytes(device, layer->output, layer->hidden, rows),
        rki_cuda_narrow_bytes(device, rows, layer->input, width)};
    size_t most = 0;
    for (size_t size : sizes)
        most = size > most ? size : most;
    return most;
}

static scratch scratch_cut(
    const rki_cuda *device, const rki_recurrent *layer, int packed, const void *block)
{
    rki_cuda_cutter cutter(block);
    scratch s;
    int64_t rows = layer->steps * layer->batch, hidden = layer->hidden, output = layer->output;
    int64_t width = rki_cell_gates(layer->cell) * hidden, batch = layer->batch;
    int norm = layer->layer_norm, lstm = layer->cell == RKI_CELL_LSTM;
    int projection = rki_cuda_has_projection(layer), before = layer->cell == RKI_CELL_GRU_BEFORE;
    s.ds_a = cutter.cut(1, rows * width);
    s.ds_u = layer->cell == RKI_CELL_GRU ? cutter.cut(1, rows * width) : s.ds_a;
    s.through_a = norm ? cutter.cut(1, rows * width) : s.ds_a;
    s.through_u = norm ? cutter.cut(1, rows * width) : s.ds_u;
    s.norm_a = cutter.cut(norm, rows * width);
    s.norm_u = cutter.cut(norm, rows * width);
    s.dshown = cutter.cut(norm && lstm, rows * hidden);
    s.norm_shown = cutter.cut(norm && lstm, rows * hidden);
    s.previous = cutter.cut(1, rows * output);
    s.dh = cutter.cut(projection, rows * output);
    s.dq = cutter.cut(projection, batch * hidden);
    s.reset_h = cutter.cut(before, rows * hidden);
    s.dreset_h = cutter.cut(before, batch * hidden);
    s.carry_h = cutter.cut(1, batch * output);
    s.carry_c = cutter.cut(lstm, batch * hidden);
    s.x = cutter.cut(packed, rows * layer->input);
    s.dy = cutter.cut(packed, rows * output);
    s.dx = cutter.cut(packed, rows * layer->input);
    s.c_first = cutter.cut(packed && lstm, batch * hidden);
    s.counters = cutter.cut(1, device->multiprocessors);
    s.factors = cutter.cut_bytes(factors_bytes(device, layer));
    s.bytes = cutter.used;
    return s;
}

size_t rki_cuda_recurrent_backward_scratch(void *self, const rki_recurrent *layer)
{
    return scratch_cut(static_cast<const rki_cuda *>(self), layer,
        layer->starts != NULL || layer->lengths != NULL, NULL)
        .bytes;
}

struct pass {
    rki_cuda *device;
    const rki_recurrent_backward *call;
    const rki_recurrent *layer;
    rki_cuda_plan plan;
    rki_cuda_stash stash;
    scratch scratch_;
    int64_t width, lddy;
    const float *x, *dy, *c_first;
    rki_cuda_zoneout zoneout_h, zoneout_c;
};

static const float *floats(const void *array)
{
    return static_cast<const float *>(array);
}

/* The caller's arrays, packed if the plan is. */
static int32_t bring_in(pass *p)
{
    const rki_recurrent_backward *call = p->call;
    const rki_recurrent *layer = p->layer;
    scratch *s = &p->scratch_;
    RKI_TRY(rki_cuda_previous(
        p->device, &p->plan, floats(call->y), call->ldy, floats(call->h0), s->previous));
    p->x = floats(call->x);
    p->dy = floats(call->dy);
    p->lddy = call->lddy;
    p->c_first = floats(call->c0);
    if (!p->plan.packed) return RNNKIT_OK;
    RKI_TRY(rki_cuda_pack(
        p->device, p->plan.positions, layer->input, p->plan.rows, p->x, layer->input, s->x));
    RKI_TRY(rki_cuda_pack(
        p->device, p->plan.positions, layer->output, p->plan.rows, p->dy, p->lddy, s->dy));
    p->x = s->x;
    p->dy = s->dy;
    p->lddy = layer->output;
    if (s->c_first == NULL) return RNNKIT_OK;
    RKI_TRY(rki_cuda_pack(p->device, layer->batch, layer->hidden, p->plan.ranks, p->c_first,
        layer->hidden, s->c_first));
    p->c_first = s->c_first;
    return RNNKIT_OK;
}

static float *row_of(float *array, int64_t row, int64_t width)
{
    return array == NULL ? NULL : array + row * width;
}

static rki_cuda_back_step make_step(const pass *p, int64_t k)
{
    const rki_recurrent *layer = p->layer;
    const rki_recurrent_weights *weights = &p->call->weights;
    const scratch *own = &p->scratch_;
    int64_t at = p->plan.offset(k), hidden = layer->hidden;
    rki_cuda_back_step s = {};
    s.hidden = hidden;
    s.width = p->width;
    s.output = layer->output;
    s.gates = p->stash.gates + at * p->width;
    s.u_n = row_of(p->stash.u_n, at, hidden);
    s.raw_a = row_of(p->stash.raw_a, at, p->width);
    s.raw_u = row_of(p->stash.raw_u, at, p->width);
    if (layer->cell == RKI_CELL_LSTM)
        s.c_before = k == 0 ? p->c_first : p->stash.c + p->plan.offset(k - 1) * hidden;
    s.norm_ih = floats(weights->norm_ih);
    s.norm_hh = floats(weights->norm_hh);
    s.norm_c = floats(weights->norm_c);
    s.norm_c_bias = floats(weights->norm_c_bias);
    s.h_before = own->previous + at * layer->output;
    s.dy = p->dy + at * p->lddy;
    s.lddy = p->lddy;
    s.dhn = floats(p->call->dhn);
    s.dcn = floats(p->call->dcn);
    s.ranks = p->plan.ranks;
    s.next = k + 1 < p->plan.steps ? p->plan.count(k + 1) : 0;
    s.carry_h = own->carry_h;
    s.carry_c = own->carry_c;
    s.dh = row_of(own->dh, at, layer->output);
    s.ds_a = own->ds_a + at * p->width;
    s.ds_u = own->ds_u + at * p->width;
    s.reset_h = row_of(own->reset_h, at, hidden);
    s.dreset_h = own->dreset_h;
    s.through_a = own->through_a + at * p->width;
    s.through_u = own->through_u + at * p->width;
    s.norm_a = row_of(own->norm_a, at, p->width);
    s.norm_u = row_of(own->norm_u, at, p->width);
    s.dshown = row_of(own->dshown, at, hidden);
    s.norm_shown = row_of(own->norm_shown, at, hidden);
    s.zoneout_h = p->zoneout_h;
    s.zoneout_c = p->zoneout_c;
    s.rows = p->plan.packed ? p->plan.rows + at : NULL;
    s.first_row = at;
    return s;
}

static int32_t queue_kernel(
    pass *p, int64_t rows, void (*kernel)(rki_cuda_back_step), const rki_cuda_back_step &s)
{
    return rki_cuda_launch(
        p->device, "a recurrent step, backward", static_cast<unsigned>(rows), THREADS, kernel, s);
}

/* Resetting before the product: the gradient of r h comes out of a product of its own. */
static int32_t queue_gru_before(pass *p, int64_t rows, const rki_cuda_back_step &s)
{
    int64_t hidden = p->layer->hidden;
    const float *weight = floats(p->call->weights.weight_hh);
    RKI_TRY(queue_kernel(p, rows, gru_before_back_state, s));
    RKI_TRY(rki_cuda_multiply(p->device, rows, hidden, hidden, {s.ds_a + 2 * hidden, p->width, 0},
        {weight + 2 * hidden * hidden, hidden, 0}, s.dreset_h, hidden, 0));
    RKI_TRY(queue_kernel(p, rows, gru_before_back_reset, s));
    return rki_cuda_multiply(p->device, rows, hidden, 2 * hidden, {s.ds_a, p->width, 0},
        {weight, hidden, 0}, s.carry_h, hidden, 1);
}

static int32_t queue_projection(pass *p, int64_t rows, rki_cuda_back_step *s)
{
    int64_t hidden = p->layer->hidden, output = p->layer->output;
    RKI_TRY(queue_kernel(p, rows, projection_back, *s));
    RKI_TRY(rki_cuda_multiply(p->device, rows, hidden, output, {s->dh, output, 0},
        {floats(p->call->weights.weight_hr), hidden, 0}, p->scratch_.dq, hidden, 0));
    s->dq = p->scratch_.dq;
    return RNNKIT_OK;
}

static int32_t queue_step(pass *p, int64_t k)
{
    const rki_recurrent *layer = p->layer;
    int64_t rows = p->plan.count(k), output = layer->output;
    int norm = layer->layer_norm, direct = layer->zoneout_h > 0.0 || layer->cell == RKI_CELL_GRU;
    rki_cuda_back_step s = make_step(p, k);
    void (*kernel)(rki_cuda_back_step) = NULL;
    switch (layer->cell) {
    case RKI_CELL_TANH: kernel = norm ? elman_back<false, true> : elman_back<false, false>; break;
    case RKI_CELL_RELU: kernel = norm ? elman_back<true, true> : elman_back<true, false>; break;
    case RKI_CELL_GRU: kernel = norm ? gru_back<true> : gru_back<false>; break;
    case RKI_CELL_GRU_BEFORE: return queue_gru_before(p, rows, s);
    case RKI_CELL_LSTM: kernel = norm ? lstm_back<true> : lstm_back<false>; break;
    }
    if (rki_cuda_has_projection(layer)) RKI_TRY(queue_projection(p, rows, &s));
    RKI_TRY(queue_kernel(p, rows, kernel, s));
    return rki_cuda_multiply(p->device, rows, output, p->width, {s.through_u, p->width, 0},
        {floats(p->call->weights.weight_hh), output, 0}, s.carry_h, output, direct);
}

/* All steps in one kernel. */
static int32_t queue_together(pass *p, const rki_cuda_slices *slices)
{
    const scratch *s = &p->scratch_;
    rki_cuda_backward call = {};
    call.slices = *slices;
    call.walk = rki_cuda_walk_of(&p->plan);
    call.hidden = p->layer->hidden;
    call.lddy = p->lddy;
    call.weight_hh = floats(p->call->weights.weight_hh);
    call.gates = p->stash.gates;
    call.c_all = p->stash.c;
    call.c_first = p->c_first;
    call.dy = p->dy;
    call.dhn = floats(p->call->dhn);
    call.dcn = floats(p->call->dcn);
    call.ranks = p->plan.ranks;
    call.h_before = s->previous;
    call.u_n = p->stash.u_n;
    call.ds_a = s->ds_a;
    call.ds_u = s->ds_u;
    call.carry_h = s->carry_h;
    call.carry_c = s->carry_c;
    if (slices->clustered) return rki_cuda_cluster_backward_queue(p->device, p->layer->cell, &call);
    call.arrived = reinterpret_cast<unsigned *>(s->counters);
    RKI_TRY(rki_cuda_check(p->device,
        cudaMemsetAsync(
            s->counters, 0, (size_t)slices->groups * sizeof(unsigned), p->device->stream),
        "clearing counters"));
    return rki_cuda_backward_queue(p->device, p->layer->cell, &call);
}

static int32_t queue_stepwise(void *work, rki_cuda *on)
{
    pass p = *static_cast<pass *>(work);
    p.device = on;
    for (int64_t k = p.plan.steps - 1; k >= 0; k--)
        RKI_TRY(queue_step(&p, k));
    return RNNKIT_OK;
}

/* All that queue_stepwise makes launches of. */
static void set_key(rki_cuda_key *key, const pass *p)
{
    pass shown = *p;
    shown.device = NULL;
    shown.call = NULL;
    shown.layer = shown.plan.layer = NULL;
    key->used = 0;
    key->add('b');
    key->add(shown);
    rki_cuda_key_layer(key, p->layer);
    key->add(p->call->weights);
    key->add(p->call->dhn);
    key->add(p->call->dcn);
}

static int32_t queue_steps(pass *p)
{
    rki_cuda_slices slices = rki_cuda_slices_plan(p->device, p->layer);
    if (slices.units > 0) return queue_together(p, &slices);
    if (!rki_cuda_recurs(&p->plan)) return queue_stepwise(p, p->device);
    rki_cuda_key key;
    set_key(&key, p);
    return rki_cuda_replay(p->device, &key, queue_stepwise, p);
}

/* gradient [m][n] += of^T by, over all positions. */
static int32_t add_product(pass *p, int64_t m, int64_t n, const float *of, int64_t ld_of,
    const float *by, int64_t ld_by, float *gradient)
{
    return rki_cuda_multiply_all(p->device, m, n, p->plan.positions, {of, ld_of, 1}, {by, ld_by, 0},
        gradient, n, 1, p->scratch_.factors);
}

static int32_t add_sum(pass *p, int64_t width, const float *of, void *gradient)
{
    if (gradient == NULL || p->plan.positions == 0) return RNNKIT_OK;
    return rki_cuda_queue_column_sum(
        p->device, p->plan.positions, width, of, 1, static_cast<float *>(gradient));
}

static int32_t add_weights(pass *p)
{
    const rki_recurrent *layer = p->layer;
    const rki_recurrent_gradients *to = &p->call->gradients;
    const scratch *s = &p->scratch_;
    int64_t width = p->width, hidden = layer->hidden, output = layer->output;
    float *weight_hh = static_cast<float *>(to->weight_hh);
    RKI_TRY(add_product(p, width, layer->input, s->through_a, width, p->x, layer->input,
        static_cast<float *>(to->weight_ih)));
    if (layer->cell == RKI_CELL_GRU_BEFORE) {
        RKI_TRY(add_product(p, 2 * hidden, hidden, s->ds_a, width, s->previous, hidden, weight_hh));
        RKI_TRY(add_product(p, hidden, hidden, s->ds_a + 2 * hidden, width, s->reset_h, hidden,
            weight_hh + 2 * hidden * hidden));
    } else {
        RKI_TRY(add_product(p, width, output, s->through_u, width, s->previous, output, weight_hh));
    }
    if (s->dh != NULL)
        RKI_TRY(add_product(p, output, hidden, s->dh, output, p->stash.q, hidden,
            static_cast<float *>(to->weight_hr)));
    RKI_TRY(add_sum(p, width, s->ds_a, to->bias_ih));
    return add_sum(p, width, s->ds_u, to->bias_hh);
}

static int32_t add_norms(pass *p)
{
    const rki_recurrent_gradients *to = &p->call->gradients;
    const scratch *s = &p->scratch_;
    RKI_TRY(add_sum(p, p->width, s->norm_a, to->norm_ih));
    RKI_TRY(add_sum(p, p->width, s->norm_u, to->norm_hh));
    RKI_TRY(add_sum(p, p->layer->hidden, s->norm_shown, to->norm_c));
    return add_sum(p, p->layer->hidden, s->dshown, to->norm_c_bias);
}

static int32_t write_dx(pass *p)
{
    const rki_recurrent *layer = p->layer;
    const rki_recurrent_backward *call = p->call;
    int64_t input = layer->input;
    if (call->dx == NULL) return RNNKIT_OK;
    float *dx = p->plan.packed ? p->scratch_.dx : static_cast<float *>(call->dx);
    RKI_TRY(rki_cuda_multiply_all(p->device, p->plan.positions, input, p->width,
        {p->scratch_.through_a, p->width, 0}, {floats(call->weights.weight_ih), input, 0}, dx,
        input, !p->plan.packed && call->accumulate_dx, p->scratch_.factors));
    if (!p->plan.packed) return RNNKIT_OK;
    if (!call->accumulate_dx)
        RKI_TRY(rki_cuda_clear(
            p->device, layer->steps * layer->batch, input, static_cast<float *>(call->dx), input));
    return rki_cuda_unpack(p->device, p->plan.positions, input, p->plan.rows, dx, input,
        static_cast<float *>(call->dx), input, call->accumulate_dx);
}

/* The initial state's gradient: what was carried to a row's first step, or what was given at the
 * end of a row without steps. */
static __global__ void first_states(int64_t batch, int64_t width, const int32_t *ranks,
    int64_t living, const float *carry, const float *given, float *out)
{
    for (int64_t r = blockIdx.x; r < batch; r += gridDim.x) {
        int64_t b = ranks == NULL ? r : ranks[r];
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            out[b * width + j] = r < living      ? carry[r * width + j]
                                 : given != NULL ? given[b * width + j]
                                                 : 0.0f;
    }
}

static int32_t write_state(pass *p, int64_t width, const float *carry, const void *given, void *out)
{
    if (out == NULL) return RNNKIT_OK;
    int64_t living = p->plan.steps == 0 ? 0 : p->plan.count(0);
    return rki_cuda_launch(p->device, "gradients of a state", rki_cuda_blocks(p->layer->batch, 1),
        THREADS, first_states, p->layer->batch, width, p->plan.ranks, living, carry, floats(given),
        static_cast<float *>(out));
}

int32_t rki_cuda_recurrent_backward(void *self, const rki_recurrent_backward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    pass p = {};
    p.device = device;
    p.call = call;
    p.layer = &call->layer;
    p.width = rki_cell_gates(call->layer.cell) * call->layer.hidden;
    p.zoneout_h = rki_cuda_zoneout_make(device, p.layer, p.layer->zoneout_h, 0);
    p.zoneout_c = rki_cuda_zoneout_make(device, p.layer, p.layer->zoneout_c, 1);
    RKI_TRY(rki_cuda_plan_make(&staging, p.layer, &p.plan));
    p.stash = rki_cuda_stash_cut(p.layer, call->stash);
    p.scratch_ = scratch_cut(device, p.layer, p.plan.packed, call->scratch);
    RKI_TRY(bring_in(&p));
    RKI_TRY(queue_steps(&p));
    RKI_TRY(write_state(&p, p.layer->output, p.scratch_.carry_h, call->dhn, call->dh0));
    RKI_TRY(write_state(&p, p.layer->hidden, p.scratch_.carry_c, call->dcn, call->dc0));
    RKI_TRY(add_weights(&p));
    RKI_TRY(add_norms(&p));
    return write_dx(&p);
}
