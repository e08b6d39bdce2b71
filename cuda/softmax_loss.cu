/* Softmax cross-entropy of logits = x W^T + b, some rows at a time:
 *
 *   row_loss[r] = log(sum_v exp(logits[r][v])) - logits[r][target]
 *   e           = (softmax(logits[r]) - onehot(target)) * scale
 *   dx[r] = e W     dweight = sum_r e x[r]^T     dbias = sum_r e
 *
 * A chunk's logits are one product; one pass finds each row's largest logit and its sum (online
 * softmax, Milakov and Gimelshein 2018), a second turns the logits into e where they stand. The
 * number of rows in a chunk depends on the sizes alone, so sums run in a fixed order. The loss is
 * on its way to the host while the gradients' products run.
 */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "reduce.cuh"

/* A chunk's logits are about this many bytes: products are large enough, and the cache has them. */
enum { CHUNK = 48 << 20, THREADS = 256, WARP = 32, WARPS = THREADS / WARP };

/* The largest of some logits, and the sum of exp(logit - largest). */
struct partial {
    float largest, sum;
};

static __device__ partial join(partial a, partial b)
{
    partial both;
    both.largest = fmaxf(a.largest, b.largest); /* passes over NaN, which stays in the sums */
    if (both.largest == -INFINITY) {
        both.sum = a.sum + b.sum;
        return both;
    }
    both.sum = a.sum * expf(a.largest - both.largest) + b.sum * expf(b.largest - both.largest);
    return both;
}

static __device__ partial with_logit(partial p, float logit)
{
    partial one = {logit, isnan(logit) ? logit : 1.0f};
    if (isnan(logit)) one.largest = -INFINITY;
    return join(p, one);
}

/* Every thread gets the same result. */
static __device__ partial join_block(partial mine)
{
    __shared__ partial shared[WARPS];
    for (int step = WARP / 2; step > 0; step /= 2) {
        partial other = {__shfl_xor_sync(0xFFFFFFFFu, mine.largest, step),
            __shfl_xor_sync(0xFFFFFFFFu, mine.sum, step)};
        mine = join(mine, other);
    }
    if (threadIdx.x % WARP == 0) shared[threadIdx.x / WARP] = mine;
    __syncthreads();
    mine = shared[0];
    for (int i = 1; i < WARPS; i++)
        mine = join(mine, shared[i]);
    return mine;
}

/* One block for a row: its loss, and e in place of its logits when gradients are wanted. */
static __global__ void softmax_row(int64_t classes, float scale, const int32_t *targets,
    float *logits, double *losses, float *row_loss, int gradients)
{
    int64_t r = blockIdx.x;
    float *row = logits + r * classes;
    int32_t target = targets[r];
    partial p = {-INFINITY, 0.0f};
    for (int64_t v = threadIdx.x; v < classes; v += THREADS)
        p = with_logit(p, row[v]);
    p = join_block(p);
    if (threadIdx.x == 0) {
        double loss = log((double)p.sum) - ((double)row[target] - (double)p.largest);
        losses[r] = loss;
        if (row_loss != NULL) row_loss[r] = (float)loss;
    }
    if (!gradients) return;
    __syncthreads(); /* the target's logit has been read */
    float inverse = 1.0f / p.sum;
    for (int64_t v = threadIdx.x; v < classes; v += THREADS) {
        float e = expf(row[v] - p.largest) * inverse;
        row[v] = (v == target ? e - 1.0f : e) * scale;
    }
}

static int64_t chunk_rows(const rki_softmax_loss *call)
{
    int64_t rows = CHUNK / (call->classes * (int64_t)sizeof(float));
    rows = rows < 1 ? 1 : rows;
    return rows < call->rows ? rows : call->rows;
}

/* Losses in double, then the logits of a chunk. */
static size_t losses_bytes(const rki_softmax_loss *call)
{
    return ((size_t)call->rows * sizeof(double) + 63) / 64 * 64;
}

size_t rki_cuda_softmax_loss_scratch(void *self, const rki_softmax_loss *call)
{
    (void)self;
    return losses_bytes(call) + (size_t)(chunk_rows(call) * call->classes) * sizeof(float);
}

