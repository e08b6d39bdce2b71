/* The recurrence of an LSTM in one kernel, backward, and how layers are cut up. See persistent.cuh.
 *
 * A block makes the gate gradients of its own units and, once the group's others have made theirs,
 * its units' part of dL/dh of the step before: W_hh^T times all the gates' gradients of its rows.
 */
#include "persistent.cuh"

enum { THREADS = RKI_CUDA_SLICE_THREADS, WARPS = RKI_CUDA_SLICE_WARPS };

/* Shared memory of a block. Columns are units; k goes over the gates' rows. */
template <int KQ, int ROWS> struct layout {
    static const int units = 128 / KQ;
    int depth;
    __host__ __device__ explicit layout(int64_t hidden)
        : depth(rki_cuda_slice_depth<KQ>(4 * hidden))
    {
    }
    __host__ __device__ int vectors() const
    {
        return depth * units;
    }
    __host__ __device__ int partial() const
    {
        return vectors() + ROWS * depth;
    }
    __host__ __device__ int dh() const
    {
        return partial() + WARPS * ROWS * units;
    }
    __host__ __device__ int dc(int most_rows) const
    {
        return dh() + most_rows * units;
    }
    __host__ __device__ size_t bytes(int most_rows) const
    {
        return (size_t)(dc(most_rows) + most_rows * units) * sizeof(float);
    }
};

template <int KQ, int ROWS>
static __device__ void load_slice(
    const rki_cuda_lstm_backward &call, int first_unit, int depth, float *slice)
{
    const int units = layout<KQ, ROWS>::units;
    for (int i = threadIdx.x; i < depth * units; i += THREADS) {
        int k = i / units;
        int64_t unit = first_unit + i % units;
        slice[rki_cuda_slice_row<KQ>(k) * units + i % units] =
            k < 4 * call.hidden && unit < call.hidden ? call.weight_hh[k * call.hidden + unit]
                                                      : 0.0f;
    }
}

/* The gate gradients of one row and unit; dh and dc of it become those of the step before, but for
 * what comes through W_hh. */
static __device__ void make_gradients(
    const rki_cuda_lstm_backward &call, int64_t k, int64_t rank, int64_t unit, float dh, float *dc)
{
    int64_t hidden = call.hidden, position = call.walk.offset(k) + rank;
    const float *gates = call.gates + position * 4 * hidden + unit;
    float *ds = call.ds + position * 4 * hidden + unit;
    float i = gates[0], f = gates[hidden], g = gates[2 * hidden], o = gates[3 * hidden];
    float c_before = k == 0 ? call.c_first[rank * hidden + unit]
                            : call.c_all[(call.walk.offset(k - 1) + rank) * hidden + unit];
    float tanh_c = tanhf(fmaf(f, c_before, i * g));
    dh += call.dy[position * call.lddy + unit];
    float d = fmaf(dh * o, 1.0f - tanh_c * tanh_c, *dc);
    ds[0] = d * g * i * (1.0f - i);
    ds[hidden] = d * c_before * f * (1.0f - f);
    ds[2 * hidden] = d * i * (1.0f - g * g);
    ds[3 * hidden] = dh * tanh_c * o * (1.0f - o);
    *dc = d * f;
}

/* All gates' gradients of a pass's rows, into shared memory. */
template <int ROWS>
static __device__ void load_gradients(const rki_cuda_lstm_backward &call, int64_t first_position,
    int first, int rows, int depth, float *vectors)
{
    int64_t width = 4 * call.hidden;
    for (int j = threadIdx.x; j < depth; j += THREADS) {
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            int64_t position = first_position + (int64_t)(first + r) * call.slices.groups;
            vectors[r * depth + j] =
                first + r < rows && j < width ? __ldcg(call.ds + position * width + j) : 0.0f;
        }
    }
}

static __device__ int rows_of_group(int64_t count, int64_t group, int64_t groups)
{
    return count <= group ? 0 : (int)((count - group + groups - 1) / groups);
}

