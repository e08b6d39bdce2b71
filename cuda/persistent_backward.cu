/* The recurrence in one kernel, backward. See persistent.cuh; equations in docs/math.
 *
 * A block makes the gate gradients of its own units and, once the group's others have made theirs,
 * its units' part of dL/dh of the step before: W_hh^T times all the gates' gradients of its rows.
 */
#include "gates_backward.cuh"

enum { THREADS = RKI_CUDA_SLICE_THREADS, WARPS = RKI_CUDA_SLICE_WARPS };

/* Shared memory of a block. Columns are units; k goes over the gates' rows. */
template <typename Cell, int UNITS, int ROWS> struct backward_layout {
    static const int kq = 128 / UNITS;
    int depth;
    __host__ __device__ explicit backward_layout(int64_t hidden)
        : depth(rki_cuda_slice_depth<kq>(Cell::gates * hidden))
    {
    }
    __host__ __device__ int vectors() const
    {
        return depth * UNITS;
    }
    __host__ __device__ int partial() const
    {
        return vectors() + ROWS * depth;
    }
    __host__ __device__ int dh() const
    {
        return partial() + WARPS * ROWS * UNITS;
    }
    __host__ __device__ int carry(int most_rows) const
    {
        return dh() + most_rows * UNITS;
    }
    __host__ __device__ size_t bytes(int most_rows) const
    {
        return (size_t)(carry(most_rows) + Cell::carries * most_rows * UNITS) * sizeof(float);
    }
};

template <typename Cell, int UNITS>
static __device__ void load_slice(
    const rki_cuda_backward &call, int first_unit, int depth, float *slice)
{
    for (int i = threadIdx.x; i < depth * UNITS; i += THREADS) {
        int k = i / UNITS;
        int64_t unit = first_unit + i % UNITS;
        slice[rki_cuda_slice_row<128 / UNITS>(k) * UNITS + i % UNITS] =
            k < Cell::gates * call.hidden && unit < call.hidden
                ? call.weight_hh[k * call.hidden + unit]
                : 0.0f;
    }
}

/* All gates' gradients of a pass's rows, into shared memory. */
template <typename Cell, int ROWS>
static __device__ void load_gradients(const rki_cuda_backward &call, int64_t first_position,
    int first, int rows, int depth, float *vectors)
{
    int64_t width = Cell::gates * call.hidden;
    for (int j = threadIdx.x; j < depth; j += THREADS) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int64_t position = first_position + (int64_t)(first + r) * call.slices.groups;
            vectors[r * depth + j] =
                first + r < rows && j < width ? __ldcg(call.ds_u + position * width + j) : 0.0f;
        }
    }
}

