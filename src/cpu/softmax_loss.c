/* Softmax cross-entropy of a linear layer, a block of rows at a time:
 *   logits = x W^T + b    e = (Q softmax(logits) - q) * scale
 *   dx = e W              dW = e^T x    db = column sums of e
 * with q = onehot(target), but for class weights and label smoothing, and Q its sum
 * (rki_softmax_loss in backend/backend.h). The logits of a block become its e in place. Sums over
 * rows run in the order of rows.
 */
#include <math.h>

#include "base/float_mode.h"
#include "cpu/cpu.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"

/* A block's logits: at most so many bytes, but rows enough for good products. */
enum { MOST_BYTES = 32 << 20, LEAST_ROWS = 256, ALIGNMENT = 64 };

typedef struct layout {
    float *logits;
    double *loss; /* of each row of the block */
    void *gemm;
    size_t bytes;
} layout;

typedef struct block {
    const rki_cpu *cpu;
    const rki_softmax_loss *call;
    layout at;
    int64_t begin, rows;
} block;

/* Blocks of equal size. */
static int64_t block_rows(const rki_softmax_loss *call)
{
    int64_t most = MOST_BYTES / (int64_t)sizeof(float) / call->classes;
    if (most < LEAST_ROWS) most = LEAST_ROWS;
    int64_t blocks = (call->rows + most - 1) / most;
    return blocks == 0 ? 0 : (call->rows + blocks - 1) / blocks;
}

static rki_gemm logits_product(const rki_softmax_loss *call, int64_t rows)
{
    return (rki_gemm){.transpose_b = 1,
        .training = 1,
        .m = rows,
        .n = call->classes,
        .k = call->inputs,
        .lda = call->inputs,
        .ldb = call->inputs,
        .ldc = call->classes,
        .b = call->weight,
        .bias = call->bias,
        .b_format = call->format,
        .b_rows = call->classes};
}

static rki_gemm dx_product(const rki_softmax_loss *call, int64_t rows)
{
    return (rki_gemm){.m = rows,
        .n = call->inputs,
        .k = call->classes,
        .lda = call->classes,
        .ldb = call->inputs,
        .ldc = call->inputs,
        .b = call->weight};
}

static rki_gemm dweight_product(const rki_softmax_loss *call, int64_t rows)
{
    return (rki_gemm){.transpose_a = 1,
        .m = call->classes,
        .n = call->inputs,
        .k = rows,
        .lda = call->classes,
        .ldb = call->inputs,
        .ldc = call->inputs,
        .c = call->dweight};
}

static size_t gemm_scratch(const rki_cpu *cpu, const rki_softmax_loss *call)
{
    int64_t rows = block_rows(call);
    rki_gemm products[3] = {
        logits_product(call, rows), dx_product(call, rows), dweight_product(call, rows)};
    size_t most = 0;
    for (int i = 0; i < (call->dx ? 3 : 1); i++) {
        size_t bytes = rki_cpu_gemm_scratch((void *)(uintptr_t)cpu, &products[i]);
        if (bytes > most) most = bytes;
    }
    return most;
}

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static layout cut_scratch(const rki_cpu *cpu, const rki_softmax_loss *call)
{
    size_t logits = aligned((size_t)(block_rows(call) * call->classes) * sizeof(float));
    size_t loss = aligned((size_t)block_rows(call) * sizeof(double));
    char *scratch = call->scratch;
    layout at = {.bytes = logits + loss + gemm_scratch(cpu, call)};
    if (scratch == NULL) return at;
    at.logits = (void *)scratch;
    at.loss = (void *)(scratch + logits);
    at.gemm = scratch + logits + loss;
    return at;
}

size_t rki_cpu_softmax_loss_scratch(void *self, const rki_softmax_loss *call)
{
    rki_softmax_loss unplaced = *call;
    unplaced.scratch = NULL;
    return cut_scratch(self, &unplaced).bytes;
}

