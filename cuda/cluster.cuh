/* The whole recurrence in one kernel whose groups are thread block clusters (capability 9.0), for
 * LSTM and GRU layers with up to 256 units. See persistent.cuh, whose walk and cells these are.
 *
 * A cluster has the rows of a group, a block of it `units` hidden units. The block's part of W_hh
 * stands in its threads' registers for all steps. Forward, `slices` neighbouring lanes share a unit:
 * each has its gates' weights for every `slices`-th four of k. Backward, they share four outputs of
 * W_hh^T. A pass goes over `slices` rows; adding up leaves each of those lanes with one row's sums.
 * New states, or parts of dL/dh, go straight into the shared memory of the cluster's other blocks,
 * which wait for the bytes they are to get (asynchronous stores that an mbarrier counts): no
 * barrier of the cluster, and forward none of the block, stands in a step.
 *
 * There are two buffers. A block sends into one again after it has got all of what went into the
 * other, which its neighbours sent after reading the first.
 */
#ifndef RKI_CUDA_CLUSTER_CUH
#define RKI_CUDA_CLUSTER_CUH

#include "gates_backward.cuh"
#include "gates_forward.cuh"
#include "lanes.cuh"

enum {
    RKI_CUDA_CLUSTER_THREADS = 256,
    RKI_CUDA_CLUSTER_NARROW = 64, /* units of a block of a layer with up to 128 */
    RKI_CUDA_CLUSTER_WIDE = 32
};

/* Counts the bytes that have come into a buffer. */
struct rki_cuda_mailbox {
    uint64_t word;
};

#ifdef RKI_CUDA_SHIM
static inline unsigned rki_cuda_cluster_rank()
{
    return shim_cluster_rank();
}
static inline void rki_cuda_cluster_sync()
{
    shim_cluster_sync();
}
static inline void rki_cuda_mailbox_open(rki_cuda_mailbox *box)
{
    box->word = 0;
}
static inline void rki_cuda_mailbox_expect(rki_cuda_mailbox *box, unsigned bytes)
{
    shim_mailbox_expect(&box->word, bytes);
}
static inline void rki_cuda_mailbox_send(
    float4 value, float *at, rki_cuda_mailbox *box, unsigned rank)
{
    *static_cast<float4 *>(shim_map_shared(at, rank)) = value;
    shim_mailbox_count(static_cast<uint64_t *>(shim_map_shared(&box->word, rank)), sizeof value);
}
static inline void rki_cuda_mailbox_wait(rki_cuda_mailbox *box, unsigned turn)
{
    shim_mailbox_wait(&box->word, turn & 1);
}
#elif !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
static __device__ inline unsigned rki_cuda_shared_address(const void *at)
{
    return (unsigned)__cvta_generic_to_shared(at);
}

static __device__ inline unsigned rki_cuda_cluster_rank()
{
    unsigned rank;
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/* A barrier for all threads of the cluster. */
static __device__ inline void rki_cuda_cluster_sync()
{
    asm volatile("barrier.cluster.arrive.release.aligned;\n"
                 "barrier.cluster.wait.acquire.aligned;" ::
                     : "memory");
}

/* One thread opens a mailbox, before the cluster's first barrier. */
static __device__ inline void rki_cuda_mailbox_open(rki_cuda_mailbox *box)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;\n"
                 "fence.mbarrier_init.release.cluster;" ::"r"(rki_cuda_shared_address(box))
                 : "memory");
}

/* One thread says how many bytes come next; some may have come already. */
static __device__ inline void rki_cuda_mailbox_expect(rki_cuda_mailbox *box, unsigned bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(
                     rki_cuda_shared_address(box)),
                 "r"(bytes)
                 : "memory");
}