template <typename Cell, int UNITS, int ROWS>
static __global__ void __launch_bounds__(THREADS, 1) walk_back(rki_cuda_backward call)
{
    typedef backward_layout<Cell, UNITS, ROWS> shape;
    const shape at(call.hidden);
    const int row_step = THREADS / UNITS;
    float *slice = reinterpret_cast<float *>(rki_cuda_shared()), *vectors = slice + at.vectors();
    float *partial = slice + at.partial(), *dh = slice + at.dh();
    float *carry = slice + at.carry(call.slices.most_rows);
    int64_t group = blockIdx.x / call.slices.blocks, groups = call.slices.groups;
    int first_unit = (int)(blockIdx.x % call.slices.blocks) * UNITS;
    int my_row = threadIdx.x / UNITS, my_column = threadIdx.x % UNITS;
    int64_t unit = first_unit + my_column;
    int all = rki_cuda_rows_of_group(call.walk.batch, group, groups), exists = unit < call.hidden;
    load_slice<Cell, UNITS>(call, first_unit, at.depth, slice);
    for (int r = my_row; exists && r < all; r += row_step) {
        dh[r * UNITS + my_column] = rki_cuda_given(call, call.dhn, group + r * groups, unit);
        if (Cell::carries)
            carry[r * UNITS + my_column] = rki_cuda_given(call, call.dcn, group + r * groups, unit);
    }
    unsigned expected = 0;
    for (int64_t k = call.walk.steps - 1; k >= 0; k--) {
        int rows = rki_cuda_rows_of_group(call.walk.count(k), group, groups);
        if (rows == 0) continue; /* for the whole group: none of its rows is this long */
        __syncthreads();
        for (int r = my_row; exists && r < rows; r += row_step) {
            int64_t rank = group + r * groups, position = call.walk.offset(k) + rank;
            rki_cuda_spot here = {k, rank, position, unit};
            typename Cell::values v = Cell::load(call, here);
            Cell::prepare(&v);
            Cell::gradients(
                call, here, v, dh[r * UNITS + my_column] + v.dy, &carry[r * UNITS + my_column]);
        }
        rki_cuda_group_arrive(&call.arrived[group]);
        expected += (unsigned)call.slices.blocks;
        rki_cuda_group_wait(&call.arrived[group], expected);
        for (int first = 0; first < rows; first += ROWS) {
            load_gradients<Cell, ROWS>(
                call, call.walk.offset(k) + group, first, rows, at.depth, vectors);
            __syncthreads();
            rki_cuda_slice_product<shape::kq, ROWS>(slice, vectors, at.depth, partial);
            __syncthreads();
            for (int r = my_row; r < ROWS && first + r < rows; r += row_step) {
                float sum = Cell::carries_h ? carry[(first + r) * UNITS + my_column] : 0.0f;
                for (int w = 0; w < WARPS; w++)
                    sum += partial[(w * ROWS + r) * UNITS + my_column];
                dh[(first + r) * UNITS + my_column] = sum;
            }
        }
    }
    __syncthreads();
    for (int r = my_row; exists && r < all; r += row_step) {
        int64_t place = (group + r * groups) * call.hidden + unit;
        call.carry_h[place] = dh[r * UNITS + my_column];
        if (call.carry_c != NULL) call.carry_c[place] = carry[r * UNITS + my_column];
    }
}

template <typename Cell, int UNITS>
static int32_t queue(rki_cuda *device, const rki_cuda_backward *call)
{
    backward_layout<Cell, UNITS, 4> at(call->hidden);
    return rki_cuda_launch_shared(device, "a recurrence, backward",
        (unsigned)(call->slices.blocks * call->slices.groups), THREADS,
        at.bytes(call->slices.most_rows), 1, walk_back<Cell, UNITS, 4>, *call);
}

template <typename Cell> static int32_t queue_cell(rki_cuda *device, const rki_cuda_backward *call)
{
    switch (call->slices.units) {
    case 32: return queue<Cell, 32>(device, call);
    case 16: return queue<Cell, 16>(device, call);
    default: return queue<Cell, 8>(device, call);
    }
}

int32_t rki_cuda_backward_queue(rki_cuda *device, rki_cell cell, const rki_cuda_backward *call)
{
    switch (cell) {
    case RKI_CELL_LSTM: return queue_cell<rki_cuda_lstm_backward>(device, call);
    case RKI_CELL_GRU: return queue_cell<rki_cuda_gru_backward>(device, call);
    case RKI_CELL_RELU: return queue_cell<rki_cuda_elman_backward<true>>(device, call);
    default: return queue_cell<rki_cuda_elman_backward<false>>(device, call);
    }
}

template <typename Cell> static size_t cell_bytes(int units, int64_t hidden, int most_rows)
{
    switch (units) {
    case 32: return backward_layout<Cell, 32, 4>(hidden).bytes(most_rows);
    case 16: return backward_layout<Cell, 16, 4>(hidden).bytes(most_rows);
    default: return backward_layout<Cell, 8, 4>(hidden).bytes(most_rows);
    }
}

size_t rki_cuda_backward_bytes(rki_cell cell, int units, int64_t hidden, int most_rows)
{
    switch (cell) {
    case RKI_CELL_LSTM: return cell_bytes<rki_cuda_lstm_backward>(units, hidden, most_rows);
    case RKI_CELL_GRU: return cell_bytes<rki_cuda_gru_backward>(units, hidden, most_rows);
    default: return cell_bytes<rki_cuda_elman_backward<false>>(units, hidden, most_rows);
    }
}
