/* Softmax cross-entropy of logits = x W^T + b, some rows at a time, against q (backend.h):
 *
 *   row_loss[r] = Q log(sum_v exp(logits[r][v])) - sum_v q_v logits[r][v]     Q = sum_v q_v
 *   e           = (Q softmax(logits[r]) - q) * scale
 *   dx[r] = e W     dweight = sum_r e x[r]^T     dbias = sum_r e
 *
 * A chunk's logits are one product; one pass finds each row's largest logit and its sum, another
 * turns the logits into e where they stand. The
 * number of rows in a chunk depends on the sizes alone, so sums run in a fixed order. The loss is
 * on its way to the host while the gradients' products run.
 */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"
#include "reduce.cuh"
#include "softmax.cuh"

/* A chunk's logits are about this many bytes, so that its products fill a large device. */
enum { CHUNK = 128 << 20, THREADS = RKI_CUDA_ROW_THREADS };

/* What the targets say: q_v = (1 - smoothing) w_t [v = t] + smoothing w_v / classes. */
struct wish {
    const int32_t *targets;
    const float *class_weights; /* or NULL: all 1 */
    float hit, others;          /* 1 - smoothing, smoothing / classes */
    double others_sum;          /* sum of others w_v */
};

static __device__ float weight_of(const wish &w, int64_t v)
{
    return w.class_weights == NULL ? 1.0f : w.class_weights[v];
}

static __device__ float wanted(const wish &w, int32_t target, int64_t v)
{
    float q = v == target ? w.hit * weight_of(w, v) : 0.0f;
    return w.others == 0.0f ? q : q + w.others * weight_of(w, v);
}

/* sum_v q_v (logit_v - largest), for thread 0; what is not wanted is not looked at. */
template <typename Logit>
static __device__ double wanted_logits(
    const wish &w, int64_t classes, int32_t target, Logit logit, float largest)
{
    double sum = 0.0;
    if (w.others == 0.0f) {
        float q = wanted(w, target, target);
        return q == 0.0f ? 0.0 : (double)q * ((double)logit(target) - (double)largest);
    }
    for (int64_t v = threadIdx.x; v < classes; v += THREADS) {
        float q = wanted(w, target, v);
        if (q != 0.0f) sum += (double)q * ((double)logit(v) - (double)largest);
    }
    return rki_cuda_block_sum(sum);
}

/* One block for a row of x W^T: its loss, and e in place of it when gradients are wanted. */
static __global__ void softmax_row(int64_t classes, float scale, wish w, const float *bias,
    float *products, double *losses, float *row_loss, int gradients)
{
    int64_t r = blockIdx.x;
    float *row = products + r * classes;
    auto logit = [=](int64_t v) { return bias == NULL ? row[v] : row[v] + bias[v]; };
    int32_t target = w.targets[r];
    rki_cuda_partial p = rki_cuda_row_partial(classes, logit);
    double wanted_sum = (double)w.hit * weight_of(w, target) + w.others_sum;
    double of_target = wanted_logits(w, classes, target, logit, p.largest);
    if (threadIdx.x == 0) {
        double loss = wanted_sum * log((double)p.sum) - of_target;
        losses[r] = loss;
        if (row_loss != NULL) row_loss[r] = (float)loss;
    }
    if (!gradients) return;
    __syncthreads(); /* the logits have been read */
    float share = (float)wanted_sum / p.sum;
    for (int64_t v = threadIdx.x; v < classes; v += THREADS)
        row[v] = (expf(logit(v) - p.largest) * share - wanted(w, target, v)) * scale;
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

static size_t logits_bytes(const rki_softmax_loss *call)
{
    return ((size_t)(chunk_rows(call) * call->classes) * sizeof(float) + 255) / 256 * 256;
}

/* Then the factors of the largest product: all three are of a chunk, x and W in some order. */
static size_t factors_bytes(const rki_cuda *device, const rki_softmax_loss *call)
{
    int64_t rows = chunk_rows(call), classes = call->classes, inputs = call->inputs;
    size_t logits = rki_cuda_narrow_bytes(device, rows, classes, inputs);
    size_t dx = rki_cuda_narrow_bytes(device, rows, inputs, classes);
    size_t dweight = rki_cuda_narrow_bytes(device, classes, inputs, rows);
    size_t most = logits > dx ? logits : dx;
    return most > dweight ? most : dweight;
}

size_t rki_cuda_softmax_loss_scratch(void *self, const rki_softmax_loss *call)
{
    return losses_bytes(call) + logits_bytes(call) +
           factors_bytes(static_cast<const rki_cuda *>(self), call);
}

/* One call on its device, with its arrays as floats. */
struct loss_run {
    rki_cuda *device;
    const rki_softmax_loss *call;
    const float *x;
    float *logits, *dx, *row_loss;
    double *losses;
    void *factors;
    wish wish_;
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
    product.c = run.logits;
    product.ldc = call->classes;
    product.scratch = run.factors;
    RKI_TRY(rki_cuda_queue_gemm(run.device, &product));
    wish w = run.wish_;
    w.targets += first;
    return rki_cuda_launch(run.device, "softmax_loss", static_cast<unsigned>(rows), THREADS,
        softmax_row, call->classes, (float)call->scale, w, static_cast<const float *>(call->bias),
        run.logits, run.losses + first, run.row_loss == NULL ? NULL : run.row_loss + first,
        run.dx != NULL);
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
    dx.scratch = run.factors;
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
    dweight.scratch = run.factors;
    RKI_TRY(rki_cuda_queue_gemm(run.device, &dweight));
    if (call->bias == NULL) return RNNKIT_OK;
    return rki_cuda_queue_column_sum(
        run.device, rows, call->classes, run.logits, first > 0, static_cast<float *>(call->dbias));
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
    run.factors = scratch + losses_bytes(call) + logits_bytes(call);
    run.wish_.targets = staging.at<int32_t>(targets);
    run.wish_.class_weights = static_cast<const float *>(call->class_weights);
    run.wish_.hit = (float)(1.0 - call->smoothing);
    run.wish_.others = (float)(call->smoothing / (double)call->classes);
    run.wish_.others_sum = call->smoothing == 0.0
                               ? 0.0
                               : call->smoothing * call->class_weight_sum / (double)call->classes;
    RKI_TRY(queue_all(run, &staging, total));
    RKI_TRY(staging.wait());
    *call->loss = *staging.staged<double>(total);
    return RNNKIT_OK;
}
