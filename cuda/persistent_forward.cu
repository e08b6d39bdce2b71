/* The recurrence of an LSTM in one kernel, forward. See persistent.cuh. */
#include "persistent.cuh"

enum { THREADS = RKI_CUDA_SLICE_THREADS, WARPS = RKI_CUDA_SLICE_WARPS };

/* Shared memory of a block. Columns are 4 unit + gate. */
template <int KQ, int ROWS> struct layout {
    static const int columns = 128 / KQ, units = columns / 4;
    int depth;
    __host__ __device__ explicit layout(int64_t hidden) : depth(rki_cuda_slice_depth<KQ>(hidden))
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
        return (size_t)(cells() + most_rows * units) * sizeof(float);
    }
};

template <int KQ, int ROWS>
static __device__ void load_slice(
    const rki_cuda_lstm_forward &call, int first_unit, int depth, float *slice)
{
    const int columns = layout<KQ, ROWS>::columns;
    for (int column = threadIdx.x / RKI_CUDA_WARP; column < columns; column += WARPS) {
        int64_t unit = first_unit + column / 4, gate = column % 4;
        const float *row = call.weight_hh + (gate * call.hidden + unit) * call.hidden;
        for (int k = threadIdx.x % RKI_CUDA_WARP; k < depth; k += RKI_CUDA_WARP)
            slice[rki_cuda_slice_row<KQ>(k) * columns + column] =
                unit < call.hidden && k < call.hidden ? row[k] : 0.0f;
    }
}

/* What a thread does in a pass over ROWS rows of the group: one row and unit. */
struct item {
    int row;      /* within the pass */
    int64_t unit; /* of the layer */
    int column;   /* of its first gate */
    int exists;
};

/* The pass's states before the step, into shared memory. */
template <int ROWS>
static __device__ void load_states(const rki_cuda_lstm_forward &call, int64_t k, int64_t group,
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

template <int ROWS, int COLUMNS>
static __device__ float4 add_partials(const float *partial, int row, int column)
{
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
        float4 p = *reinterpret_cast<const float4 *>(partial + (w * ROWS + row) * COLUMNS + column);
        sum.x += p.x;
        sum.y += p.y;
        sum.z += p.z;
        sum.w += p.w;
    }
    return sum;
}

/* A thread's input products and biases, which do not wait for the step before. */
static __device__ float4 input_of(
    const rki_cuda_lstm_forward &call, const float *a, const float4 &bias, int64_t unit)
{
    float4 sum;
    sum.x = a[unit] + bias.x;
    sum.y = a[call.hidden + unit] + bias.y;
    sum.z = a[2 * call.hidden + unit] + bias.z;
    sum.w = a[3 * call.hidden + unit] + bias.w;
    return sum;
}

static __device__ float4 bias_of(const rki_cuda_lstm_forward &call, int64_t unit)
{
    if (call.bias_ih == NULL || unit >= call.hidden) return make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float sums[4];
    for (int gate = 0; gate < 4; gate++)
        sums[gate] =
            call.bias_ih[gate * call.hidden + unit] + call.bias_hh[gate * call.hidden + unit];
    return make_float4(sums[0], sums[1], sums[2], sums[3]);
}

/* From what a gate adds up to, to the state; `cell` is c of this row and unit. */
static __device__ void make_state(
    const rki_cuda_lstm_forward &call, int64_t position, int64_t unit, float4 sum, float *cell)
{
    float i = rki_cuda_sigmoid(sum.x), f = rki_cuda_sigmoid(sum.y);
    float g = tanhf(sum.z), o = rki_cuda_sigmoid(sum.w);
    float c = fmaf(f, *cell, i * g);
    *cell = c;
    call.y[position * call.ldy + unit] = o * tanhf(c);
    if (call.c_all == NULL) return;
    float *gates = call.a + position * 4 * call.hidden + unit;
    gates[0] = i;
    gates[call.hidden] = f;
    gates[2 * call.hidden] = g;
    gates[3 * call.hidden] = o;
    call.c_all[position * call.hidden + unit] = c;
}

static __device__ int rows_of_group(int64_t count, int64_t group, int64_t groups)
{
    return count <= group ? 0 : (int)((count - group + groups - 1) / groups);
}