static __device__ float given_of(
    const rki_cuda_lstm_backward &call, const float *given, int64_t rank, int64_t unit)
{
    if (given == NULL) return 0.0f;
    return given[(call.ranks == NULL ? rank : call.ranks[rank]) * call.hidden + unit];
}

template <int KQ, int ROWS>
static __global__ void __launch_bounds__(THREADS, 1) lstm_back(rki_cuda_lstm_backward call)
{
    typedef layout<KQ, ROWS> shape;
    const shape at(call.hidden);
    const int units = shape::units, row_step = THREADS / units;
    float *slice = reinterpret_cast<float *>(rki_cuda_shared()), *vectors = slice + at.vectors();
    float *partial = slice + at.partial(), *dh = slice + at.dh();
    float *dc = slice + at.dc(call.slices.most_rows);
    int64_t group = blockIdx.x / call.slices.blocks, groups = call.slices.groups;
    int first_unit = (int)(blockIdx.x % call.slices.blocks) * units;
    int my_row = threadIdx.x / units, my_column = threadIdx.x % units;
    int64_t unit = first_unit + my_column;
    int all = rows_of_group(call.walk.batch, group, groups), exists = unit < call.hidden;
    load_slice<KQ, ROWS>(call, first_unit, at.depth, slice);
    for (int r = my_row; exists && r < all; r += row_step) {
        dh[r * units + my_column] = given_of(call, call.dhn, group + r * groups, unit);
        dc[r * units + my_column] = given_of(call, call.dcn, group + r * groups, unit);
    }
    unsigned expected = 0;
    for (int64_t k = call.walk.steps - 1; k >= 0; k--) {
        int rows = rows_of_group(call.walk.count(k), group, groups);
        if (rows == 0) continue; /* for the whole group: none of its rows is this long */
        __syncthreads();
        for (int r = my_row; exists && r < rows; r += row_step)
            make_gradients(call, k, group + r * groups, unit, dh[r * units + my_column],
                &dc[r * units + my_column]);
        rki_cuda_group_arrive(&call.arrived[group]);
        expected += (unsigned)call.slices.blocks;
        rki_cuda_group_wait(&call.arrived[group], expected);
        for (int first = 0; first < rows; first += ROWS) {
            load_gradients<ROWS>(call, call.walk.offset(k) + group, first, rows, at.depth, vectors);
            __syncthreads();
            rki_cuda_slice_product<KQ, ROWS>(slice, vectors, at.depth, partial);
            __syncthreads();
            for (int r = my_row; r < ROWS && first + r < rows; r += row_step) {
                float sum = 0.0f;
                for (int w = 0; w < WARPS; w++)
                    sum += partial[(w * ROWS + r) * units + my_column];
                dh[(first + r) * units + my_column] = sum;
            }
        }
    }
    __syncthreads();
    for (int r = my_row; exists && r < all; r += row_step) {
        int64_t place = (group + r * groups) * call.hidden + unit;
        call.carry_h[place] = dh[r * units + my_column];
        call.carry_c[place] = dc[r * units + my_column];
    }
}

template <int KQ, int ROWS>
static int32_t queue(rki_cuda *device, const rki_cuda_lstm_backward *call)
{
    layout<KQ, ROWS> at(call->hidden);
    return rki_cuda_launch_shared(device, "an LSTM, backward",
        (unsigned)(call->slices.blocks * call->slices.groups), THREADS,
        at.bytes(call->slices.most_rows), 1, lstm_back<KQ, ROWS>, *call);
}

int32_t rki_cuda_lstm_backward_queue(rki_cuda *device, const rki_cuda_lstm_backward *call)
{
    switch (call->slices.units) {
    case 32: return queue<4, 4>(device, call);
    case 16: return queue<8, 4>(device, call);
    default: return queue<16, 4>(device, call);
    }
}

size_t rki_cuda_lstm_backward_bytes(int units, int64_t hidden, int most_rows)
{
    switch (units) {
    case 32: return layout<4, 4>(hidden).bytes(most_rows);
    case 16: return layout<8, 4>(hidden).bytes(most_rows);
    default: return layout<16, 4>(hidden).bytes(most_rows);
    }
}
