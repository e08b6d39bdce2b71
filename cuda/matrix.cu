/* Products and sums of matrices. */
#include "device.cuh"
#include "operations.cuh"

static __global__ void add_scaled(int64_t count, float alpha, const float *x, float *y)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        y[i] = fmaf(alpha, x[i], y[i]);
}

int32_t rki_cuda_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_launch(device, "add_scaled", rki_cuda_blocks(count, 256), 256, add_scaled,
        count, (float)alpha, static_cast<const float *>(x), static_cast<float *>(y));
}

/* A block has 32 columns; its 32 rows of threads share the matrix's rows between them, each in
 * order, and then add up what they have, always the same way. */
enum { COLUMNS = 32, LANES = 32 };

static __global__ void column_sum(int64_t m, int64_t n, const float *a, int accumulate, float *out)
{
    __shared__ float sums[LANES][COLUMNS];
    int64_t j = (int64_t)blockIdx.x * COLUMNS + threadIdx.x;
    float sum = 0.0f;
    if (j < n) {
#pragma unroll 8
        for (int64_t i = threadIdx.y; i < m; i += LANES)
            sum += a[i * n + j];
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    for (unsigned half = LANES / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.y < half)
            sums[threadIdx.y][threadIdx.x] += sums[threadIdx.y + half][threadIdx.x];
    }
    if (threadIdx.y == 0 && j < n)
        out[j] = accumulate ? out[j] + sums[0][threadIdx.x] : sums[0][threadIdx.x];
}

int32_t rki_cuda_queue_column_sum(
    rki_cuda *device, int64_t m, int64_t n, const float *a, int accumulate, float *out)
{
    dim3 grid(static_cast<unsigned>((n + COLUMNS - 1) / COLUMNS)), block(COLUMNS, LANES);
    return rki_cuda_launch(device, "column_sum", grid, block, column_sum, m, n, a, accumulate, out);
}

int32_t rki_cuda_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_queue_column_sum(
        device, m, n, static_cast<const float *>(a), accumulate, static_cast<float *>(out));
}

size_t rki_cuda_gemm_scratch(void *self, const rki_gemm *call)
{
    return rki_cuda_narrow_bytes(static_cast<const rki_cuda *>(self), call->m, call->n, call->k);
}

/* cuBLAS takes matrices as they are. */
size_t rki_cuda_gemm_keep(void *, const rki_gemm *, void *)
{
    return 0;
}

int32_t rki_cuda_queue_gemm(rki_cuda *device, const rki_gemm *call)
{
    return rki_cuda_large_product(device, call, call->accumulate ? 1.0f : 0.0f);
}

int32_t rki_cuda_gemm(void *self, const rki_gemm *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_queue_gemm(device, call);
}
