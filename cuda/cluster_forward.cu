/* The recurrence in clusters, forward. See cluster.cuh; equations in backend/backend.h. */
#include "cluster.cuh"

enum { THREADS = RKI_CUDA_CLUSTER_THREADS };

/* Shared memory of a block. */
struct layout {
    int width;    /* of a state: blocks * units */
    int vectors;  /* [2][most_rows][width] the states before a step, one buffer and the other */
    int cells;    /* [most_rows][units] c */
    size_t bytes; /* mailboxes come first */
    __host__ __device__ layout(int units, int blocks, int most_rows)
        : width(units * blocks), vectors(4), cells(vectors + 2 * most_rows * width),
          bytes((size_t)(cells + most_rows * units) * sizeof(float))
    {
    }
};

size_t rki_cuda_cluster_forward_bytes(int units, int blocks, int most_rows)
{
    return layout(units, blocks, most_rows).bytes;
}

#if defined(RKI_CUDA_SHIM) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
/* A thread's place, and its part of W_hh. */
template <typename Cell, int UNITS, int LENGTH> struct worker {
    static const int slices = THREADS / UNITS;
    int slice, place; /* within the block */
    int64_t unit;     /* of the layer */
    int exists;
    float weights[Cell::gates][LENGTH];

    __device__ worker(const rki_cuda_forward &call, int first_unit)
        : slice(threadIdx.x % slices), place(threadIdx.x / slices), unit(first_unit + place),
          exists(unit < call.hidden)
    {
#pragma unroll
        for (int gate = 0; gate < Cell::gates; gate++) {
#pragma unroll
            for (int i = 0; i < LENGTH; i++) {
                int64_t k = (i / 4 * slices + slice) * 4 + i % 4;
                weights[gate][i] =
                    exists && k < call.hidden
                        ? call.weight_hh[(gate * call.hidden + unit) * call.hidden + k]
                        : 0.0f;
            }
        }
    }
    __device__ float4 input(const rki_cuda_forward &call, int64_t position) const
    {
        return Cell::input(call, call.a + position * Cell::gates * call.hidden + unit);
    }
};

/* A state's unit to every block: four lanes with neighbouring units share the work. */
template <int SLICES>
static __device__ void send_state(
    float h, int row_is_sent, int place, int blocks, float *at, rki_cuda_mailbox *box)
{
    int lane = threadIdx.x % RKI_CUDA_WARP, which = place % 4, first = lane - which * SLICES;
    float4 four;
    four.x = __shfl_sync(0xFFFFFFFFu, h, first);
    four.y = __shfl_sync(0xFFFFFFFFu, h, first + SLICES);
    four.z = __shfl_sync(0xFFFFFFFFu, h, first + 2 * SLICES);
    four.w = __shfl_sync(0xFFFFFFFFu, h, first + 3 * SLICES);
    if (!row_is_sent) return;
    for (int rank = which; rank < blocks; rank += 4)
        rki_cuda_mailbox_send(four, at - which, box, (unsigned)rank);
}

