/* Cells of recurrent layers: what kernels of the forward and the backward pass share.
 *
 * A block of THREADS threads has one row of a step; its threads go over the units. A thread reads
 * and writes the same units everywhere, so that states may be replaced in place.
 */
#ifndef RKI_CUDA_CELLS_CUH
#define RKI_CUDA_CELLS_CUH

#include <math.h>

#include "activations.cuh"
#include "philox.cuh"
#include "recurrent.cuh"

enum { RKI_CUDA_CELL_THREADS = 256, RKI_CUDA_WARP = 32 };

/* Zoneout of one kind of state: h_t = m h + (1 - m) h'. */
struct rki_cuda_zoneout {
    uint32_t key[2], fixed[2];
    uint32_t threshold; /* when training, m is 1 for draws below */
    float rate;         /* 0: none */
    int training;
};

static inline rki_cuda_zoneout rki_cuda_zoneout_make(
    const rki_cuda *device, const rki_recurrent *layer, double rate, uint32_t stream)
{
    rki_cuda_zoneout z = {};
    if (rate <= 0.0) return z;
    rki_random random = layer->random;
    random.stream += stream;
    device->host.random_words(random, layer->random_step, z.key, z.fixed);
    double least = ceil(rate * 4294967296.0);
    z.threshold = least >= 4294967296.0 ? UINT32_MAX : (uint32_t)least;
    z.rate = (float)rate;
    z.training = layer->training;
    return z;
}

/* m of an element; `place` is (t * batch + b) * width + j. */
static __device__ inline float rki_cuda_zoneout_m(const rki_cuda_zoneout &z, int64_t place)
{
    if (z.rate == 0.0f || !z.training) return z.rate;
    return rki_cuda_draw(z.key, z.fixed, place) < z.threshold ? 1.0f : 0.0f;
}

/* The sum over a block's threads, always in the same order; every thread gets it. */
static __device__ inline float rki_cuda_row_sum(float mine)
{
    __shared__ float sums[RKI_CUDA_CELL_THREADS / RKI_CUDA_WARP];
    for (int step = RKI_CUDA_WARP / 2; step > 0; step /= 2)
        mine += __shfl_xor_sync(0xFFFFFFFFu, mine, step);
    __syncthreads(); /* what the call before left has been read */
    if (threadIdx.x % RKI_CUDA_WARP == 0) sums[threadIdx.x / RKI_CUDA_WARP] = mine;
    __syncthreads();
    float sum = 0.0f;
    for (int i = 0; i < RKI_CUDA_CELL_THREADS / RKI_CUDA_WARP; i++)
        sum += sums[i];
    return sum;
}

/* Mean, and 1 / sqrt(variance + epsilon), of a row. */
struct rki_cuda_moments {
    float mean, inverse;
};

template <typename Value>
static __device__ inline rki_cuda_moments rki_cuda_row_moments(
    int64_t count, float epsilon, Value value)
{
    rki_cuda_moments m;
    float sum = 0.0f, squares = 0.0f;
    for (int64_t i = threadIdx.x; i < count; i += RKI_CUDA_CELL_THREADS)
        sum += value(i);
    m.mean = rki_cuda_row_sum(sum) / (float)count;
    for (int64_t i = threadIdx.x; i < count; i += RKI_CUDA_CELL_THREADS) {
        float off = value(i) - m.mean;
        squares = fmaf(off, off, squares);
    }
    float variance = rki_cuda_row_sum(squares) / (float)count;
    m.inverse = 1.0f / sqrtf(variance + epsilon);
    return m;
}

/* Gradient through normal(): for dn = d/d normal(v) it is
 *   inverse (dn - mean(dn) - normal(v) mean(dn normal(v)))
 * of which these are the two means. */
struct rki_cuda_norm_means {
    float plain, weighted;
};

template <typename Gradient, typename Normal>
static __device__ inline rki_cuda_norm_means rki_cuda_row_norm_means(
    int64_t count, Gradient dn, Normal normal)
{
    float plain = 0.0f, weighted = 0.0f;
    for (int64_t i = threadIdx.x; i < count; i += RKI_CUDA_CELL_THREADS) {
        float d = dn(i);
        plain += d;
        weighted = fmaf(d, normal(i), weighted);
    }
    rki_cuda_norm_means m;
    m.plain = rki_cuda_row_sum(plain) / (float)count;
    m.weighted = rki_cuda_row_sum(weighted) / (float)count;
    return m;
}

#endif