/* A target's distribution: q_v = extra [v = target] + spread w_v, and its sum. */
typedef struct wish {
    const float *weights; /* NULL: all 1 */
    double extra, spread, sum;
} wish;

static wish wish_of(const rki_softmax_loss *call, int32_t target)
{
    const float *weights = call->class_weights;
    double weight = weights ? (double)weights[target] : 1.0;
    wish w = {.weights = weights,
        .extra = (1.0 - call->smoothing) * weight,
        .spread = call->smoothing / (double)call->classes};
    w.sum = w.extra + (w.spread == 0.0 ? 0.0 : w.spread * call->class_weight_sum);
    return w;
}

/* row_loss = Q (log sum exp - logit of the target) - spread sum_v w_v (logit v - logit of the
 * target): differences of logits alone, so that a shift of all of them costs no precision. */
static void run_row(const block *b, int64_t r)
{
    const rki_softmax_loss *call = b->call;
    const rki_kernels *kernels = b->cpu->kernels;
    float *logits = b->at.logits + r * call->classes, largest;
    int32_t target = call->targets[b->begin + r];
    wish w = wish_of(call, target);
    double of_target = (double)logits[target], spread = 0.0;
    if (w.spread != 0.0)
        spread = w.spread *
                 (double)kernels->weighted_sum(call->classes, w.weights, logits[target], logits);
    float sum = kernels->softmax_exp(call->classes, logits, call->dx != NULL, &largest);
    double above = log((double)sum) + (double)largest - of_target;
    b->at.loss[r] = w.sum * above - spread;
    if (call->row_loss) ((float *)call->row_loss)[b->begin + r] = (float)b->at.loss[r];
    if (call->dx == NULL) return;
    float factor = (float)(call->scale * w.sum / (double)sum);
    if (w.spread != 0.0)
        kernels->smooth(call->classes, factor, (float)(call->scale * w.spread), w.weights, logits);
    else
        kernels->scale(call->classes, factor, logits);
    logits[target] -= (float)(call->scale * w.extra);
}

static void run_rows(void *user, int64_t begin, int64_t end)
{
    for (int64_t r = begin; r < end; r++)
        run_row(user, r);
}

static void run_gradients(const block *b)
{
    const rki_softmax_loss *call = b->call;
    rki_gemm product = dx_product(call, b->rows);
    product.a = b->at.logits;
    product.c = (float *)call->dx + b->begin * call->inputs;
    product.scratch = b->at.gemm;
    rki_gemm_run(b->cpu, &product, NULL);
    product = dweight_product(call, b->rows);
    product.a = b->at.logits;
    product.b = (const float *)call->x + b->begin * call->inputs;
    product.accumulate = b->begin > 0;
    product.scratch = b->at.gemm;
    rki_gemm_run(b->cpu, &product, NULL);
    if (call->bias)
        rki_cpu_column_sum((void *)(uintptr_t)b->cpu, b->rows, call->classes, b->at.logits,
            b->begin > 0, call->dbias);
}

int32_t rki_cpu_softmax_loss(void *self, const rki_softmax_loss *call)
{
    block b = {.cpu = self, .call = call, .at = cut_scratch(self, call)};
    double loss = 0.0;
    int64_t most = block_rows(call);
    for (; b.begin < call->rows; b.begin += b.rows) {
        b.rows = call->rows - b.begin < most ? call->rows - b.begin : most;
        rki_gemm product = logits_product(call, b.rows);
        product.a = (const float *)call->x + b.begin * call->inputs;
        product.c = b.at.logits;
        product.scratch = b.at.gemm;
        rki_gemm_run(b.cpu, &product, NULL);
        rki_parallel_blocks(b.cpu->threads, b.rows, 1, run_rows, &b);
        for (int64_t r = 0; r < b.rows; r++)
            loss += b.at.loss[r];
        if (call->dx) run_gradients(&b);
    }
    *call->loss = loss;
    return RNNKIT_OK;
}
