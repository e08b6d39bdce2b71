/* The recurrence in one kernel, forward. See persistent.cuh; equations in backend/backend.h. */
#include "gates_forward.cuh"

enum { THREADS = RKI_CUDA_SLICE_THREADS, WARPS = RKI_CUDA_SLICE_WARPS };

/* Shared memory of a block. Column `Cell::columns` unit + gate of the slice is that gate's. */
template <typename Cell, int UNITS, int ROWS> struct forward_layout {
    static const int units = UNITS, columns = UNITS * Cell::columns, kq = 128 / columns;
    int depth;
    __host__ __device__ explicit forward_layout(int64_t hidden)
        : depth(rki_cuda_slice_depth<kq>(hidden))
    {
    }
    __host__ __device__ int vectors() const
    {
        return depth * columns;
    }
    __host__ __device__ int partial() const
    {
        return vectors() + ROWS * depth;
    }
    __host__ __device__ int cells() const
    {
        return partial() + WARPS * ROWS * columns;
    }
    __host__ __device__ size_t bytes(int most_rows) const
    {
        return (size_t)(cells() + Cell::keeps_c * most_rows * units) * sizeof(float);
    }
};

template <typename Cell, typename Shape>
static __device__ void load_slice(
    const rki_cuda_forward &call, int first_unit, int depth, float *slice)
{
    for (int column = threadIdx.x / RKI_CUDA_WARP; column < Shape::columns; column += WARPS) {
        int64_t unit = first_unit + column / Cell::columns, gate = column % Cell::columns;
        const float *row = call.weight_hh + (gate * call.hidden + unit) * call.hidden;
        int exists = gate < Cell::gates && unit < call.hidden;
        for (int k = threadIdx.x % RKI_CUDA_WARP; k < depth; k += RKI_CUDA_WARP)
            slice[rki_cuda_slice_row<Shape::kq>(k) * Shape::columns + column] =
                exists && k < call.hidden ? row[k] : 0.0f;
    }
}

/* What a thread does in a pass over ROWS rows of the group: one row and unit. */
struct item {
    int row;      /* within the pass */
    int place;    /* of the unit within the block */
    int64_t unit; /* of the layer */
    int exists;
};

/* The pass's states before the step, into shared memory. */
template <int ROWS>
static __device__ void load_states(const rki_cuda_forward &call, int64_t k, int64_t group,
    int first, int rows, int depth, float *vectors)
{
    int64_t ld = k == 0 ? call.hidden : call.ldy;
    const float *h = k == 0 ? call.h0 : call.y + call.walk.offset(k - 1) * call.ldy;
    for (int j = threadIdx.x; j < depth; j += THREADS) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int64_t rank = group + (int64_t)(first + r) * call.slices.groups;
            vectors[r * depth + j] =
                first + r < rows && j < call.hidden ? __ldcg(h + rank * ld + j) : 0.0f;
        }
    }
}

/* A unit's products, the warps' parts added up. */
template <typename Cell, int ROWS, int COLUMNS>
static __device__ float4 add_partials(const float *partial, int row, int place)
{
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
        const float *at = partial + (w * ROWS + row) * COLUMNS + place * Cell::columns;
        if (Cell::columns == 1) {
            sum.x += *at;
            continue;
        }
        float4 p = *reinterpret_cast<const float4 *>(at);
        sum.x += p.x;
        sum.y += p.y;
        sum.z += p.z;
        sum.w += p.w;
    }
    return sum;
}

/* c of the rows and the unit that the thread works on: from c_run, or back to it. */
template <int UNITS, int ROWS>
static __device__ void move_cells(
    const rki_cuda_forward &call, const item &mine, int64_t group, int out, float *cells)
{
    int64_t groups = call.slices.groups;
    int all = rki_cuda_rows_of_group(call.walk.batch, group, groups);
    for (int r = mine.row; mine.exists && r < all; r += ROWS) {
        float *run = &call.c_run[(group + r * groups) * call.hidden + mine.unit];
        float *cell = &cells[r * UNITS + mine.place];
        if (out)
            *run = *cell;
        else
            *cell = *run;
    }
}

