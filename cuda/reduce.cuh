/* Sums in double over a block of threads, always in the same order. */
#ifndef RKI_CUDA_REDUCE_CUH
#define RKI_CUDA_REDUCE_CUH

enum { RKI_CUDA_SUM_THREADS = 256 };

/* Each of the block's RKI_CUDA_SUM_THREADS threads gives a number; thread 0 gets the sum. */
static __device__ inline double rki_cuda_block_sum(double mine)
{
    __shared__ double sums[RKI_CUDA_SUM_THREADS];
    sums[threadIdx.x] = mine;
    for (unsigned half = RKI_CUDA_SUM_THREADS / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    return sums[0];
}

/* One block: *out = the sum of numbers[0 .. count - 1]. */
static __global__ void rki_cuda_sum(int64_t count, const double *numbers, double *out)
{
    double sum = 0.0;
    for (int64_t i = threadIdx.x; i < count; i += RKI_CUDA_SUM_THREADS)
        sum += numbers[i];
    sum = rki_cuda_block_sum(sum);
    if (threadIdx.x == 0) *out = sum;
}

#endif
