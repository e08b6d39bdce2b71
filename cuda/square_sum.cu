/* The sum of squares for clipping by norm: in double, by a number of blocks that depends on the
 * count alone, whose sums are then added up in their order. */
#include <math.h>
#include <string.h>

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

/* Queues one sum over all elements or, if it has some, the rows that lie at `rows`; `sums` has room
 * for its blocks and is free again when the stream gets there. */
static int32_t queue(
    rki_cuda *device, const rki_square_sum *call, const int32_t *rows, double *sums, double *total)
{
    int64_t count = call->row_count * call->width, blocks = (count + PER_BLOCK - 1) / PER_BLOCK;
    if (blocks > MOST_BLOCKS) blocks = MOST_BLOCKS;
    float limit = call->clip_value > 0.0 ? (float)call->clip_value : INFINITY;
    dim3 grid(static_cast<unsigned>(blocks)), block(RKI_CUDA_SUM_THREADS);
    const float *x = static_cast<const float *>(call->x);
    if (call->rows == NULL)
        RKI_TRY(
            rki_cuda_launch(device, "square_sum", grid, block, square_all, count, x, limit, sums));
    else
        RKI_TRY(rki_cuda_launch(device, "square_sum", grid, block, square_rows, call->row_count,
            call->width, rows, x, limit, sums));
    return rki_cuda_launch(device, "square_sum", 1, block, rki_cuda_sum, blocks, sums, total);
}

static int64_t rows_of(const rki_square_sum *call)
{
    return call->rows == NULL ? 0 : call->row_count;
}

/* All calls' rows, one behind the other, go to the device together. */
static int32_t send_rows(
    rki_cuda_staging *staging, int part, int64_t count, const rki_square_sum *calls)
{
    int32_t *at = staging->staged<int32_t>(part), *begin = at;
    for (int64_t i = 0; i < count; at += rows_of(&calls[i++]))
        if (calls[i].rows != NULL)
            memcpy(at, calls[i].rows, (size_t)calls[i].row_count * sizeof *at);
    return at == begin ? RNNKIT_OK : staging->send(part);
}

int32_t rki_cuda_square_sum(void *self, int64_t count, const rki_square_sum *calls)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int64_t row_count = 0;
    for (int64_t i = 0; i < count; i++)
        row_count += rows_of(&calls[i]);
    int rows = staging.add(NULL, (size_t)row_count * sizeof(int32_t));
    int sums = staging.add(NULL, MOST_BLOCKS * sizeof(double));
    int totals = staging.add(NULL, (size_t)count * sizeof(double));
    RKI_TRY(staging.take());
    RKI_TRY(send_rows(&staging, rows, count, calls));
    const int32_t *at = staging.at<int32_t>(rows);
    for (int64_t i = 0; i < count; at += rows_of(&calls[i++]))
        RKI_TRY(
            queue(device, &calls[i], at, staging.at<double>(sums), staging.at<double>(totals) + i));
    RKI_TRY(staging.fetch(totals));
    RKI_TRY(staging.wait());
    for (int64_t i = 0; i < count; i++)
        *calls[i].sum = staging.staged<double>(totals)[i];
    return RNNKIT_OK;
}
