/* Attention; equations and masks are in backend/attention.h. A block has a query of one head and
 * row (forward, backward of the queries) or a position of the source (its backward); no array of
 * queries times positions times width is ever held. Per query, position s and column a:
 *
 *   dp_s = dcontext . values_s + dweights_s      de_s = p_s (dp_s - sum_r p_r dp_r)
 *   DOT       dq = scale sum_s de_s keys_s       dkeys_s = scale sum_t de_ts q_t
 *   ADDITIVE  dq_a = v_a sum_s de_s (1 - h_a^2)  dkeys_sa = v_a sum_t de_ts (1 - h_a^2)
 *             dv_a = sum_t,s de_ts h_a           with h_a = tanh(q_ta + keys_sa)
 *   dvalues_s = sum_t p_ts dcontext_t
 *
 * With a window, p_s = a_s g_s with a_s of the softmax: de_s = a_s (g_s dp_s - sum_r p_r dp_r),
 * dz = c (1 - c / length) sum_s p_s dp_s (s - c) / (D / 2)^2
 */
#include <math.h>

#include "cells.cuh"

enum { THREADS = RKI_CUDA_CELL_THREADS, WARP = RKI_CUDA_WARP, WARPS = THREADS / WARP };

/* rki_attention with its arrays on the device; widths are those of one head. */
struct view {
    int additive, causal;
    int64_t queries, positions, batch, heads, width, value_width;
    float scale;
    const int32_t *lengths, *query_lengths;
    const float *q, *keys, *values, *v;
    int64_t ldq, ldkeys, ldvalues;
    int64_t window;
    const float *centers;
};

/* Query t of head n and row b. */
struct query {
    int64_t n, t, b;
};

static __device__ query query_of(const view &a, int64_t block)
{
    query at = {block / (a.queries * a.batch), block / a.batch % a.queries, block % a.batch};
    return at;
}

/* How many positions a query sees. */
static __device__ int64_t limit_of(const view &a, query at)
{
    int64_t limit = a.lengths == NULL ? a.positions : a.lengths[at.b];
    if (a.causal && limit > at.t + 1) limit = at.t + 1;
    return a.query_lengths != NULL && at.t >= a.query_lengths[at.b] ? 0 : limit;
}

/* The positions begin .. end - 1 that a query sees, and with a window where its center is. */
struct span {
    int64_t begin, end;
    float center, slope; /* c and dc/dz */
};

/* A center that is NaN takes nothing away. */
static __device__ span span_of(const view &a, query at)
{
    span s = {0, limit_of(a, at), 0.0f, 0.0f};
    if (a.window == 0 || s.end == 0) return s;
    float part = rki_cuda_sigmoid(a.centers[at.t * a.batch + at.b]);
    s.center = (float)(a.lengths == NULL ? a.positions : a.lengths[at.b]) * part;
    s.slope = s.center * (1.0f - part);
    double first = (double)s.center - (double)a.window, last = (double)s.center + (double)a.window;
    if (last + 1.0 < (double)s.end) s.end = (int64_t)last + 1;
    if (first > 0.0) s.begin = (int64_t)ceil(first);
    if (s.begin > s.end) s.begin = s.end;
    return s;
}

static __device__ float variance(const view &a)
{
    return 0.25f * (float)a.window * (float)a.window;
}

/* g of a window, 1 without one. */
static __device__ float nearness(const view &a, span seen, int64_t s)
{
    float off = (float)s - seen.center;
    return a.window == 0 ? 1.0f : expf(-0.5f * off * off / variance(a));
}

static __device__ int64_t weights_of(const view &a, query at)
{
    return ((at.n * a.queries + at.t) * a.batch + at.b) * a.positions;
}

static __device__ int64_t q_of(const view &a, query at)
{
    return (at.t * a.batch + at.b) * a.ldq + at.n * a.width;
}

static __device__ int64_t context_of(const view &a, query at)
{
    return ((at.t * a.batch + at.b) * a.heads + at.n) * a.value_width;
}

static __device__ int64_t key_of(const view &a, int64_t n, int64_t b, int64_t s)
{
    return (s * a.batch + b) * a.ldkeys + n * a.width;
}

static __device__ int64_t value_of(const view &a, int64_t n, int64_t b, int64_t s)
{
    return (s * a.batch + b) * a.ldvalues + n * a.value_width;
}

static __device__ float warp_sum(float sum)
{
    for (int step = WARP / 2; step > 0; step /= 2)
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, step);
    return sum;
}

/* e_s by a warp, for every lane. */
static __device__ float score(const view &a, query at, int64_t s)
{
    const float *q = a.q + q_of(a, at), *key = a.keys + key_of(a, at.n, at.b, s);
    float sum = 0.0f;
    for (int64_t j = threadIdx.x % WARP; j < a.width; j += WARP)
        sum = a.additive ? fmaf(a.v[at.n * a.width + j], rki_cuda_tanh(q[j] + key[j]), sum)
                         : fmaf(q[j], key[j], sum);
    sum = warp_sum(sum);
    return a.additive ? sum : a.scale * sum;
}

