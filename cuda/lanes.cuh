/* Sums over neighbouring lanes of which each lane wants one. */
#ifndef RKI_CUDA_LANES_CUH
#define RKI_CUDA_LANES_CUH

#include <cuda_runtime.h>

/* which ? a : b, never as a branch: made into one, it takes the shuffles that follow along, which
 * lanes then do apart. */
static __device__ inline float rki_cuda_select(int which, float a, float b)
{
#ifdef RKI_CUDA_SHIM
    return which ? a : b;
#else
    float chosen;
    asm("{\n"
        ".reg .pred p;\n"
        "setp.ne.s32 p, %3, 0;\n"
        "selp.f32 %0, %1, %2, p;\n"
        "}"
        : "=f"(chosen)
        : "f"(a), "f"(b), "r"(which));
    return chosen;
#endif
}

/* Of 2 HALF neighbouring lanes each has rows of shares, sums[2 HALF][COLUMNS]; sums[0] becomes the
 * sum of row `lane`, the lane's number among them. Which lane has a row plays no part in the order
 * of additions. */
template <int HALF, int COLUMNS>
static __device__ inline void rki_cuda_lanes_add_up(float (*sums)[COLUMNS], int lane)
{
    int upper = lane & HALF;
#pragma unroll
    for (int r = 0; r < HALF; r++) {
#pragma unroll
        for (int c = 0; c < COLUMNS; c++) {
            float give = rki_cuda_select(upper, sums[r][c], sums[r + HALF][c]);
            float keep = rki_cuda_select(upper, sums[r + HALF][c], sums[r][c]);
            sums[r][c] = keep + __shfl_xor_sync(0xFFFFFFFFu, give, HALF);
        }
    }
    if constexpr (HALF > 1) rki_cuda_lanes_add_up<HALF / 2>(sums, lane);
}

#endif
