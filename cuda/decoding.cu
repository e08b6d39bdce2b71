/* What a decoder does step by step beside products and attention: a cell by itself, tanh, and the
 * most likely classes; equations in backend/decoding.h and backend.h.
 *
 *   LSTM  t = tanh(c)                dc   += dh o (1 - t^2)
 *         dz_i = dc g i (1 - i)      dz_f  = dc c_before f (1 - f)
 *         dz_g = dc i (1 - g^2)      dz_o  = dh t o (1 - o)          dc_before = dc f
 *   GRU   h = n + z (h_before - n)   dn    = dh (1 - z) (1 - n^2)
 *         dz_r = dn reset r (1 - r)  dz_z  = dh (h_before - n) z (1 - z)
 *         dz_n = dn r                dh_before = dh z
 */
#include <math.h>
#include <string.h>

#include "activations.cuh"
#include "device.cuh"
#include "operations.cuh"
#include "softmax.cuh"

enum { THREADS = 256 };

static __global__ void lstm_cell(
    int64_t count, int64_t hidden, float *z, const float *c_before, float *h, float *c)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += stride) {
        float *gates = z + at / hidden * 4 * hidden + at % hidden;
        float i = rki_cuda_sigmoid(gates[0]), f = rki_cuda_sigmoid(gates[hidden]);
        float g = rki_cuda_tanh(gates[2 * hidden]), o = rki_cuda_sigmoid(gates[3 * hidden]);
        float now = fmaf(f, c_before[at], i * g);
        gates[0] = i;
        gates[hidden] = f;
        gates[2 * hidden] = g;
        gates[3 * hidden] = o;
        c[at] = now;
        h[at] = o * rki_cuda_tanh(now);
    }
}

static __global__ void gru_cell(
    int64_t count, int64_t hidden, float *sums, const float *reset, const float *h_before, float *h)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += stride) {
        float *gates = sums + at / hidden * 3 * hidden + at % hidden;
        float r = rki_cuda_sigmoid(gates[0]), z = rki_cuda_sigmoid(gates[hidden]);
        float n = rki_cuda_tanh(fmaf(r, reset[at], gates[2 * hidden]));
        gates[0] = r;
        gates[hidden] = z;
        gates[2 * hidden] = n;
        h[at] = fmaf(z, h_before[at] - n, n);
    }
}

int32_t rki_cuda_cell_forward(void *self, const rki_cell_forward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    int64_t count = call->batch * call->hidden;
    unsigned blocks = rki_cuda_blocks(count, THREADS);
    float *z = static_cast<float *>(call->z), *h = static_cast<float *>(call->h);
    if (call->gru)
        return rki_cuda_launch(device, "cell_forward", blocks, THREADS, gru_cell, count,
            call->hidden, z, static_cast<const float *>(call->reset),
            static_cast<const float *>(call->h_before), h);
    return rki_cuda_launch(device, "cell_forward", blocks, THREADS, lstm_cell, count, call->hidden,
        z, static_cast<const float *>(call->c_before), h, static_cast<float *>(call->c));
}

static __global__ void lstm_cell_back(int64_t count, int64_t hidden, const float *values,
    const float *c_before, const float *c, const float *dh, float *dc, float *dz)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += stride) {
        int64_t place = at / hidden * 4 * hidden + at % hidden;
        const float *gates = values + place;
        float i = gates[0], f = gates[hidden], g = gates[2 * hidden], o = gates[3 * hidden];
        float t = rki_cuda_tanh(c[at]), d = fmaf(dh[at] * o, 1.0f - t * t, dc[at]);
        dz[place] = d * g * i * (1.0f - i);
        dz[place + hidden] = d * c_before[at] * f * (1.0f - f);
        dz[place + 2 * hidden] = d * i * (1.0f - g * g);
        dz[place + 3 * hidden] = dh[at] * t * o * (1.0f - o);
        dc[at] = d * f;
    }
}

static __global__ void gru_cell_back(int64_t count, int64_t hidden, const float *values,
    const float *reset, const float *h_before, const float *dh, float *carry, float *dz, float *dn)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < count; at += stride) {
        int64_t place = at / hidden * 3 * hidden + at % hidden;
        float r = values[place], z = values[place + hidden], n = values[place + 2 * hidden];
        float d = dh[at], inner = d * (1.0f - z) * (1.0f - n * n);
        dz[place] = inner * reset[at] * r * (1.0f - r);
        dz[place + hidden] = d * (h_before[at] - n) * z * (1.0f - z);
        dz[place + 2 * hidden] = inner * r;
        dn[at] = inner;
        carry[at] = d * z;
    }
}

