/* Rows of a table by their numbers, and the gradient's way back. */
#include "device.cuh"
#include "operations.cuh"

enum { THREADS = 128, TOGETHER = 16 };

static __global__ void gather(
    int64_t count, int64_t width, const int32_t *ids, const float *table, float *out)
{
    for (int64_t i = blockIdx.x; i < count; i += gridDim.x) {
        const float *row = table + ids[i] * width;
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            out[i * width + j] = row[j];
    }
}

int32_t rki_cuda_gather(void *self, const rki_gather *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int ids = staging.add(call->ids, (size_t)call->count * sizeof(int32_t));
    RKI_TRY(staging.commit());
    return rki_cuda_launch(device, "gather", rki_cuda_blocks(call->count, 1), THREADS, gather,
        call->count, call->width, staging.at<int32_t>(ids), static_cast<const float *>(call->table),
        static_cast<float *>(call->out));
}

/* One block for a row and a stretch of its columns: each element is added up by one thread, in the
 * order that the call gives; many are on their way from memory while they wait for their turn. */
static __global__ void scatter(int64_t unique, int64_t width, const int32_t *rows,
    const int32_t *starts, const int32_t *order, const float *dy, float *gradient)
{
    int64_t j = (int64_t)blockIdx.y * blockDim.x + threadIdx.x;
    if (j >= width) return;
    for (int64_t u = blockIdx.x; u < unique; u += gridDim.x) {
        float sum = 0.0f;
        int32_t place = starts[u], end = starts[u + 1];
        for (; place + TOGETHER <= end; place += TOGETHER) {
            float next[TOGETHER];
#pragma unroll
            for (int i = 0; i < TOGETHER; i++)
                next[i] = dy[order[place + i] * width + j];
#pragma unroll
            for (int i = 0; i < TOGETHER; i++)
                sum += next[i];
        }
        for (; place < end; place++)
            sum += dy[order[place] * width + j];
        gradient[rows[u] * width + j] += sum;
    }
}

int32_t rki_cuda_scatter(void *self, const rki_scatter *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    size_t unique = (size_t)call->unique, total = (size_t)call->starts[unique];
    int rows = staging.add(call->rows, unique * sizeof(int32_t));
    int starts = staging.add(call->starts, (unique + 1) * sizeof(int32_t));
    int order = staging.add(call->order, total * sizeof(int32_t));
    RKI_TRY(staging.commit());
    dim3 grid(rki_cuda_blocks(call->unique, 1),
        static_cast<unsigned>((call->width + THREADS - 1) / THREADS));
    return rki_cuda_launch(device, "scatter", grid, THREADS, scatter, call->unique, call->width,
        staging.at<int32_t>(rows), staging.at<int32_t>(starts), staging.at<int32_t>(order),
        static_cast<const float *>(call->dy), static_cast<float *>(call->gradient));
}