template <typename Cell, int UNITS, int LENGTH>
static __global__ void __launch_bounds__(THREADS, 1) walk_forward(rki_cuda_forward call)
{
    typedef worker<Cell, UNITS, LENGTH> shape;
    const int slices = shape::slices, blocks = call.slices.blocks;
    const layout at(UNITS, blocks, call.slices.most_rows);
    float *shared = reinterpret_cast<float *>(rki_cuda_shared()), *cells = shared + at.cells;
    rki_cuda_mailbox *boxes = reinterpret_cast<rki_cuda_mailbox *>(shared);
    int64_t group = blockIdx.x / blocks, groups = call.slices.groups;
    const shape mine(call, (int)rki_cuda_cluster_rank() * UNITS);
    int all = rki_cuda_rows_of_group(call.walk.batch, group, groups);
    for (int j = threadIdx.x; j < at.width; j += THREADS)
        for (int r = 0; r < all; r++)
            shared[at.vectors + r * at.width + j] =
                j < call.hidden ? call.h0[(group + r * groups) * call.hidden + j] : 0.0f;
    for (int r = mine.slice; Cell::keeps_c && mine.exists && r < all; r += slices)
        cells[r * UNITS + mine.place] = call.c_run[(group + r * groups) * call.hidden + mine.unit];
    float4 bias = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    if (call.bias_ih != NULL && mine.exists) bias = Cell::bias(call, mine.unit);
    if (threadIdx.x < 2) rki_cuda_mailbox_open(&boxes[threadIdx.x]);
    rki_cuda_cluster_sync();
    float4 ahead = {}; /* the next step's inputs: they travel during the step before */
    int rows = call.walk.steps > 0 ? rki_cuda_rows_of_group(call.walk.count(0), group, groups) : 0;
    if (mine.exists && mine.slice < rows)
        ahead = mine.input(call, call.walk.offset(0) + group + mine.slice * groups);
    for (int64_t k = 0; rows > 0; k++) {
        int next = k + 1 < call.walk.steps
                       ? rki_cuda_rows_of_group(call.walk.count(k + 1), group, groups)
                       : 0;
        const float *now = shared + at.vectors + (k & 1) * call.slices.most_rows * at.width;
        float *then = shared + at.vectors + ((k + 1) & 1) * call.slices.most_rows * at.width;
        rki_cuda_mailbox *box = &boxes[(k + 1) & 1];
        if (threadIdx.x == 0 && next > 0)
            rki_cuda_mailbox_expect(box, (unsigned)(next * at.width * (int)sizeof(float)));
        for (int first = 0; first < rows; first += slices) {
            int row = first + mine.slice, has_row = mine.exists && row < rows;
            int64_t position = call.walk.offset(k) + group + row * groups;
            float4 in = ahead;
            if (first > 0 && has_row) in = mine.input(call, position);
            if (first == 0) {
                if (k > 0) rki_cuda_mailbox_wait(&boxes[k & 1], (unsigned)((k - 1) >> 1));
                if (mine.exists && mine.slice < next)
                    ahead = mine.input(call, call.walk.offset(k + 1) + group + mine.slice * groups);
            }
            float sums[slices][Cell::gates];
            rki_cuda_cluster_product<Cell::gates, LENGTH, slices>(mine.weights,
                now + first * at.width + 4 * mine.slice, at.width, rows - first, sums);
            rki_cuda_lanes_add_up<slices / 2>(sums, mine.slice);
            float h = 0.0f;
            if (has_row) {
                float4 u = make_float4(sums[0][0], sums[0][1], sums[0][2],
                    Cell::gates > 3 ? sums[0][3 % Cell::gates] : 0.0f);
                h = Cell::state(call, position, mine.unit, rki_cuda_add(bias, in), u,
                    now[row * at.width + mine.unit], &cells[row * UNITS + mine.place]);
            }
            send_state<slices>(
                h, row < next, mine.place, blocks, then + row * at.width + mine.unit, box);
            if (has_row) call.y[position * call.ldy + mine.unit] = h;
        }
        rows = next;
    }
    for (int r = mine.slice; Cell::keeps_c && mine.exists && r < all; r += slices)
        call.c_run[(group + r * groups) * call.hidden + mine.unit] = cells[r * UNITS + mine.place];
    rki_cuda_cluster_sync(); /* nobody leaves before all has come to where it was sent */
}
#else
template <typename Cell, int UNITS, int LENGTH>
static __global__ void walk_forward(rki_cuda_forward)
{
}
#endif

template <typename Cell, int UNITS, int LENGTH>
static int32_t queue(rki_cuda *device, const rki_cuda_forward *call)
{
    return rki_cuda_launch_cluster(device, "a recurrence", call->slices,
        rki_cuda_cluster_forward_bytes(UNITS, call->slices.blocks, call->slices.most_rows),
        walk_forward<Cell, UNITS, LENGTH>, *call);
}

template <typename Cell> static int32_t queue_cell(rki_cuda *device, const rki_cuda_forward *call)
{
    const int narrow = RKI_CUDA_CLUSTER_NARROW, wide = RKI_CUDA_CLUSTER_WIDE;
    if (call->slices.units == narrow)
        return call->slices.blocks == 1 ? queue<Cell, narrow, 16>(device, call)
                                        : queue<Cell, narrow, 32>(device, call);
    switch (call->slices.blocks) {
    case 5: return queue<Cell, wide, 20>(device, call);
    case 6: return queue<Cell, wide, 24>(device, call);
    case 7: return queue<Cell, wide, 28>(device, call);
    default: return queue<Cell, wide, 32>(device, call);
    }
}

int32_t rki_cuda_cluster_forward_queue(
    rki_cuda *device, rki_cell cell, const rki_cuda_forward *call)
{
    return cell == RKI_CELL_LSTM ? queue_cell<rki_cuda_lstm_forward>(device, call)
                                 : queue_cell<rki_cuda_gru_forward>(device, call);
}

static int room_for(int blocks)
{
    void (*kernel)(rki_cuda_forward) =
        walk_forward<rki_cuda_lstm_forward, RKI_CUDA_CLUSTER_WIDE, 32>;
    cudaFuncAttributes about = {};
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = (unsigned)blocks;
    cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = (unsigned)blocks;
    config.blockDim = THREADS;
    config.attrs = &cluster;
    config.numAttrs = 1;
    int room = 0;
    /* code that was compiled for an older device has empty kernels here */
    int fails = cudaFuncGetAttributes(&about, kernel) != cudaSuccess || about.ptxVersion < 90 ||
                cudaOccupancyMaxActiveClusters(&room, kernel, &config) != cudaSuccess;
    cudaGetLastError();
    return fails ? 0 : room;
}

int32_t rki_cuda_cluster_measure(rki_cuda *device)
{
    int major = 0;
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    RKI_TRY(rki_cuda_check(device,
        cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device->index),
        "asking for the capability"));
    for (int blocks = 1; major == 9 && blocks <= 8; blocks++)
        device->cluster_room[blocks] = room_for(blocks);
    return RNNKIT_OK;
}