/* The largest of a block's numbers, passing over NaN; for every thread. */
static __device__ float row_largest(float mine)
{
    __shared__ float largest[WARPS];
    for (int step = WARP / 2; step > 0; step /= 2)
        mine = fmaxf(mine, __shfl_xor_sync(0xFFFFFFFFu, mine, step));
    if (threadIdx.x % WARP == 0) largest[threadIdx.x / WARP] = mine;
    __syncthreads();
    for (int i = 0; i < WARPS; i++)
        mine = fmaxf(mine, largest[i]);
    return mine;
}

static __global__ void attend(view a, float *weights, float *context)
{
    query at = query_of(a, blockIdx.x);
    span seen = span_of(a, at);
    float *p = weights + weights_of(a, at), largest = -INFINITY, sum = 0.0f;
    for (int64_t s = seen.begin + threadIdx.x / WARP; s < seen.end; s += WARPS) {
        float e = score(a, at, s);
        if (threadIdx.x % WARP == 0) p[s] = e;
    }
    __syncthreads();
    for (int64_t s = seen.begin + threadIdx.x; s < seen.end; s += THREADS)
        largest = fmaxf(largest, p[s]);
    largest = row_largest(largest);
    for (int64_t s = seen.begin + threadIdx.x; s < seen.end; s += THREADS)
        sum += expf(p[s] - largest);
    sum = rki_cuda_row_sum(sum);
    for (int64_t s = threadIdx.x; s < a.positions; s += THREADS)
        p[s] = s >= seen.begin && s < seen.end ? expf(p[s] - largest) / sum * nearness(a, seen, s)
                                               : 0.0f;
    __syncthreads();
    for (int64_t j = threadIdx.x; j < a.value_width; j += THREADS) {
        float mixed = 0.0f;
        for (int64_t s = seen.begin; s < seen.end; s++)
            mixed = fmaf(p[s], a.values[value_of(a, at.n, at.b, s) + j], mixed);
        context[context_of(a, at) + j] = mixed;
    }
}

static __global__ void attend_back(view a, const float *weights, const float *dcontext,
    const float *dweights, float *dscores, float *dq, float *dcenters)
{
    query at = query_of(a, blockIdx.x);
    span seen = span_of(a, at);
    int64_t place = weights_of(a, at);
    const float *p = weights + place, *dmixed = dcontext + context_of(a, at);
    const float *q = a.q + q_of(a, at);
    float *de = dscores + place, mean = 0.0f, dcenter = 0.0f;
    for (int64_t s = seen.begin + threadIdx.x / WARP; s < seen.end; s += WARPS) {
        const float *value = a.values + value_of(a, at.n, at.b, s);
        float dp = 0.0f;
        for (int64_t j = threadIdx.x % WARP; j < a.value_width; j += WARP)
            dp = fmaf(dmixed[j], value[j], dp);
        dp = warp_sum(dp);
        if (threadIdx.x % WARP == 0) de[s] = dweights == NULL ? dp : dp + dweights[place + s];
    }
    __syncthreads();
    for (int64_t s = seen.begin + threadIdx.x; s < seen.end; s += THREADS) {
        mean = fmaf(p[s], de[s], mean);
        dcenter = fmaf(p[s] * de[s], (float)s - seen.center, dcenter);
    }
    mean = rki_cuda_row_sum(mean);
    if (a.window > 0) dcenter = rki_cuda_row_sum(dcenter);
    if (a.window > 0 && threadIdx.x == 0)
        dcenters[at.t * a.batch + at.b] = dcenter / variance(a) * seen.slope;
    for (int64_t s = threadIdx.x; s < a.positions; s += THREADS) {
        float near = nearness(a, seen, s);
        de[s] = s >= seen.begin && s < seen.end ? p[s] / near * (de[s] * near - mean) : 0.0f;
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < a.width; j += THREADS) {
        float sum = 0.0f;
        for (int64_t s = seen.begin; s < seen.end; s++) {
            float key = a.keys[key_of(a, at.n, at.b, s) + j];
            float h = a.additive ? rki_cuda_tanh(q[j] + key) : 0.0f;
            sum = fmaf(de[s], a.additive ? 1.0f - h * h : key, sum);
        }
        float slope = a.additive ? a.v[at.n * a.width + j] : a.scale;
        dq[q_of(a, at) + j] = seen.begin == seen.end ? 0.0f : sum * slope; /* even where v is NaN */
    }
}

/* Column j of a position: dkeys, and what it adds to dv. */
static __device__ void key_back(const view &a, int64_t n, int64_t b, int64_t s, int64_t j,
    const float *dscores, float *dkeys, float *dv_parts)
{
    float key = a.keys[key_of(a, n, b, s) + j], sum = 0.0f, dv = 0.0f;
    int seen = 0;
    for (int64_t t = 0; t < a.queries; t++) {
        query at = {n, t, b};
        if (s >= limit_of(a, at)) continue;
        seen = 1;
        float de = dscores[weights_of(a, at) + s], q = a.q[q_of(a, at) + j];
        float h = a.additive ? rki_cuda_tanh(q + key) : 0.0f;
        sum = fmaf(de, a.additive ? 1.0f - h * h : q, sum);
        dv = fmaf(de, h, dv);
    }
    float slope = a.additive ? a.v[n * a.width + j] : a.scale;
    if (dkeys != NULL) dkeys[key_of(a, n, b, s) + j] = seen ? sum * slope : 0.0f;
    if (dv_parts != NULL) dv_parts[(s * a.batch + b) * a.heads * a.width + n * a.width + j] = dv;
}

