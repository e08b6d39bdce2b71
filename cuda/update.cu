/* Update rules of the optimisers, as torch.optim has them, in one pass over value, gradient and
 * buffers; the gradient is cleared on the way.
 *
 * p the value, g = clip(gradient) * scale, n the number of the update from 1, wd the decay:
 *
 *   all but AdamW:  g = g + wd p
 *   SGD       without momentum buffer:     p -= rate g
 *             u = momentum u + g           p -= rate (nesterov ? g + momentum u : u)
 *   Adam      m = beta1 m + (1 - beta1) g  v = beta2 v + (1 - beta2) g^2
 *             p -= rate / (1 - beta1^n) * m / (sqrt(v) / sqrt(1 - beta2^n) + epsilon)
 *   AdamW     p -= rate wd p, then as Adam
 *   RMSprop   s = alpha s + (1 - alpha) g^2, d = g / (sqrt(s) + epsilon)
 *             without momentum buffer: p -= rate d; else u = momentum u + d, p -= rate u
 *   Adagrad   s = s + g^2                  p -= rate g / (sqrt(s) + epsilon)
 */
#include <math.h>

#include "device.cuh"
#include "operations.cuh"

enum { THREADS = 256 };

/* The call's numbers as the kernels want them, worked out in double. */
struct scalars {
    int rule, nesterov;
    float rate, decay, momentum, beta1, one_minus_beta1, beta2, one_minus_beta2;
    float alpha, one_minus_alpha, epsilon, second_correction, clip_value, gradient_scale;
};

static scalars prepare(const rki_update *call)
{
    double first = 1.0 - pow(call->beta1, (double)call->step);
    double second = 1.0 - pow(call->beta2, (double)call->step);
    int adam = call->rule == RKI_ADAM || call->rule == RKI_ADAMW;
    scalars s;
    s.rule = call->rule;
    s.nesterov = call->nesterov;
    s.rate = (float)(adam ? call->rate / first : call->rate);
    s.decay = (float)(call->weight_decay * (call->rule == RKI_ADAMW ? call->rate : 1.0));
    s.momentum = (float)call->momentum;
    s.beta1 = (float)call->beta1;
    s.one_minus_beta1 = (float)(1.0 - call->beta1);
    s.beta2 = (float)call->beta2;
    s.one_minus_beta2 = (float)(1.0 - call->beta2);
    s.alpha = (float)call->alpha;
    s.one_minus_alpha = (float)(1.0 - call->alpha);
    s.epsilon = (float)call->epsilon;
    s.second_correction = (float)(1.0 / sqrt(second));
    s.clip_value = call->clip_value > 0.0 ? (float)call->clip_value : INFINITY;
    s.gradient_scale = (float)call->gradient_scale;
    return s;
}

/* One value with what the rule keeps about it. */
struct element {
    float value, first, second;
};

static __device__ void sgd(const scalars &s, int momentum, float g, element *e)
{
    if (momentum) {
        e->first = fmaf(s.momentum, e->first, g);
        g = s.nesterov ? fmaf(s.momentum, e->first, g) : e->first;
    }
    e->value = fmaf(-s.rate, g, e->value);
}

static __device__ void adam(const scalars &s, float g, element *e)
{
    e->first = fmaf(s.beta1, e->first, s.one_minus_beta1 * g);
    e->second = fmaf(s.beta2, e->second, s.one_minus_beta2 * g * g);
    float below = fmaf(sqrtf(e->second), s.second_correction, s.epsilon);
    e->value = fmaf(-s.rate, e->first / below, e->value);
}

static __device__ void rmsprop(const scalars &s, int momentum, float g, element *e)
{
    e->second = fmaf(s.alpha, e->second, s.one_minus_alpha * g * g);
    float d = g / (sqrtf(e->second) + s.epsilon);
    if (momentum) d = e->first = fmaf(s.momentum, e->first, d);
    e->value = fmaf(-s.rate, d, e->value);
}

static __device__ void adagrad(const scalars &s, float g, element *e)
{
    e->first = fmaf(g, g, e->first);
    e->value = fmaf(-s.rate, g / (sqrtf(e->first) + s.epsilon), e->value);
}

/* Comparisons that are false for NaN, so that NaN passes. */
static __device__ float clip(float x, float limit)
{
    return x > limit ? limit : x < -limit ? -limit : x;
}

static __device__ void apply(const scalars &s, int momentum, float gradient, element *e)
{
    float g = clip(gradient, s.clip_value) * s.gradient_scale;
    if (s.rule == RKI_ADAMW)
        e->value = fmaf(-s.decay, e->value, e->value);
    else
        g = fmaf(s.decay, e->value, g);
    switch (s.rule) {
    case RKI_SGD: sgd(s, momentum, g, e); break;
    case RKI_ADAM:
    case RKI_ADAMW: adam(s, g, e); break;
    case RKI_RMSPROP: rmsprop(s, momentum, g, e); break;
    case RKI_ADAGRAD: adagrad(s, g, e); break;
    }
}

/* first and second are NULL where the rule keeps none. */
struct arrays {
    float *value, *gradient, *first, *second;
};

static __device__ void update_at(const scalars &s, const arrays &a, int64_t i)
{
    element e = {a.value[i], a.first ? a.first[i] : 0.0f, a.second ? a.second[i] : 0.0f};
    apply(s, a.first != NULL, a.gradient[i], &e);
    a.value[i] = e.value;
    a.gradient[i] = 0.0f;
    if (a.first) a.first[i] = e.first;
    if (a.second) a.second[i] = e.second;
}

static __global__ void update_all(scalars s, arrays a, int64_t count)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride)
        update_at(s, a, i);
}

static __global__ void update_rows(
    scalars s, arrays a, const int32_t *rows, int64_t row_count, int64_t width)
{
    for (int64_t r = blockIdx.x; r < row_count; r += gridDim.x)
        for (int64_t j = threadIdx.x; j < width; j += blockDim.x)
            update_at(s, a, rows[r] * width + j);
}

int32_t rki_cuda_update(void *self, const rki_update *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    arrays a = {static_cast<float *>(call->value), static_cast<float *>(call->gradient),
        static_cast<float *>(call->first), static_cast<float *>(call->second)};
    int64_t count = call->row_count * call->width;
    if (call->rows == NULL)
        return rki_cuda_launch(device, "update", rki_cuda_blocks(count, THREADS), THREADS,
            update_all, prepare(call), a, count);
    rki_cuda_staging staging(device);
    int rows = staging.add(call->rows, (size_t)call->row_count * sizeof(int32_t));
    RKI_TRY(staging.commit());
    return rki_cuda_launch(device, "update", rki_cuda_blocks(call->row_count, 1), THREADS,
        update_rows, prepare(call), a, staging.at<int32_t>(rows), call->row_count, call->width);
}
