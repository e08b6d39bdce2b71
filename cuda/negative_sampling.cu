/* Negative sampling (equations in backend/backend.h): a warp for each row, then a block for each
 * row of the table that gets a gradient, which adds up its candidates in their order. */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "reduce.cuh"

enum { WARP = 32, THREADS = 128 };

struct sampling {
    int64_t rows, candidates, width;
    float scale;
    const float *x, *table;
    const int32_t *ids;
    float *g, *dx; /* dx NULL: no gradients */
    double *losses;
};

/* The score of a candidate, for every lane. */
static __device__ float score_of(const sampling &s, int64_t r, int32_t id)
{
    float sum = 0.0f;
    for (int64_t j = threadIdx.x; j < s.width; j += WARP)
        sum = fmaf(s.x[r * s.width + j], s.table[id * s.width + j], sum);
    for (int step = WARP / 2; step > 0; step /= 2)
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, step);
    return sum;
}

static __global__ void sample_rows(sampling s)
{
    int64_t r = blockIdx.x;
    const int32_t *ids = s.ids + r * s.candidates;
    float *g = s.g + r * s.candidates;
    double loss = 0.0;
    for (int64_t k = 0; k < s.candidates; k++) {
        if (ids[k] < 0) continue;
        float score = score_of(s, r, ids[k]), bad = k == 0 ? -score : score;
        loss += (double)((bad > 0.0f ? bad : 0.0f) + log1pf(expf(-fabsf(bad))));
        if (threadIdx.x == 0)
            g[k] = (1.0f / (1.0f + expf(-score)) - (k == 0 ? 1.0f : 0.0f)) * s.scale;
    }
    if (threadIdx.x == 0) s.losses[r] = loss;
    if (s.dx == NULL) return;
    __syncwarp();
    for (int64_t j = threadIdx.x; j < s.width; j += WARP) {
        float sum = 0.0f;
        for (int64_t k = 0; k < s.candidates; k++)
            if (ids[k] >= 0) sum = fmaf(g[k], s.table[ids[k] * s.width + j], sum);
        s.dx[r * s.width + j] = sum;
    }
}

static __global__ void sample_table(
    sampling s, int64_t unique, const int32_t *starts, const int32_t *order, float *dtable)
{
    for (int64_t u = blockIdx.x; u < unique; u += gridDim.x) {
        for (int64_t j = threadIdx.x; j < s.width; j += blockDim.x) {
            float sum = 0.0f;
            for (int32_t at = starts[u]; at < starts[u + 1]; at++) {
                int64_t place = order[at], row = place / s.candidates;
                sum = fmaf(s.g[place], s.x[row * s.width + j], sum);
            }
            dtable[u * s.width + j] = sum;
        }
    }
}

/* The rows' losses in double, then g. */
static size_t losses_bytes(const rki_negative_sampling *call)
{
    return ((size_t)call->rows * sizeof(double) + 63) / 64 * 64;
}

size_t rki_cuda_negative_sampling_scratch(void *self, const rki_negative_sampling *call)
{
    (void)self;
    return losses_bytes(call) + (size_t)(call->rows * call->candidates) * sizeof(float);
}

/* Within the call's scope, its int32 arrays being on the device. */
static int32_t queue(rki_cuda *device, const rki_negative_sampling *call, const sampling &s,
    const int32_t *starts, const int32_t *order)
{
    RKI_TRY(rki_cuda_launch(
        device, "negative_sampling", static_cast<unsigned>(call->rows), WARP, sample_rows, s));
    if (call->dx == NULL || call->unique == 0) return RNNKIT_OK;
    return rki_cuda_launch(device, "negative_sampling", rki_cuda_blocks(call->unique, 1), THREADS,
        sample_table, s, call->unique, starts, order, static_cast<float *>(call->dtable));
}

int32_t rki_cuda_negative_sampling(void *self, const rki_negative_sampling *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int gradients = call->dx != NULL && call->unique > 0;
    size_t unique = (size_t)(gradients ? call->unique : 0);
    size_t places = (size_t)(call->rows * call->candidates) * sizeof(int32_t);
    int ids = staging.add(call->ids, places), starts = 0, order = 0;
    if (gradients) {
        starts = staging.add(call->starts, (unique + 1) * sizeof(int32_t));
        order = staging.add(call->order, (size_t)call->starts[unique] * sizeof(int32_t));
    }
    int total = staging.add(NULL, sizeof(double));
    RKI_TRY(staging.commit());
    char *scratch = static_cast<char *>(call->scratch);
    sampling s = {call->rows, call->candidates, call->width, (float)call->scale,
        static_cast<const float *>(call->x), static_cast<const float *>(call->table),
        staging.at<int32_t>(ids), reinterpret_cast<float *>(scratch + losses_bytes(call)),
        static_cast<float *>(call->dx), reinterpret_cast<double *>(scratch)};
    RKI_TRY(queue(device, call, s, staging.at<int32_t>(starts), staging.at<int32_t>(order)));
    RKI_TRY(rki_cuda_launch(device, "negative_sampling", 1, RKI_CUDA_SUM_THREADS, rki_cuda_sum,
        call->rows, s.losses, staging.at<double>(total)));
    RKI_TRY(staging.fetch(total));
    RKI_TRY(staging.wait());
    *call->loss = *staging.staged<double>(total);
    return RNNKIT_OK;
}