template <int KQ, int ROWS>
static __global__ void __launch_bounds__(THREADS, 1) lstm(rki_cuda_lstm_forward call)
{
    typedef layout<KQ, ROWS> shape;
    const shape at(call.hidden);
    float *slice = reinterpret_cast<float *>(rki_cuda_shared()), *vectors = slice + at.vectors();
    float *partial = slice + at.partial(), *cells = slice + at.cells();
    int64_t group = blockIdx.x / call.slices.blocks, groups = call.slices.groups;
    int first_unit = (int)(blockIdx.x % call.slices.blocks) * shape::units;
    item mine;
    mine.row = threadIdx.x / shape::units;
    mine.column = threadIdx.x % shape::units * 4;
    mine.unit = first_unit + threadIdx.x % shape::units;
    mine.exists = mine.row < ROWS && mine.unit < call.hidden;
    float4 bias = bias_of(call, mine.unit);
    load_slice<KQ, ROWS>(call, first_unit, at.depth, slice);
    int all = rows_of_group(call.walk.batch, group, groups);
    for (int r = mine.row; mine.exists && r < all; r += ROWS)
        cells[r * shape::units + mine.column / 4] =
            call.c_run[(group + r * groups) * call.hidden + mine.unit];
    for (int64_t k = 0; k < call.walk.steps; k++) {
        int rows = rows_of_group(call.walk.count(k), group, groups);
        if (rows == 0) break; /* and so at all later steps, for the whole group */
        for (int first = 0; first < rows; first += ROWS) {
            int has_row = mine.exists && first + mine.row < rows;
            int64_t position = call.walk.offset(k) + group + (int64_t)(first + mine.row) * groups;
            float4 sum = {};
            if (has_row) sum = input_of(call, call.a + position * 4 * call.hidden, bias, mine.unit);
            if (first == 0 && k > 0)
                rki_cuda_group_wait(&call.arrived[group], (unsigned)(k * call.slices.blocks));
            load_states<ROWS>(call, k, group, first, rows, at.depth, vectors);
            __syncthreads();
            rki_cuda_slice_product<KQ, ROWS>(slice, vectors, at.depth, partial);
            __syncthreads();
            if (!has_row) continue;
            float4 u = add_partials<ROWS, shape::columns>(partial, mine.row, mine.column);
            sum.x += u.x;
            sum.y += u.y;
            sum.z += u.z;
            sum.w += u.w;
            make_state(call, position, mine.unit, sum,
                &cells[(first + mine.row) * shape::units + mine.column / 4]);
        }
        rki_cuda_group_arrive(&call.arrived[group]);
    }
    for (int r = mine.row; mine.exists && r < all; r += ROWS)
        call.c_run[(group + r * groups) * call.hidden + mine.unit] =
            cells[r * shape::units + mine.column / 4];
}

template <int KQ, int ROWS>
static int32_t queue(rki_cuda *device, const rki_cuda_lstm_forward *call)
{
    layout<KQ, ROWS> at(call->hidden);
    return rki_cuda_launch_shared(device, "an LSTM",
        (unsigned)(call->slices.blocks * call->slices.groups), THREADS,
        at.bytes(call->slices.most_rows), 1, lstm<KQ, ROWS>, *call);
}

int32_t rki_cuda_lstm_forward_queue(rki_cuda *device, const rki_cuda_lstm_forward *call)
{
    int few = call->slices.most_rows <= 4;
    switch (call->slices.units) {
    case 32: return few ? queue<1, 4>(device, call) : queue<1, 8>(device, call);
    case 16: return few ? queue<2, 4>(device, call) : queue<2, 8>(device, call);
    default: return few ? queue<4, 4>(device, call) : queue<4, 8>(device, call);
    }
}

size_t rki_cuda_lstm_forward_bytes(int units, int64_t hidden, int most_rows)
{
    switch (units) {
    case 32: return layout<1, 8>(hidden).bytes(most_rows);
    case 16: return layout<2, 8>(hidden).bytes(most_rows);
    default: return layout<4, 8>(hidden).bytes(most_rows);
    }
}
