/* The recurrence in clusters, backward. See cluster.cuh; equations in docs/math.
 *
 * A block makes the gates' gradients of its own units and takes them through its rows of W_hh: its
 * part of dL/dh of the step before, for all units of the layer. The parts go to the blocks that have
 * those units, where they are added up.
 */
#include "cluster.cuh"

enum { THREADS = RKI_CUDA_CLUSTER_THREADS };

/* Shared memory of a block. */
struct layout {
    int depth;     /* gates * units */
    int width;     /* blocks * units */
    int parts;     /* [2][blocks][most_rows][units] of dh */
    int gradients; /* [most_rows][depth] of the gates */
    int dh, carry; /* [most_rows][units] */
    size_t bytes;  /* mailboxes come first */
    __host__ __device__ layout(int gates, int units, int blocks, int most_rows)
        : depth(gates * units), width(blocks * units), parts(4),
          gradients(parts + 2 * blocks * most_rows * units), dh(gradients + most_rows * depth),
          carry(dh + most_rows * units), bytes((size_t)(carry + most_rows * units) * sizeof(float))
    {
    }
};

size_t rki_cuda_cluster_backward_bytes(rki_cell cell, int units, int blocks, int most_rows)
{
    return layout(rki_cell_gates(cell), units, blocks, most_rows).bytes;
}

#if defined(RKI_CUDA_SHIM) || !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
/* A thread's part of W_hh^T: four outputs, and the gates' rows that are its slice's. */
template <typename Cell, int UNITS, int SLICES> struct worker {
    static const int length = Cell::gates * UNITS / SLICES;
    int slice, output;
    int works; /* the same for a warp */
    float weights[4][length];

    __device__ worker(const rki_cuda_backward &call, int first_unit)
        : slice(threadIdx.x % SLICES), output(threadIdx.x / SLICES * 4),
          works(output < call.slices.blocks * UNITS)
    {
#pragma unroll
        for (int o = 0; o < 4; o++) {
#pragma unroll
            for (int i = 0; i < length; i++) {
                int j = (i / 4 * SLICES + slice) * 4 + i % 4;
                int64_t gate = j / UNITS, unit = first_unit + j % UNITS;
                weights[o][i] =
                    unit < call.hidden && output + o < call.hidden
                        ? call.weight_hh[(gate * call.hidden + unit) * call.hidden + output + o]
                        : 0.0f;
            }
        }
    }
};

/* What a thread is to do outside of the products: a unit of the block in every `step`-th row. */
template <typename Cell, int UNITS> struct keeper {
    typedef typename Cell::values values;
    static const int step = THREADS / UNITS;
    const rki_cuda_backward &call;
    int64_t group, groups, unit;
    int row, column, exists; /* the first row */
    float *dh, *carry;       /* of the first row */
    values ahead;            /* of that row at the next step: they travel during the one before */

    __device__ keeper(const rki_cuda_backward &of, int first_unit, float *shared, const layout &at)
        : call(of), group(blockIdx.x / of.slices.blocks), groups(of.slices.groups),
          unit(first_unit + threadIdx.x % UNITS), row(threadIdx.x / UNITS),
          column(threadIdx.x % UNITS), exists(unit < of.hidden), dh(shared + at.dh + threadIdx.x),
          carry(shared + at.carry + threadIdx.x), ahead()
    {
    }
    __device__ int rows(int64_t k) const
    {
        if (k < 0 || k >= call.walk.steps) return 0;
        return rki_cuda_rows_of_group(call.walk.count(k), group, groups);
    }
    __device__ rki_cuda_spot spot(int64_t k, int r) const
    {
        int64_t rank = group + r * groups;
        rki_cuda_spot at = {k, rank, call.walk.offset(k) + rank, unit};
        return at;
    }
    __device__ void look_ahead(int64_t k)
    {
        if (exists && row < rows(k)) ahead = Cell::load(call, spot(k, row));
    }
    /* From the gradients of the last states to those of the first. */
    __device__ void begin() const
    {
        int all = rki_cuda_rows_of_group(call.walk.batch, group, groups);
        for (int r = row, i = 0; r < all; r += step, i += THREADS) {
            dh[i] = exists ? rki_cuda_given(call, call.dhn, group + r * groups, unit) : 0.0f;
            carry[i] = exists ? rki_cuda_given(call, call.dcn, group + r * groups, unit) : 0.0f;
        }
    }
    __device__ void end() const
    {
        int all = rki_cuda_rows_of_group(call.walk.batch, group, groups);
        for (int r = row, i = 0; exists && r < all; r += step, i += THREADS) {
            int64_t place = (group + r * groups) * call.hidden + unit;
            call.carry_h[place] = dh[i];
            if (call.carry_c != NULL) call.carry_c[place] = carry[i];
        }
    }
    /* dh of the step before out of the blocks' parts. */
    __device__ void add_parts(const float *parts, int rows_sent) const
    {
        int blocks = call.slices.blocks, most_rows = call.slices.most_rows;
        for (int r = row, i = 0; r < rows_sent; r += step, i += THREADS) {
            float sum = Cell::carries_h ? carry[i] : 0.0f;
            for (int b = 0; b < blocks; b++)
                sum += parts[(b * most_rows + r) * UNITS + column];
            dh[i] = sum;
        }
    }
    /* The gates' gradients of a step; `now` are the first row's values. */
    __device__ void make_gradients(int64_t k, int rows_now, values now, float *gradients) const
    {
        for (int r = row, i = 0; r < rows_now; r += step, i += THREADS) {
            float4 s = {};
            if (exists) {
                rki_cuda_spot here = spot(k, r);
                if (r != row) {
                    now = Cell::load(call, here);
                    Cell::prepare(&now);
                }
                s = Cell::gradients(call, here, now, dh[i] + now.dy, &carry[i]);
            }
            float *to = gradients + r * Cell::gates * UNITS + column;
            to[0] = s.x;
            to[UNITS] = s.y;
            to[2 * UNITS] = s.z;
            if (Cell::gates > 3) to[3 * UNITS] = s.w;
        }
    }
};

