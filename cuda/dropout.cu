/* Dropout (Srivastava et al. 2014), scaled when training: y = x * mask / (1 - rate).
 *
 * The mask is drawn anew wherever it is needed and never kept: element i takes word i % 4 of
 * Philox 4x32-10 (Salmon et al. 2011) at counter {i / 4 low, i / 4 high, fixed[0], fixed[1]}, as
 * on every other device. A thread draws once for four elements, but for each when the mask has a
 * period.
 */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "philox.cuh"

struct draws {
    uint32_t key[2], fixed[2];
    uint32_t threshold; /* kept are draws from here on */
    float scale;
};

static __global__ void dropout(
    draws random, int64_t count, const float *x, int accumulate, float *y)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x, groups = (count + 3) / 4;
    for (int64_t g = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; g < groups; g += stride) {
        philox4x32_ctr_t counter = {
            {(uint32_t)g, (uint32_t)((uint64_t)g >> 32), random.fixed[0], random.fixed[1]}};
        philox4x32_key_t key = {{random.key[0], random.key[1]}};
        philox4x32_ctr_t drawn = philox4x32(counter, key);
#pragma unroll
        for (int lane = 0; lane < 4; lane++) {
            int64_t i = 4 * g + lane;
            if (i >= count) break;
            float value = x[i] * (drawn.v[lane] >= random.threshold ? random.scale : 0.0f);
            y[i] = accumulate ? y[i] + value : value;
        }
    }
}

static __global__ void dropout_periodic(
    draws random, int64_t count, int64_t period, const float *x, int accumulate, float *y)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        uint32_t drawn = rki_cuda_draw(random.key, random.fixed, i % period);
        float value = x[i] * (drawn >= random.threshold ? random.scale : 0.0f);
        y[i] = accumulate ? y[i] + value : value;
    }
}

/* A rate so near to 1 that no draw reaches it keeps nothing: the scale takes care of that. */
static draws prepare(const rki_cuda *device, const rki_dropout *call)
{
    draws random;
    double least = ceil(call->rate * 4294967296.0);
    int none = least >= 4294967296.0;
    random.threshold = none ? UINT32_MAX : (uint32_t)least;
    random.scale = none ? 0.0f : (float)(1.0 / (1.0 - call->rate));
    device->host.random_words(call->random, call->step, random.key, random.fixed);
    return random;
}

int32_t rki_cuda_dropout(void *self, const rki_dropout *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    if (call->period > 0)
        return rki_cuda_launch(device, "dropout", rki_cuda_blocks(call->count, 256), 256,
            dropout_periodic, prepare(device, call), call->count, call->period,
            static_cast<const float *>(call->x), call->accumulate, static_cast<float *>(call->y));
    return rki_cuda_launch(device, "dropout", rki_cuda_blocks((call->count + 3) / 4, 256), 256,
        dropout, prepare(device, call), call->count, static_cast<const float *>(call->x),
        call->accumulate, static_cast<float *>(call->y));
}