static __global__ void source_back(view a, const float *weights, const float *dscores,
    const float *dcontext, float *dkeys, float *dvalues, int add_values, float *dv_parts)
{
    int64_t n = blockIdx.x % a.heads, b = blockIdx.x / a.heads % a.batch;
    int64_t s = blockIdx.x / (a.heads * a.batch);
    if (dkeys != NULL || dv_parts != NULL)
        for (int64_t j = threadIdx.x; j < a.width; j += THREADS)
            key_back(a, n, b, s, j, dscores, dkeys, dv_parts);
    if (dvalues == NULL) return;
    for (int64_t j = threadIdx.x; j < a.value_width; j += THREADS) {
        float sum = 0.0f;
        for (int64_t t = 0; t < a.queries; t++) {
            query at = {n, t, b};
            if (s < limit_of(a, at))
                sum = fmaf(weights[weights_of(a, at) + s], dcontext[context_of(a, at) + j], sum);
        }
        float *value = dvalues + value_of(a, n, b, s) + j;
        *value = add_values ? *value + sum : sum;
    }
}

static const float *floats(const void *array)
{
    return static_cast<const float *>(array);
}

static int32_t make_view(rki_cuda_staging *staging, const rki_attention *call, view *a)
{
    size_t bytes = (size_t)call->batch * sizeof(int32_t);
    int lengths = call->lengths == NULL ? -1 : staging->add(call->lengths, bytes);
    int queries = call->query_lengths == NULL ? -1 : staging->add(call->query_lengths, bytes);
    if (lengths >= 0 || queries >= 0) RKI_TRY(staging->commit());
    *a = view();
    a->additive = call->score == RKI_SCORE_ADDITIVE;
    a->causal = call->causal;
    a->queries = call->queries;
    a->positions = call->positions;
    a->batch = call->batch;
    a->heads = call->heads;
    a->width = call->width / call->heads;
    a->value_width = call->value_width / call->heads;
    a->scale = (float)call->scale;
    a->lengths = lengths < 0 ? NULL : staging->at<int32_t>(lengths);
    a->query_lengths = queries < 0 ? NULL : staging->at<int32_t>(queries);
    a->q = floats(call->q);
    a->keys = floats(call->keys);
    a->values = floats(call->values);
    a->v = floats(call->v);
    a->ldq = call->ldq;
    a->ldkeys = call->ldkeys;
    a->ldvalues = call->ldvalues;
    a->window = call->window;
    a->centers = floats(call->centers);
    return RNNKIT_OK;
}

int32_t rki_cuda_attention_forward(void *self, const rki_attention_forward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    view a;
    RKI_TRY(make_view(&staging, &call->attention, &a));
    return rki_cuda_launch(device, "attention_forward",
        static_cast<unsigned>(a.heads * a.queries * a.batch), THREADS, attend, a,
        static_cast<float *>(call->weights), static_cast<float *>(call->context));
}

int32_t rki_cuda_attention_backward(void *self, const rki_attention_backward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    view a;
    RKI_TRY(make_view(&staging, &call->attention, &a));
    return rki_cuda_launch(device, "attention_backward",
        static_cast<unsigned>(a.heads * a.queries * a.batch), THREADS, attend_back, a,
        floats(call->weights), floats(call->dcontext), floats(call->dweights),
        static_cast<float *>(call->dscores), static_cast<float *>(call->dq),
        static_cast<float *>(call->dcenters));
}

/* What each position adds to dv. */
size_t rki_cuda_attention_source_scratch(void *self, const rki_attention *attention)
{
    (void)self;
    if (attention->score != RKI_SCORE_ADDITIVE) return 0;
    return (size_t)(attention->positions * attention->batch * attention->width) * sizeof(float);
}

int32_t rki_cuda_attention_source(void *self, const rki_attention_source *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    view a;
    RKI_TRY(make_view(&staging, &call->attention, &a));
    int64_t rows = a.positions * a.batch;
    float *parts = call->dv == NULL ? NULL : static_cast<float *>(call->scratch);
    RKI_TRY(rki_cuda_launch(device, "attention_source", static_cast<unsigned>(rows * a.heads),
        THREADS, source_back, a, floats(call->weights), floats(call->dscores),
        floats(call->dcontext), static_cast<float *>(call->dkeys),
        static_cast<float *>(call->dvalues), call->add_values, parts));
    if (parts == NULL) return RNNKIT_OK;
    return rki_cuda_queue_column_sum(
        device, rows, call->attention.width, parts, 1, static_cast<float *>(call->dv));
}
