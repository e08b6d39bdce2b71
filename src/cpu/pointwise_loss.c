/* Losses of each element by itself; equations: rki_pointwise_loss in backend/backend.h.
 *
 * Few of them are long, so this is plain C in double. Elements are cut into blocks of fixed size,
 * and the blocks' sums are added up in their order. */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum {
    BLOCK = 1 << 12, /* elements that are worth another thread */
    MOST_SUMS = 256  /* blocks whose sums wait at a time */
};

typedef struct work {
    const rki_pointwise_loss *call;
    int64_t start; /* of the blocks whose sums these are */
    double sums[MOST_SUMS];
} work;

typedef struct point {
    double loss, derivative;
} point;

/* log(1 + exp(-x)) and sigmoid(x) from one exponential that never overflows. */
static point binary_cross_entropy(double positive, double x, double t)
{
    double e = exp(-fabs(x)), factor = 1.0 + (positive - 1.0) * t;
    double below_1 = (x >= 0.0 ? -e : -1.0) / (1.0 + e); /* sigmoid(x) - 1 */
    double softplus = log1p(e) + (x < 0.0 ? -x : 0.0);
    return (point){(1.0 - t) * x + factor * softplus, (1.0 - t) + factor * below_1};
}

/* 0 at 0, and NaN for NaN. */
static double sign(double d)
{
    return d > 0.0 ? 1.0 : d < 0.0 ? -1.0 : d;
}

static point huber(double delta, double d)
{
    double size = fabs(d);
    if (size <= delta) return (point){0.5 * d * d, d};
    return (point){delta * (size - 0.5 * delta), delta * sign(d)};
}

static point evaluate(const rki_pointwise_loss *call, double x, double t)
{
    double d = x - t;
    switch (call->rule) {
    case RKI_BINARY_CROSS_ENTROPY: return binary_cross_entropy(call->positive, x, t);
    case RKI_SQUARED_ERROR: return (point){d * d, 2.0 * d};
    case RKI_ABSOLUTE_ERROR: return (point){fabs(d), sign(d)};
    case RKI_HUBER: break;
    }
    return huber(call->delta, d);
}

static void run_block(void *user, int64_t begin, int64_t end)
{
    work *w = user;
    const rki_pointwise_loss *call = w->call;
    const float *x = call->x, *targets = call->targets, *weights = call->weights;
    float *dx = call->dx;
    double sum = 0.0;
    for (int64_t i = w->start + begin; i < w->start + end; i++) {
        double weight = weights ? (double)weights[i / call->width] : 1.0;
        point p = {0.0, 0.0};
        if (weight != 0.0) p = evaluate(call, (double)x[i], (double)targets[i]);
        sum += weight * p.loss;
        if (dx) dx[i] = (float)(call->scale * weight * p.derivative);
    }
    w->sums[begin / BLOCK] = sum;
}

int32_t rki_cpu_pointwise_loss(void *self, const rki_pointwise_loss *call)
{
    const rki_cpu *cpu = self;
    const int64_t most = (int64_t)MOST_SUMS * BLOCK;
    work w = {.call = call};
    double loss = 0.0;
    for (w.start = 0; w.start < call->count; w.start += most) {
        int64_t count = call->count - w.start < most ? call->count - w.start : most;
        rki_parallel_blocks(cpu->threads, count, BLOCK, run_block, &w);
        for (int64_t i = 0; i * BLOCK < count; i++)
            loss += w.sums[i];
    }
    *call->loss = loss;
    return RNNKIT_OK;
}
