/* Moving rows between the caller's arrays and packed ones. See recurrent.cuh. */
#include "recurrent.cuh"

enum { THREADS = 128 };

static __global__ void pack(int64_t count, int64_t width, const int32_t *rows, const float *array,
    int64_t ld, float *packed)
{
    for (int64_t p = blockIdx.x; p < count; p += gridDim.x)
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            packed[p * width + j] = array[rows[p] * ld + j];
}

int32_t rki_cuda_pack(rki_cuda *device, int64_t count, int64_t width, const int32_t *rows,
    const float *array, int64_t ld, float *packed)
{
    if (count == 0) return RNNKIT_OK;
    return rki_cuda_launch(device, "packing rows", rki_cuda_blocks(count, 1), THREADS, pack, count,
        width, rows, array, ld, packed);
}

static __global__ void unpack(int64_t count, int64_t width, const int32_t *rows,
    const float *packed, int64_t ld_packed, float *array, int64_t ld, int accumulate)
{
    for (int64_t p = blockIdx.x; p < count; p += gridDim.x) {
        float *row = array + rows[p] * ld;
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            row[j] = packed[p * ld_packed + j] + (accumulate ? row[j] : 0.0f);
    }
}

int32_t rki_cuda_unpack(rki_cuda *device, int64_t count, int64_t width, const int32_t *rows,
    const float *packed, int64_t ld_packed, float *array, int64_t ld, int accumulate)
{
    if (count == 0) return RNNKIT_OK;
    return rki_cuda_launch(device, "unpacking rows", rki_cuda_blocks(count, 1), THREADS, unpack,
        count, width, rows, packed, ld_packed, array, ld, accumulate);
}

/* Without `before` a position is t * batch + b, and the step before stands `step` rows further. */
static __global__ void previous(int64_t count, int64_t width, const int32_t *before, int64_t batch,
    int64_t step, const float *y, int64_t ldy, const float *h0, float *out)
{
    for (int64_t p = blockIdx.x; p < count; p += gridDim.x) {
        const float *from;
        if (before != NULL) {
            from = before[p] < 0 ? h0 + (int64_t)(-1 - before[p]) * width : y + before[p] * ldy;
        } else {
            int64_t row = p + step;
            from = row < 0 || row >= count ? h0 + p % batch * width : y + row * ldy;
        }
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            out[p * width + j] = from[j];
    }
}

int32_t rki_cuda_previous(rki_cuda *device, const rki_cuda_plan *plan, const float *y, int64_t ldy,
    const float *h0, float *out)
{
    const rki_recurrent *layer = plan->layer;
    if (plan->positions == 0) return RNNKIT_OK;
    return rki_cuda_launch(device, "collecting states", rki_cuda_blocks(plan->positions, 1),
        THREADS, previous, plan->positions, layer->output, plan->before, layer->batch,
        layer->reverse ? layer->batch : -layer->batch, y, ldy, h0, out);
}

/* Without `ranks` a rank is its row, and the last block begins at `block`. */
static __global__ void last_rows(int64_t batch, int64_t width, const int32_t *ranks,
    const int32_t *last, int64_t block, const float *states, int64_t ld, const float *initial,
    float *out)
{
    for (int64_t r = blockIdx.x; r < batch; r += gridDim.x) {
        int64_t b = ranks == NULL ? r : ranks[r], p = last == NULL ? block + r : last[r];
        const float *from = p < 0 ? initial + b * width : states + p * ld;
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            out[b * width + j] = from[j];
    }
}

int32_t rki_cuda_last(rki_cuda *device, const rki_cuda_plan *plan, int64_t width,
    const float *states, int64_t ld, const float *initial, float *last)
{
    int64_t block = plan->packed ? 0 : plan->offset(plan->steps - 1);
    return rki_cuda_launch(device, "handing states on", rki_cuda_blocks(plan->layer->batch, 1),
        THREADS, last_rows, plan->layer->batch, width, plan->ranks, plan->last, block, states, ld,
        initial, last);
}

int32_t rki_cuda_clear(rki_cuda *device, int64_t rows, int64_t width, float *array, int64_t ld)
{
    return rki_cuda_check(device,
        cudaMemset2DAsync(array, (size_t)ld * sizeof(float), 0, (size_t)width * sizeof(float),
            (size_t)rows, device->stream),
        "clearing rows");
}

static rki_gemm product_of(int64_t m, int64_t n, int64_t k, const rki_cuda_matrix &a,
    const rki_cuda_matrix &b, float *c, int64_t ldc)
{
    rki_gemm call = {};
    call.transpose_a = a.transposed;
    call.transpose_b = b.transposed;
    call.m = m;
    call.n = n;
    call.k = k;
    call.a = a.at;
    call.lda = a.ld;
    call.b = b.at;
    call.ldb = b.ld;
    call.c = c;
    call.ldc = ldc;
    return call;
}

int32_t rki_cuda_multiply(rki_cuda *device, int64_t m, int64_t n, int64_t k, rki_cuda_matrix a,
    rki_cuda_matrix b, float *c, int64_t ldc, int accumulate)
{
    if (m == 0) return RNNKIT_OK;
    rki_gemm call = product_of(m, n, k, a, b, c, ldc);
    return rki_cuda_product(device, RKI_PRECISION_FULL, &call, accumulate ? 1.0f : 0.0f);
}

int32_t rki_cuda_multiply_all(rki_cuda *device, int64_t m, int64_t n, int64_t k, rki_cuda_matrix a,
    rki_cuda_matrix b, float *c, int64_t ldc, int accumulate, void *factors)
{
    if (m == 0 || (k == 0 && accumulate)) return RNNKIT_OK;
    if (k == 0) return rki_cuda_clear(device, m, n, c, ldc);
    rki_gemm call = product_of(m, n, k, a, b, c, ldc);
    call.scratch = factors;
    return rki_cuda_large_product(device, &call, accumulate ? 1.0f : 0.0f);
}
