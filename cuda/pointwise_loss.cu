/* Losses of each element by itself: binary cross-entropy of logits, squared and absolute error,
 * Huber's. Equations: rki_pointwise_loss in backend/backend.h. */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "reduce.cuh"

enum { MOST_BLOCKS = 1024, PER_BLOCK = 4096 };

struct rule {
    int kind;
    float positive, delta, scale;
};

/* With x taken out where it is negative, so that exp never overflows. */
static __device__ float log_1_exp_minus(float x)
{
    return log1pf(expf(-fabsf(x))) + (x < 0.0f ? -x : 0.0f);
}

static __device__ float sigmoid_minus_1(float x)
{
    return x >= 0.0f ? -expf(-x) / (1.0f + expf(-x)) : -1.0f / (1.0f + expf(x));
}

static __device__ float value(const rule &r, float x, float t)
{
    float d = x - t;
    switch (r.kind) {
    case RKI_BINARY_CROSS_ENTROPY:
        return (1.0f - t) * x + (1.0f + (r.positive - 1.0f) * t) * log_1_exp_minus(x);
    case RKI_SQUARED_ERROR: return d * d;
    case RKI_ABSOLUTE_ERROR: return fabsf(d);
    default: break;
    }
    return fabsf(d) <= r.delta ? 0.5f * d * d : r.delta * (fabsf(d) - 0.5f * r.delta);
}

/* The sign of d: 0 at 0, and NaN for NaN. */
static __device__ float sign(float d)
{
    return d > 0.0f ? 1.0f : d < 0.0f ? -1.0f : d;
}

static __device__ float derivative(const rule &r, float x, float t)
{
    float d = x - t;
    switch (r.kind) {
    case RKI_BINARY_CROSS_ENTROPY:
        return (1.0f - t) + (1.0f + (r.positive - 1.0f) * t) * sigmoid_minus_1(x);
    case RKI_SQUARED_ERROR: return 2.0f * d;
    case RKI_ABSOLUTE_ERROR: return sign(d);
    default: break;
    }
    return fabsf(d) <= r.delta ? d : r.delta * sign(d);
}

static __global__ void pointwise(rule r, int64_t count, int64_t width, const float *x,
    const float *targets, const float *weights, float *dx, double *sums)
{
    double sum = 0.0;
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        float weight = weights == NULL ? 1.0f : weights[i / width];
        if (weight == 0.0f) {
            if (dx != NULL) dx[i] = 0.0f;
            continue;
        }
        sum += (double)weight * (double)value(r, x[i], targets[i]);
        if (dx != NULL) dx[i] = r.scale * weight * derivative(r, x[i], targets[i]);
    }
    sum = rki_cuda_block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

int32_t rki_cuda_pointwise_loss(void *self, const rki_pointwise_loss *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int64_t blocks = (call->count + PER_BLOCK - 1) / PER_BLOCK;
    if (blocks > MOST_BLOCKS) blocks = MOST_BLOCKS;
    int sums = staging.add(NULL, (size_t)blocks * sizeof(double));
    int total = staging.add(NULL, sizeof(double));
    RKI_TRY(staging.commit());
    rule r = {call->rule, (float)call->positive, (float)call->delta, (float)call->scale};
    RKI_TRY(rki_cuda_launch(device, "pointwise_loss", static_cast<unsigned>(blocks),
        RKI_CUDA_SUM_THREADS, pointwise, r, call->count, call->width,
        static_cast<const float *>(call->x), static_cast<const float *>(call->targets),
        static_cast<const float *>(call->weights), static_cast<float *>(call->dx),
        staging.at<double>(sums)));
    RKI_TRY(rki_cuda_launch(device, "pointwise_loss", 1, RKI_CUDA_SUM_THREADS, rki_cuda_sum, blocks,
        staging.at<double>(sums), staging.at<double>(total)));
    RKI_TRY(staging.fetch(total));
    RKI_TRY(staging.wait());
    *call->loss = *staging.staged<double>(total);
    return RNNKIT_OK;
}
