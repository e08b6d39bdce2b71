/* Philox 4x32-10 (Salmon et al. 2011) for kernels, from Random123 without its vector types. */
#ifndef RKI_CUDA_PHILOX_CUH
#define RKI_CUDA_PHILOX_CUH

#include <cuda_runtime.h>
#include <stdint.h>

#define R123_USE_SSE 0
#include <Random123/philox.h>

/* The draw of element i: word i % 4 of draw i / 4. */
static __device__ inline uint32_t rki_cuda_draw(
    const uint32_t key_words[2], const uint32_t fixed[2], int64_t i)
{
    uint64_t index = (uint64_t)i / 4;
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), fixed[0], fixed[1]}};
    philox4x32_key_t key = {{key_words[0], key_words[1]}};
    philox4x32_ctr_t drawn = philox4x32(counter, key);
    uint32_t low = i & 1 ? drawn.v[1] : drawn.v[0], high = i & 1 ? drawn.v[3] : drawn.v[2];
    return i & 2 ? high : low;
}

#endif