/* The block's part of dL/dh of all units, each to the block that has it. `parts` is where this
 * block's stand. */
template <typename Shape, int UNITS, int SLICES>
static __device__ void send_parts(const Shape &mine, const float *gradients, int depth, int rows,
    float *parts, rki_cuda_mailbox *box)
{
    for (int first = 0; mine.works && first < rows; first += SLICES) {
        float sums[SLICES][4];
        rki_cuda_cluster_product<4, Shape::length, SLICES>(
            mine.weights, gradients + first * depth + 4 * mine.slice, depth, rows - first, sums);
        rki_cuda_lanes_add_up<SLICES / 2>(sums, mine.slice);
        int row = first + mine.slice;
        if (row < rows)
            rki_cuda_mailbox_send(make_float4(sums[0][0], sums[0][1], sums[0][2], sums[0][3]),
                parts + row * UNITS + mine.output % UNITS, box, (unsigned)(mine.output / UNITS));
    }
}

template <typename Cell, int UNITS, int SLICES>
static __global__ void __launch_bounds__(THREADS, 1) walk_back(rki_cuda_backward call)
{
    typedef worker<Cell, UNITS, SLICES> shape;
    const int blocks = call.slices.blocks, part = call.slices.most_rows * UNITS;
    const layout at(Cell::gates, UNITS, blocks, call.slices.most_rows);
    float *shared = reinterpret_cast<float *>(rki_cuda_shared());
    float *gradients = shared + at.gradients;
    rki_cuda_mailbox *boxes = reinterpret_cast<rki_cuda_mailbox *>(shared);
    int rank = (int)rki_cuda_cluster_rank(), sent = 0, rows_sent = 0;
    const shape mine(call, rank * UNITS);
    keeper<Cell, UNITS> own(call, rank * UNITS, shared, at);
    own.begin();
    if (threadIdx.x < 2) rki_cuda_mailbox_open(&boxes[threadIdx.x]);
    rki_cuda_cluster_sync();
    own.look_ahead(call.walk.steps - 1);
    for (int64_t k = call.walk.steps - 1;; k--) {
        Cell::prepare(&own.ahead);
        if (rows_sent > 0) {
            int last = sent - 1;
            rki_cuda_mailbox_wait(&boxes[last & 1], (unsigned)(last >> 1));
            own.add_parts(shared + at.parts + (last & 1) * blocks * part, rows_sent);
        }
        if (k < 0) break;
        typename Cell::values now = own.ahead;
        own.look_ahead(k - 1);
        int rows = own.rows(k);
        if (rows == 0) continue; /* for the whole cluster: none of its rows is this long */
        own.make_gradients(k, rows, now, gradients);
        rki_cuda_mailbox *box = &boxes[sent & 1];
        if (threadIdx.x == 0)
            rki_cuda_mailbox_expect(box, (unsigned)(rows * at.width * (int)sizeof(float)));
        __syncthreads();
        send_parts<shape, UNITS, SLICES>(mine, gradients, at.depth, rows,
            shared + at.parts + ((sent & 1) * blocks + rank) * part, box);
        rows_sent = rows;
        sent++;
    }
    own.end();
    rki_cuda_cluster_sync(); /* nobody leaves before all has come to where it was sent */
}
#else
template <typename Cell, int UNITS, int SLICES> static __global__ void walk_back(rki_cuda_backward)
{
}
#endif

template <typename Cell, int UNITS, int SLICES>
static int32_t queue(rki_cuda *device, const rki_cuda_backward *call)
{
    size_t bytes = layout(Cell::gates, UNITS, call->slices.blocks, call->slices.most_rows).bytes;
    return rki_cuda_launch_cluster(device, "a recurrence, backward", call->slices, bytes,
        walk_back<Cell, UNITS, SLICES>, *call);
}

template <typename Cell> static int32_t queue_cell(rki_cuda *device, const rki_cuda_backward *call)
{
    const int narrow = RKI_CUDA_CLUSTER_NARROW, wide = RKI_CUDA_CLUSTER_WIDE;
    return call->slices.units == narrow ? queue<Cell, narrow, 8>(device, call)
                                        : queue<Cell, wide, 4>(device, call);
}

int32_t rki_cuda_cluster_backward_queue(
    rki_cuda *device, rki_cell cell, const rki_cuda_backward *call)
{
    return cell == RKI_CELL_LSTM ? queue_cell<rki_cuda_lstm_backward>(device, call)
                                 : queue_cell<rki_cuda_gru_backward>(device, call);
}