template <typename Cell, int UNITS, int ROWS>
static __global__ void __launch_bounds__(THREADS, 1) walk_forward(rki_cuda_forward call)
{
    typedef forward_layout<Cell, UNITS, ROWS> shape;
    const shape at(call.hidden);
    float *slice = reinterpret_cast<float *>(rki_cuda_shared()), *vectors = slice + at.vectors();
    float *partial = slice + at.partial(), *cells = slice + at.cells();
    int64_t group = blockIdx.x / call.slices.blocks, groups = call.slices.groups;
    int first_unit = (int)(blockIdx.x % call.slices.blocks) * UNITS;
    item mine;
    mine.row = threadIdx.x / UNITS;
    mine.place = threadIdx.x % UNITS;
    mine.unit = first_unit + mine.place;
    mine.exists = mine.row < ROWS && mine.unit < call.hidden;
    float4 bias = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    if (call.bias_ih != NULL && mine.unit < call.hidden) bias = Cell::bias(call, mine.unit);
    load_slice<Cell, shape>(call, first_unit, at.depth, slice);
    if (Cell::keeps_c) move_cells<UNITS, ROWS>(call, mine, group, 0, cells);
    for (int64_t k = 0; k < call.walk.steps; k++) {
        int rows = rki_cuda_rows_of_group(call.walk.count(k), group, groups);
        if (rows == 0) break; /* and so at all later steps, for the whole group */
        for (int first = 0; first < rows; first += ROWS) {
            int has_row = mine.exists && first + mine.row < rows;
            int64_t position = call.walk.offset(k) + group + (int64_t)(first + mine.row) * groups;
            float4 in = {}; /* what does not wait for the step before */
            if (has_row)
                in = Cell::input(call, call.a + position * Cell::gates * call.hidden + mine.unit);
            if (first == 0 && k > 0)
                rki_cuda_group_wait(&call.arrived[group], (unsigned)(k * call.slices.blocks));
            load_states<ROWS>(call, k, group, first, rows, at.depth, vectors);
            __syncthreads();
            float before = has_row ? vectors[mine.row * at.depth + mine.unit] : 0.0f;
            rki_cuda_slice_product<shape::kq, ROWS>(slice, vectors, at.depth, partial);
            __syncthreads();
            if (!has_row) continue;
            float4 u = add_partials<Cell, ROWS, shape::columns>(partial, mine.row, mine.place);
            call.y[position * call.ldy + mine.unit] = Cell::state(call, position, mine.unit,
                rki_cuda_add(bias, in), u, before, &cells[(first + mine.row) * UNITS + mine.place]);
        }
        rki_cuda_group_arrive(&call.arrived[group]);
    }
    if (Cell::keeps_c) move_cells<UNITS, ROWS>(call, mine, group, 1, cells);
}

template <typename Cell, int UNITS, int ROWS>
static int32_t queue(rki_cuda *device, const rki_cuda_forward *call)
{
    forward_layout<Cell, UNITS, ROWS> at(call->hidden);
    return rki_cuda_launch_shared(device, "a recurrence",
        (unsigned)(call->slices.blocks * call->slices.groups), THREADS,
        at.bytes(call->slices.most_rows), 1, walk_forward<Cell, UNITS, ROWS>, *call);
}

template <typename Cell> static int32_t queue_cell(rki_cuda *device, const rki_cuda_forward *call)
{
    int few = call->slices.most_rows <= 4;
    switch (call->slices.units) {
    case 32: return few ? queue<Cell, 32, 4>(device, call) : queue<Cell, 32, 8>(device, call);
    case 16: return few ? queue<Cell, 16, 4>(device, call) : queue<Cell, 16, 8>(device, call);
    default: return few ? queue<Cell, 8, 4>(device, call) : queue<Cell, 8, 8>(device, call);
    }
}

int32_t rki_cuda_forward_queue(rki_cuda *device, rki_cell cell, const rki_cuda_forward *call)
{
    switch (cell) {
    case RKI_CELL_LSTM: return queue_cell<rki_cuda_lstm_forward>(device, call);
    case RKI_CELL_GRU: return queue_cell<rki_cuda_gru_forward>(device, call);
    case RKI_CELL_RELU: return queue_cell<rki_cuda_elman_forward<true>>(device, call);
    default: return queue_cell<rki_cuda_elman_forward<false>>(device, call);
    }
}

template <typename Cell> static size_t cell_bytes(int units, int64_t hidden, int most_rows)
{
    switch (units) {
    case 32: return forward_layout<Cell, 32, 8>(hidden).bytes(most_rows);
    case 16: return forward_layout<Cell, 16, 8>(hidden).bytes(most_rows);
    default: return forward_layout<Cell, 8, 8>(hidden).bytes(most_rows);
    }
}

size_t rki_cuda_forward_bytes(rki_cell cell, int units, int64_t hidden, int most_rows)
{
    switch (cell) {
    case RKI_CELL_LSTM: return cell_bytes<rki_cuda_lstm_forward>(units, hidden, most_rows);
    case RKI_CELL_GRU: return cell_bytes<rki_cuda_gru_forward>(units, hidden, most_rows);
    default: return cell_bytes<rki_cuda_elman_forward<false>>(units, hidden, most_rows);
    }
}