/* *at = value in block `rank`, whose mailbox counts it; at and box are this block's own. */
static __device__ inline void rki_cuda_mailbox_send(
    float4 value, float *at, rki_cuda_mailbox *box, unsigned rank)
{
    unsigned there, its_box;
    asm("mapa.shared::cluster.u32 %0, %1, %2;"
        : "=r"(there)
        : "r"(rki_cuda_shared_address(at)), "r"(rank));
    asm("mapa.shared::cluster.u32 %0, %1, %2;"
        : "=r"(its_box)
        : "r"(rki_cuda_shared_address(box)), "r"(rank));
    asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 "
                 "[%0], {%1, %2, %3, %4}, [%5];" ::"r"(there),
                 "f"(value.x), "f"(value.y), "f"(value.z), "f"(value.w), "r"(its_box)
                 : "memory");
}

/* Waits for the box's `turn`-th filling, counted from 0. */
static __device__ inline void rki_cuda_mailbox_wait(rki_cuda_mailbox *box, unsigned turn)
{
    unsigned done;
    do {
        asm volatile("{\n"
                     ".reg .pred p;\n"
                     "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, p;\n"
                     "}"
                     : "=r"(done)
                     : "r"(rki_cuda_shared_address(box)), "r"(turn & 1)
                     : "memory");
    } while (!done);
}
#endif

/* sums[row][column] += this lane's share of vectors[row] times its weights, for the pass's first
 * `rows` rows; `vectors` is the first row's lane's first four. */
template <int COLUMNS, int LENGTH, int SLICES>
static __device__ inline void rki_cuda_cluster_product(const float (&weights)[COLUMNS][LENGTH],
    const float *vectors, int ld, int rows, float (&sums)[SLICES][COLUMNS])
{
#pragma unroll
    for (int r = 0; r < SLICES; r++) {
#pragma unroll
        for (int c = 0; c < COLUMNS; c++)
            sums[r][c] = 0.0f;
        if (r >= rows) continue;
#pragma unroll
        for (int i = 0; i < LENGTH; i += 4) {
            float4 v = *reinterpret_cast<const float4 *>(vectors + r * ld + i * SLICES);
#pragma unroll
            for (int c = 0; c < COLUMNS; c++) {
                sums[r][c] = fmaf(v.x, weights[c][i], sums[r][c]);
                sums[r][c] = fmaf(v.y, weights[c][i + 1], sums[r][c]);
                sums[r][c] = fmaf(v.z, weights[c][i + 2], sums[r][c]);
                sums[r][c] = fmaf(v.w, weights[c][i + 3], sums[r][c]);
            }
        }
    }
}

int32_t rki_cuda_cluster_forward_queue(
    rki_cuda *device, rki_cell cell, const rki_cuda_forward *call);
int32_t rki_cuda_cluster_backward_queue(
    rki_cuda *device, rki_cell cell, const rki_cuda_backward *call);

/* The shared memory that the kernels want. */
size_t rki_cuda_cluster_forward_bytes(int units, int blocks, int most_rows);
size_t rki_cuda_cluster_backward_bytes(rki_cell cell, int units, int blocks, int most_rows);

/* Sets device->cluster_room, which is 0 where a device has no clusters. */
int32_t rki_cuda_cluster_measure(rki_cuda *device);

/* Queues a kernel of `groups` clusters. */
template <typename Call>
int32_t rki_cuda_launch_cluster(rki_cuda *device, const char *what, const rki_cuda_slices &slices,
    size_t shared, void (*kernel)(Call), const Call &call)
{
    RKI_TRY(rki_cuda_check(device,
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared),
        what));
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = (unsigned)slices.blocks;
    cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = (unsigned)(slices.blocks * slices.groups);
    config.blockDim = RKI_CUDA_CLUSTER_THREADS;
    config.dynamicSmemBytes = shared;
    config.stream = device->stream;
    config.attrs = &cluster;
    config.numAttrs = 1;
    return rki_cuda_check(device, cudaLaunchKernelEx(&config, kernel, call), what);
}

#endif