/* One call on its device, with its arrays as floats. */
struct loss_run {
    rki_cuda *device;
    const rki_softmax_loss *call;
    const float *x;
    float *logits, *dx, *row_loss;
    double *losses;
    const int32_t *targets;
};

static int32_t chunk_losses(const loss_run &run, int64_t first, int64_t rows)
{
    const rki_softmax_loss *call = run.call;
    rki_gemm product = {};
    product.transpose_b = 1;
    product.m = rows;
    product.n = call->classes;
    product.k = call->inputs;
    product.a = run.x + first * call->inputs;
    product.lda = call->inputs;
    product.b = call->weight;
    product.ldb = call->inputs;
    product.bias = call->bias;
    product.c = run.logits;
    product.ldc = call->classes;
    RKI_TRY(rki_cuda_queue_gemm(run.device, &product));
    return rki_cuda_launch(run.device, "softmax_loss", static_cast<unsigned>(rows), THREADS,
        softmax_row, call->classes, (float)call->scale, run.targets + first, run.logits,
        run.losses + first, run.row_loss == NULL ? NULL : run.row_loss + first, run.dx != NULL);
}

static int32_t chunk_gradients(const loss_run &run, int64_t first, int64_t rows)
{
    const rki_softmax_loss *call = run.call;
    rki_gemm dx = {};
    dx.m = rows;
    dx.n = call->inputs;
    dx.k = call->classes;
    dx.a = run.logits;
    dx.lda = call->classes;
    dx.b = call->weight;
    dx.ldb = call->inputs;
    dx.c = run.dx + first * call->inputs;
    dx.ldc = call->inputs;
    RKI_TRY(rki_cuda_queue_gemm(run.device, &dx));
    rki_gemm dweight = {};
    dweight.transpose_a = 1;
    dweight.accumulate = first > 0;
    dweight.m = call->classes;
    dweight.n = call->inputs;
    dweight.k = rows;
    dweight.a = run.logits;
    dweight.lda = call->classes;
    dweight.b = run.x + first * call->inputs;
    dweight.ldb = call->inputs;
    dweight.c = call->dweight;
    dweight.ldc = call->inputs;
    RKI_TRY(rki_cuda_queue_gemm(run.device, &dweight));
    if (call->bias == NULL) return RNNKIT_OK;
    return rki_cuda_queue_column_sum(run.device, rows, call->classes, run.logits, first > 0,
        static_cast<float *>(call->dbias));
}

/* Queues everything; `total` of the staging is then on its way to the host. */
static int32_t queue_all(const loss_run &run, rki_cuda_staging *staging, int total)
{
    int64_t rows = run.call->rows, most = chunk_rows(run.call);
    for (int64_t first = 0; first < rows; first += most) {
        int64_t count = rows - first < most ? rows - first : most;
        RKI_TRY(chunk_losses(run, first, count));
        if (first + count == rows) {
            RKI_TRY(rki_cuda_launch(run.device, "softmax_loss", 1, RKI_CUDA_SUM_THREADS,
                rki_cuda_sum, rows, run.losses, staging->at<double>(total)));
            RKI_TRY(staging->fetch(total));
        }
        if (run.dx != NULL) RKI_TRY(chunk_gradients(run, first, count));
    }
    return RNNKIT_OK;
}

int32_t rki_cuda_softmax_loss(void *self, const rki_softmax_loss *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device);
    int targets = staging.add(call->targets, (size_t)call->rows * sizeof(int32_t));
    int total = staging.add(NULL, sizeof(double));
    RKI_TRY(staging.commit());
    char *scratch = static_cast<char *>(call->scratch);
    loss_run run;
    run.device = device;
    run.call = call;
    run.x = static_cast<const float *>(call->x);
    run.dx = static_cast<float *>(call->dx);
    run.row_loss = static_cast<float *>(call->row_loss);
    run.losses = reinterpret_cast<double *>(scratch);
    run.logits = reinterpret_cast<float *>(scratch + losses_bytes(call));
    run.targets = staging.at<int32_t>(targets);
    RKI_TRY(queue_all(run, &staging, total));
    RKI_TRY(staging.wait());
    *call->loss = *staging.staged<double>(total);
    return RNNKIT_OK;
}