int32_t rki_cuda_cell_backward(void *self, const rki_cell_backward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    int64_t count = call->batch * call->hidden;
    unsigned blocks = rki_cuda_blocks(count, THREADS);
    const float *gates = static_cast<const float *>(call->gates);
    const float *dh = static_cast<const float *>(call->dh);
    float *carry = static_cast<float *>(call->carry), *dz = static_cast<float *>(call->dz);
    if (call->gru)
        return rki_cuda_launch(device, "cell_backward", blocks, THREADS, gru_cell_back, count,
            call->hidden, gates, static_cast<const float *>(call->reset),
            static_cast<const float *>(call->h_before), dh, carry, dz,
            static_cast<float *>(call->dn));
    return rki_cuda_launch(device, "cell_backward", blocks, THREADS, lstm_cell_back, count,
        call->hidden, gates, static_cast<const float *>(call->c_before),
        static_cast<const float *>(call->c), dh, carry, dz);
}

static __global__ void tanh_all(int64_t count, const float *x, float *y)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        y[i] = rki_cuda_tanh(x[i]);
}

int32_t rki_cuda_tanh(void *self, int64_t count, const void *x, void *y)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "tanh", rki_cuda_blocks(count, THREADS), THREADS, tanh_all,
        count, static_cast<const float *>(x), static_cast<float *>(y));
}

static __global__ void tanh_back(int64_t count, const float *y, const float *dy, float *dx)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

int32_t rki_cuda_tanh_backward(void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "tanh_backward", rki_cuda_blocks(count, THREADS), THREADS,
        tanh_back, count, static_cast<const float *>(y), static_cast<const float *>(dy),
        static_cast<float *>(dx));
}

/* A class with its logit; -1: none yet. */
struct ranked {
    float x;
    int id;
};

/* The more likely one comes first, of equal ones the lower. */
static __device__ int comes_before(ranked a, ranked b)
{
    if (a.id < 0 || b.id < 0) return a.id >= 0;
    return a.x > b.x || (a.x == b.x && a.id < b.id);
}

static __device__ int is_banned(int64_t count, const int32_t *banned, int id)
{
    for (int64_t i = 0; i < count; i++)
        if (banned[i] == id) return 1;
    return 0;
}

/* The first of all threads' candidates, for every thread. */
static __device__ ranked first_of_block(ranked mine)
{
    __shared__ ranked shared[RKI_CUDA_ROW_THREADS];
    __syncthreads(); /* what the call before left has been read */
    shared[threadIdx.x] = mine;
    for (unsigned half = RKI_CUDA_ROW_THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half && comes_before(shared[threadIdx.x + half], shared[threadIdx.x]))
            shared[threadIdx.x] = shared[threadIdx.x + half];
    }
    __syncthreads();
    return shared[0];
}

/* One block for a row: the first that is not banned, then `count` - 1 times the next behind it. */
static __global__ void top(int64_t classes, int64_t count, const float *x, int64_t banned_count,
    const int32_t *banned, int32_t *ids, double *values)
{
    const float *row = x + blockIdx.x * classes;
    rki_cuda_partial p = rki_cuda_row_partial(classes, [=](int64_t v) { return row[v]; });
    double whole = (double)p.largest + log((double)p.sum);
    ranked last = {0.0f, -1};
    for (int64_t k = 0; k < count; k++) {
        ranked best = {0.0f, -1};
        for (int64_t v = threadIdx.x; v < classes; v += RKI_CUDA_ROW_THREADS) {
            ranked one = {row[v], (int)v};
            if (last.id >= 0 && !comes_before(last, one)) continue;
            if (comes_before(one, best) && !is_banned(banned_count, banned, one.id)) best = one;
        }
        last = first_of_block(best);
        if (threadIdx.x != 0) continue;
        ids[blockIdx.x * count + k] = last.id < 0 ? 0 : last.id; /* none: a row with a NaN */
        values[blockIdx.x * count + k] = (double)last.x - whole;
    }
}

int32_t rki_cuda_top(void *self, const rki_top *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    size_t banned_bytes = (size_t)call->banned_count * sizeof(int32_t);
    size_t places = (size_t)(call->rows * call->count);
    int banned = staging.add(call->banned_count == 0 ? NULL : call->banned, banned_bytes);
    int ids = staging.add(NULL, places * sizeof(int32_t));
    int values = staging.add(NULL, places * sizeof(double));
    RKI_TRY(staging.commit());
    RKI_TRY(rki_cuda_launch(device, "top", static_cast<unsigned>(call->rows), RKI_CUDA_ROW_THREADS,
        top, call->classes, call->count, static_cast<const float *>(call->x), call->banned_count,
        staging.at<int32_t>(banned), staging.at<int32_t>(ids), staging.at<double>(values)));
    RKI_TRY(staging.fetch(ids));
    RKI_TRY(staging.fetch(values));
    RKI_TRY(staging.wait());
    memcpy(call->ids, staging.staged<int32_t>(ids), places * sizeof(int32_t));
    memcpy(call->values, staging.staged<double>(values), places * sizeof(double));
    return RNNKIT_OK;
}
