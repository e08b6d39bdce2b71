/* The whole recurrence in one kernel ("persistent RNN", Diamos et al. 2016), for plain layers of all
 * cells but RKI_CELL_GRU_BEFORE: no layer norm, projection or zoneout; lengths, starts and both
 * directions as everywhere.
 *
 * Rows of the batch are independent, so groups of blocks share them: group g has the ranks
 * g, g + groups, g + 2 groups, ... A group's blocks share the hidden units, `units` each, and every
 * block keeps its slice of W_hh in shared memory for all steps. Between steps the blocks of a group
 * exchange states (forward) or gate gradients (backward) through the cache, behind a counter in
 * global memory. The launch is cooperative: all blocks run at the same time, so waiting ends.
 *
 * A slice's product is shared by the warps along k, each lane having four columns and every
 * `kq`-th four of k; partial sums are added up in a fixed order that does not depend on the batch:
 * a row gets the same bits in any company.
 */
#ifndef RKI_CUDA_PERSISTENT_CUH
#define RKI_CUDA_PERSISTENT_CUH

#include "cells.cuh"
#include "shared.cuh"

enum { RKI_CUDA_SLICE_THREADS = 256, RKI_CUDA_SLICE_WARPS = 8 };

/* How a layer is cut up. With units == 0: it is not for this kernel. */
struct rki_cuda_slices {
    int clustered; /* for the kernels of cluster.cuh */
    int units;     /* of a block: 32, 16 or 8; clustered, 64 or 32 */
    int blocks;    /* of a group */
    int groups;
    int most_rows; /* of a group */
};
rki_cuda_slices rki_cuda_slices_plan(const rki_cuda *device, const rki_recurrent *layer);

/* Where the steps' blocks of rows are: as in rki_cuda_plan, for the device. */
struct rki_cuda_walk {
    int64_t steps, batch;
    int reverse;
    const int32_t *offsets; /* [steps + 1], or NULL: not packed */

    __device__ int64_t offset(int64_t k) const
    {
        if (offsets != NULL) return offsets[k];
        return (reverse ? steps - 1 - k : k) * batch;
    }
    __device__ int64_t count(int64_t k) const
    {
        return offsets == NULL ? batch : offsets[k + 1] - offsets[k];
    }
};
/* The shared memory that the kernels want. */
size_t rki_cuda_forward_bytes(rki_cell cell, int units, int64_t hidden, int most_rows);
size_t rki_cuda_backward_bytes(rki_cell cell, int units, int64_t hidden, int most_rows);

rki_cuda_walk rki_cuda_walk_of(const rki_cuda_plan *plan);

struct rki_cuda_forward {
    rki_cuda_slices slices;
    rki_cuda_walk walk;
    int training;
    int64_t hidden, ldy;
    const float *weight_hh, *bias_ih, *bias_hh;
    float *a;          /* [positions][gates hidden] input products; when training, what the stash
                          has as gates */
    const float *h0;   /* by rank */
    float *y;          /* by position, rows ldy apart */
    float *c_run;      /* LSTM: [batch][hidden] by rank, replaced */
    float *c_all;      /* LSTM: by position when training */
    float *u_n;        /* GRU: by position when training */
    unsigned *arrived; /* [groups] zeros */
};
int32_t rki_cuda_forward_queue(rki_cuda *device, rki_cell cell, const rki_cuda_forward *call);

struct rki_cuda_backward {
    rki_cuda_slices slices;
    rki_cuda_walk walk;
    int64_t hidden, lddy;
    const float *weight_hh, *gates, *dy, *dhn;
    const float *c_all, *c_first, *dcn; /* LSTM */
    const float *h_before, *u_n;        /* GRU: by position */
    const int32_t *ranks;
    float *ds_a, *ds_u; /* [positions][gates hidden]; the same but for a GRU */
    float *carry_h;     /* [batch][hidden] by rank */
    float *carry_c;     /* LSTM */
    unsigned *arrived;
};
int32_t rki_cuda_backward_queue(rki_cuda *device, rki_cell cell, const rki_cuda_backward *call);

/* A slice of `columns` = 128 / KQ columns and `depth` rows (k) in shared memory. Within 4 KQ rows,
 * row 4 q + i stands at i KQ + q: what a warp reads at a time lies side by side. */
template <int KQ> static __device__ inline int rki_cuda_slice_row(int k)
{
    int within = k % (4 * KQ);
    return k - within + within % 4 * KQ + within / 4;
}

/* A depth that the warps share evenly. */
template <int KQ> static __host__ __device__ inline int rki_cuda_slice_depth(int64_t k)
{
    int unit = RKI_CUDA_SLICE_WARPS * 4 * KQ;
    return (int)((k + unit - 1) / unit) * unit;
}

/* partial[warp][row][column] = this warp's share of vectors [ROWS][depth] times the slice. */
template <int KQ, int ROWS>
static __device__ inline void rki_cuda_slice_product(
    const float *slice, const float *vectors, int depth, float *partial)
{
    const int columns = 128 / KQ, lanes = RKI_CUDA_WARP / KQ; /* lanes of one k */
    int warp = threadIdx.x / RKI_CUDA_WARP, lane = threadIdx.x % RKI_CUDA_WARP;
    int q = lane / lanes, column = lane % lanes * 4, share = depth / RKI_CUDA_SLICE_WARPS;
    float sums[ROWS][4] = {};
    for (int base = warp * share; base < (warp + 1) * share; base += 4 * KQ) {
        float4 v[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            v[r] = *reinterpret_cast<const float4 *>(vectors + r * depth + base + 4 * q);
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float4 w =
                *reinterpret_cast<const float4 *>(slice + (base + i * KQ + q) * columns + column);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                float of = i == 0 ? v[r].x : i == 1 ? v[r].y : i == 2 ? v[r].z : v[r].w;
                sums[r][0] = fmaf(of, w.x, sums[r][0]);
                sums[r][1] = fmaf(of, w.y, sums[r][1]);
                sums[r][2] = fmaf(of, w.z, sums[r][2]);
                sums[r][3] = fmaf(of, w.w, sums[r][3]);
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
#pragma unroll
        for (int i = 0; i < 4; i++)
            for (int step = lanes; step < RKI_CUDA_WARP; step *= 2)
                sums[r][i] += __shfl_xor_sync(0xFFFFFFFFu, sums[r][i], step);
        if (q == 0)
            *reinterpret_cast<float4 *>(partial + (warp * ROWS + r) * columns + column) =
                make_float4(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
    }
}

/* How many of a step's rows a group has. */
static __device__ inline int rki_cuda_rows_of_group(int64_t count, int64_t group, int64_t groups)
{
    return count <= group ? 0 : (int)((count - group + groups - 1) / groups);
}

/* Tells the group that this block's results of a step are written. */
static __device__ inline void rki_cuda_group_arrive(unsigned *arrived)
{
    __syncthreads();
    if (threadIdx.x != 0) return;
    __threadfence();
    atomicAdd(arrived, 1u);
}

/* Waits until `expected` arrivals were counted; what those blocks wrote can then be read, past the
 * first-level cache. */
static __device__ inline void rki_cuda_group_wait(unsigned *arrived, unsigned expected)
{
    if (threadIdx.x == 0) {
        while (*static_cast<volatile unsigned *>(arrived) < expected)
            __nanosleep(0);
        __threadfence();
    }
    __syncthreads();
}

#endif
