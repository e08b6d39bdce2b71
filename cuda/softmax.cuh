/* The sum of exponentials of a row, in one pass (online softmax, Milakov and Gimelshein 2018). */
#ifndef RKI_CUDA_SOFTMAX_CUH
#define RKI_CUDA_SOFTMAX_CUH

#include <math.h>

enum { RKI_CUDA_ROW_THREADS = 256, RKI_CUDA_ROW_WARPS = RKI_CUDA_ROW_THREADS / 32 };

/* The largest of some logits, and the sum of exp(logit - largest). */
struct rki_cuda_partial {
    float largest, sum;
};

static __device__ inline rki_cuda_partial rki_cuda_join(rki_cuda_partial a, rki_cuda_partial b)
{
    rki_cuda_partial both;
    both.largest = fmaxf(a.largest, b.largest); /* passes over NaN, which stays in the sums */
    if (both.largest == -INFINITY) {
        both.sum = a.sum + b.sum;
        return both;
    }
    both.sum = a.sum * expf(a.largest - both.largest) + b.sum * expf(b.largest - both.largest);
    return both;
}

/* Takes in some logits at once. -inf adds nothing, NaN makes the sum NaN. */
template <int COUNT>
static __device__ inline rki_cuda_partial rki_cuda_with_logits(
    rki_cuda_partial p, const float logits[COUNT])
{
    rki_cuda_partial next = p;
#pragma unroll
    for (int i = 0; i < COUNT; i++)
        next.largest = fmaxf(next.largest, logits[i]); /* passes over NaN */
    float base = next.largest == -INFINITY ? 0.0f : next.largest;
    next.sum *= expf(p.largest - base);
#pragma unroll
    for (int i = 0; i < COUNT; i++)
        next.sum += expf(logits[i] - base);
    return next;
}

/* Every thread gets the same result. */
static __device__ inline rki_cuda_partial rki_cuda_join_block(rki_cuda_partial mine)
{
    __shared__ rki_cuda_partial shared[RKI_CUDA_ROW_WARPS];
    for (int step = 16; step > 0; step /= 2) {
        rki_cuda_partial other = {__shfl_xor_sync(0xFFFFFFFFu, mine.largest, step),
            __shfl_xor_sync(0xFFFFFFFFu, mine.sum, step)};
        mine = rki_cuda_join(mine, other);
    }
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = mine;
    __syncthreads();
    mine = shared[0];
    for (int i = 1; i < RKI_CUDA_ROW_WARPS; i++)
        mine = rki_cuda_join(mine, shared[i]);
    return mine;
}

/* The largest of a row's logits and the sum of exp(. - largest), for every thread of a block. */
template <typename Logit>
static __device__ inline rki_cuda_partial rki_cuda_row_partial(int64_t count, Logit logit)
{
    enum { TOGETHER = 4 };
    rki_cuda_partial p = {-INFINITY, 0.0f};
    for (int64_t v = threadIdx.x; v < count; v += TOGETHER * RKI_CUDA_ROW_THREADS) {
        float logits[TOGETHER];
#pragma unroll
        for (int i = 0; i < TOGETHER; i++) {
            int64_t at = v + i * RKI_CUDA_ROW_THREADS;
            logits[i] = at < count ? logit(at) : -INFINITY;
        }
        p = rki_cuda_with_logits<TOGETHER>(p, logits);
    }
    return rki_cuda_join_block(p);
}

#endif
