/* Pooling over the steps at which each row lives, and looking into a recurrent layer's stash. */
#include <math.h>

#include "recurrent.cuh"

enum { THREADS = 128 };

/* rki_pool with its arrays on the device. */
struct pool_call {
    int pooling;
    int64_t steps, batch, width, forward;
    const int32_t *starts, *lengths;
    const float *x;
};

/* The steps of a row: first .. first + count - 1. */
struct lifetime {
    int64_t first, count;
};

static __device__ lifetime lifetime_of(const pool_call &p, int64_t b)
{
    lifetime l = {p.starts == NULL ? 0 : p.starts[b], 0};
    l.count = p.lengths == NULL ? p.steps - l.first : p.lengths[b];
    return l;
}

static __device__ float at(const pool_call &p, int64_t t, int64_t b, int64_t j)
{
    return p.x[(t * p.batch + b) * p.width + j];
}

/* The first step with the largest value, or with the first NaN. */
static __device__ int64_t place_of_largest(const pool_call &p, lifetime l, int64_t b, int64_t j)
{
    int64_t place = l.first;
    float largest = at(p, place, b, j);
    for (int64_t t = l.first + 1; t < l.first + l.count && !isnan(largest); t++) {
        float x = at(p, t, b, j);
        if (x > largest || isnan(x)) {
            largest = x;
            place = t;
        }
    }
    return place;
}

static __device__ float mean_of(const pool_call &p, lifetime l, int64_t b, int64_t j)
{
    float sum = 0.0f;
    for (int64_t t = l.first; t < l.first + l.count; t++)
        sum += at(p, t, b, j);
    return sum / (float)l.count;
}

/* The step that LAST and MAX take column j from. */
static __device__ int64_t chosen_step(const pool_call &p, lifetime l, int64_t b, int64_t j)
{
    if (p.pooling == RKI_POOL_MAX) return place_of_largest(p, l, b, j);
    return j < p.forward ? l.first + l.count - 1 : l.first;
}

static __global__ void pool(pool_call p, float *out)
{
    int64_t b = blockIdx.x;
    lifetime l = lifetime_of(p, b);
    for (int64_t j = threadIdx.x; j < p.width; j += blockDim.x) {
        float value = 0.0f;
        if (l.count > 0)
            value = p.pooling == RKI_POOL_MEAN ? mean_of(p, l, b, j)
                                               : at(p, chosen_step(p, l, b, j), b, j);
        out[b * p.width + j] = value;
    }
}

static __global__ void pool_back(pool_call p, const float *dout, float *dx)
{
    int64_t b = blockIdx.x;
    lifetime l = lifetime_of(p, b);
    for (int64_t j = threadIdx.x; j < p.width; j += blockDim.x) {
        float d = dout[b * p.width + j];
        int mean = p.pooling == RKI_POOL_MEAN;
        int64_t chosen = mean || l.count == 0 ? -1 : chosen_step(p, l, b, j);
        for (int64_t t = 0; t < p.steps; t++) {
            int lives = t >= l.first && t < l.first + l.count;
            dx[(t * p.batch + b) * p.width + j] =
                mean ? (lives ? d / (float)l.count : 0.0f) : (t == chosen ? d : 0.0f);
        }
    }
}

/* Sends starts and lengths, where there are any. */
static int32_t bring_in(rki_cuda_staging *staging, const rki_pool *call, pool_call *p)
{
    size_t bytes = (size_t)call->batch * sizeof(int32_t);
    int starts = call->starts == NULL ? -1 : staging->add(call->starts, bytes);
    int lengths = call->lengths == NULL ? -1 : staging->add(call->lengths, bytes);
    if (starts >= 0 || lengths >= 0) RKI_TRY(staging->commit());
    p->pooling = call->pooling;
    p->steps = call->steps;
    p->batch = call->batch;
    p->width = call->width;
    p->forward = call->forward;
    p->starts = starts < 0 ? NULL : staging->at<int32_t>(starts);
    p->lengths = lengths < 0 ? NULL : staging->at<int32_t>(lengths);
    p->x = static_cast<const float *>(call->x);
    return RNNKIT_OK;
}

int32_t rki_cuda_pool(void *self, const rki_pool *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    pool_call p;
    RKI_TRY(bring_in(&staging, call, &p));
    return rki_cuda_launch(device, "pool", static_cast<unsigned>(call->batch), THREADS, pool, p,
        static_cast<float *>(call->out));
}

int32_t rki_cuda_pool_backward(void *self, const rki_pool_backward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    pool_call p;
    RKI_TRY(bring_in(&staging, &call->forward, &p));
    return rki_cuda_launch(device, "pool_backward", static_cast<unsigned>(call->forward.batch),
        THREADS, pool_back, p, static_cast<const float *>(call->dout),
        static_cast<float *>(call->dx));
}

/* A stash array, whose rows are positions, as the caller's array of steps and rows. */
static int32_t show(
    rki_cuda *device, const rki_cuda_plan *plan, int64_t width, const float *positions, void *out)
{
    float *shown = static_cast<float *>(out);
    int64_t rows = plan->layer->steps * plan->layer->batch;
    if (!plan->packed)
        return rki_cuda_check(device,
            cudaMemcpyAsync(shown, positions, (size_t)(rows * width) * sizeof(float),
                cudaMemcpyDeviceToDevice, device->stream),
            "copying gates");
    RKI_TRY(rki_cuda_clear(device, rows, width, shown, width));
    return rki_cuda_unpack(
        device, plan->positions, width, plan->rows, positions, width, shown, width, 0);
}

int32_t rki_cuda_recurrent_gates(void *self, const rki_recurrent_gates *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    rki_cuda_plan plan;
    RKI_TRY(rki_cuda_plan_make(&staging, &call->layer, &plan));
    rki_cuda_stash stash = rki_cuda_stash_cut(&call->layer, call->stash);
    int64_t hidden = call->layer.hidden, width = rki_cell_gates(call->layer.cell) * hidden;
    RKI_TRY(show(device, &plan, width, stash.gates, call->gates));
    if (call->cells == NULL) return RNNKIT_OK;
    return show(device, &plan, hidden, stash.c, call->cells);
}
