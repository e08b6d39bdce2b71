/* Layer normalisation (Ba, Kiros and Hinton 2016) and ReLU; equations in backend/norm.h. */
#include <math.h>

#include "cells.cuh"

enum { THREADS = RKI_CUDA_CELL_THREADS, COLUMNS = 32, LANES = 32 };

/* A block has a row. */
static __global__ void normalize(int64_t width, float epsilon, const float *x, const float *weight,
    const float *bias, float *y, float *stash)
{
    int64_t row = blockIdx.x;
    const float *values = x + row * width;
    rki_cuda_moments of =
        rki_cuda_row_moments(width, epsilon, [=](int64_t j) { return values[j]; });
    for (int64_t j = threadIdx.x; j < width; j += THREADS)
        y[row * width + j] = fmaf((values[j] - of.mean) * of.inverse, weight[j], bias[j]);
    if (threadIdx.x == 0) {
        stash[2 * row] = of.mean;
        stash[2 * row + 1] = of.inverse;
    }
}

int32_t rki_cuda_norm_forward(void *self, const rki_norm_forward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "norm_forward", static_cast<unsigned>(call->rows), THREADS,
        normalize, call->width, (float)call->epsilon, static_cast<const float *>(call->x),
        static_cast<const float *>(call->weight), static_cast<const float *>(call->bias),
        static_cast<float *>(call->y), static_cast<float *>(call->stash));
}

static __global__ void normalize_back(int64_t width, const float *x, const float *weight,
    const float *stash, const float *dy, float *dx)
{
    int64_t row = blockIdx.x, at = row * width;
    float mean = stash[2 * row], scale = stash[2 * row + 1];
    auto normal = [=](int64_t j) { return (x[at + j] - mean) * scale; };
    auto d = [=](int64_t j) { return dy[at + j] * weight[j]; };
    rki_cuda_norm_means means = rki_cuda_row_norm_means(width, d, normal);
    for (int64_t j = threadIdx.x; j < width; j += THREADS)
        dx[at + j] = scale * (d(j) - means.plain - normal(j) * means.weighted);
}

/* A block has 32 columns; its 32 rows of threads share the rows between them, each in order, and
 * then add up what they have, always the same way. */
static __global__ void normalize_weights(int64_t rows, int64_t width, const float *x,
    const float *stash, const float *dy, float *dweight, float *dbias)
{
    __shared__ float weights[LANES][COLUMNS], biases[LANES][COLUMNS];
    int64_t j = (int64_t)blockIdx.x * COLUMNS + threadIdx.x;
    float weight = 0.0f, bias = 0.0f;
    for (int64_t row = threadIdx.y; row < rows && j < width; row += LANES) {
        float d = dy[row * width + j];
        weight = fmaf(d, (x[row * width + j] - stash[2 * row]) * stash[2 * row + 1], weight);
        bias += d;
    }
    weights[threadIdx.y][threadIdx.x] = weight;
    biases[threadIdx.y][threadIdx.x] = bias;
    for (unsigned half = LANES / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y >= half) continue;
        weights[threadIdx.y][threadIdx.x] += weights[threadIdx.y + half][threadIdx.x];
        biases[threadIdx.y][threadIdx.x] += biases[threadIdx.y + half][threadIdx.x];
    }
    if (threadIdx.y != 0 || j >= width) return;
    dweight[j] += weights[0][threadIdx.x];
    dbias[j] += biases[0][threadIdx.x];
}

int32_t rki_cuda_norm_backward(void *self, const rki_norm_backward *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    const float *x = static_cast<const float *>(call->x),
                *dy = static_cast<const float *>(call->dy);
    const float *stash = static_cast<const float *>(call->stash);
    RKI_TRY(rki_cuda_launch(device, "norm_backward", static_cast<unsigned>(call->rows), THREADS,
        normalize_back, call->width, x, static_cast<const float *>(call->weight), stash, dy,
        static_cast<float *>(call->dx)));
    dim3 grid(static_cast<unsigned>((call->width + COLUMNS - 1) / COLUMNS)), block(COLUMNS, LANES);
    return rki_cuda_launch(device, "norm_backward", grid, block, normalize_weights, call->rows,
        call->width, x, stash, dy, static_cast<float *>(call->dweight),
        static_cast<float *>(call->dbias));
}

static __global__ void relu(int64_t count, const float *x, float *y)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        y[i] = x[i] < 0.0f ? 0.0f : x[i]; /* NaN passes */
}

int32_t rki_cuda_relu(void *self, int64_t count, const void *x, void *y)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "relu", rki_cuda_blocks(count, THREADS), THREADS, relu, count,
        static_cast<const float *>(x), static_cast<float *>(y));
}

static __global__ void relu_back(int64_t count, const float *y, const float *dy, float *dx)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

int32_t rki_cuda_relu_backward(void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "relu_backward", rki_cuda_blocks(count, THREADS), THREADS,
        relu_back, count, static_cast<const float *>(y), static_cast<const float *>(dy),
        static_cast<float *>(dx));
}
