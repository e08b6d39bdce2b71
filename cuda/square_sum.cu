/* The sum of squares for clipping by norm: in double, by a number of blocks that depends on the
 * count alone, whose sums are then added up in their order. */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "reduce.cuh"

enum { MOST_BLOCKS = 1024, PER_BLOCK = 4096 };

static __device__ double square(float x, float limit)
{
    double clipped = x > limit ? limit : x < -limit ? -limit : x; /* NaN passes */
    return clipped * clipped;
}

static __global__ void square_all(int64_t count, const float *x, float limit, double *sums)
{
    double sum = 0.0;
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        sum += square(x[i], limit);
    sum = rki_cuda_block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

static __global__ void square_rows(int64_t row_count, int64_t width, const int32_t *rows,
    const float *x, float limit, double *sums)
{
    double sum = 0.0;
    for (int64_t r = blockIdx.x; r < row_count; r += gridDim.x)
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            sum += square(x[rows[r] * width + j], limit);
    sum = rki_cuda_block_sum(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

int32_t rki_cuda_square_sum(void *self, const rki_square_sum *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int64_t count = call->row_count * call->width, blocks = (count + PER_BLOCK - 1) / PER_BLOCK;
    if (blocks > MOST_BLOCKS) blocks = MOST_BLOCKS;
    int rows = 0;
    if (call->rows != NULL)
        rows = staging.add(call->rows, (size_t)call->row_count * sizeof(int32_t));
    int sums = staging.add(NULL, (size_t)blocks * sizeof(double));
    int total = staging.add(NULL, sizeof(double));
    RKI_TRY(staging.commit());
    float limit = call->clip_value > 0.0 ? (float)call->clip_value : INFINITY;
    dim3 grid(static_cast<unsigned>(blocks)), block(RKI_CUDA_SUM_THREADS);
    const float *x = static_cast<const float *>(call->x);
    if (call->rows == NULL)
        RKI_TRY(rki_cuda_launch(device, "square_sum", grid, block, square_all, count, x, limit,
            staging.at<double>(sums)));
    else
        RKI_TRY(rki_cuda_launch(device, "square_sum", grid, block, square_rows, call->row_count,
            call->width, staging.at<int32_t>(rows), x, limit, staging.at<double>(sums)));
    RKI_TRY(rki_cuda_launch(device, "square_sum", 1, block, rki_cuda_sum, blocks,
        staging.at<double>(sums), staging.at<double>(total)));
    RKI_TRY(staging.fetch(total));
    RKI_TRY(staging.wait());
    *call->sum = *staging.staged<double>(total);
    return RNNKIT_OK;
}
