/* Update rules of the optimisers, as torch.optim has them, in one pass over value, gradient and
 * buffers; the gradient is cleared on the way. And the sum of squares for clipping.
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
#ifndef RKI_CPU_KERNELS_UPDATE_H
#define RKI_CPU_KERNELS_UPDATE_H

#include "cpu/kernels/kernels.h"
#include "cpu/kernels/simd.h"

/* A vector of values with what the rule keeps about them. */
typedef struct element {
    vf value, first, second;
} element;

/* The limits stand first, so that NaN passes. */
static inline vf clip(vf x, float limit)
{
    return vf_max(vf_set1(-limit), vf_min(vf_set1(limit), x));
}

static inline void sgd(const rki_update_scalars *s, int momentum, vf g, element *e)
{
    if (momentum) {
        e->first = vf_fma(vf_set1(s->momentum), e->first, g);
        g = s->nesterov ? vf_fma(vf_set1(s->momentum), e->first, g) : e->first;
    }
    e->value = vf_fnma(vf_set1(s->rate), g, e->value);
}

static inline void adam(const rki_update_scalars *s, vf g, element *e)
{
    e->first = vf_fma(vf_set1(s->beta1), e->first, vf_mul(vf_set1(s->one_minus_beta1), g));
    vf square = vf_mul(vf_mul(vf_set1(s->one_minus_beta2), g), g);
    e->second = vf_fma(vf_set1(s->beta2), e->second, square);
    vf below = vf_fma(vf_sqrt(e->second), vf_set1(s->second_correction), vf_set1(s->epsilon));
    e->value = vf_fnma(vf_set1(s->rate), vf_div(e->first, below), e->value);
}

static inline void rmsprop(const rki_update_scalars *s, int momentum, vf g, element *e)
{
    vf square = vf_mul(vf_mul(vf_set1(s->one_minus_alpha), g), g);
    e->second = vf_fma(vf_set1(s->alpha), e->second, square);
    vf d = vf_div(g, vf_add(vf_sqrt(e->second), vf_set1(s->epsilon)));
    if (momentum) d = e->first = vf_fma(vf_set1(s->momentum), e->first, d);
    e->value = vf_fnma(vf_set1(s->rate), d, e->value);
}

static inline void adagrad(const rki_update_scalars *s, vf g, element *e)
{
    e->first = vf_fma(g, g, e->first);
    vf d = vf_div(g, vf_add(vf_sqrt(e->first), vf_set1(s->epsilon)));
    e->value = vf_fnma(vf_set1(s->rate), d, e->value);
}

static inline void apply(const rki_update_scalars *s, int momentum, vf gradient, element *e)
{
    vf g = vf_mul(clip(gradient, s->clip_value), vf_set1(s->gradient_scale));
    if (s->rule == RKI_ADAMW)
        e->value = vf_fnma(vf_set1(s->decay), e->value, e->value);
    else
        g = vf_fma(vf_set1(s->decay), e->value, g);
    switch (s->rule) {
    case RKI_SGD: sgd(s, momentum, g, e); break;
    case RKI_ADAM:
    case RKI_ADAMW: adam(s, g, e); break;
    case RKI_RMSPROP: rmsprop(s, momentum, g, e); break;
    case RKI_ADAGRAD: adagrad(s, g, e); break;
    }
}

/* first and second are NULL where the rule keeps none. */
static void kernel_update(const rki_update_scalars *s, int64_t count, float *value, float *gradient,
    float *first, float *second)
{
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t n = count - i < LANES ? count - i : LANES;
        element e = {vf_load_n(value + i, n), vf_zero(), vf_zero()};
        if (first) e.first = vf_load_n(first + i, n);
        if (second) e.second = vf_load_n(second + i, n);
        apply(s, first != 0, vf_load_n(gradient + i, n), &e);
        vf_store_n(value + i, e.value, n);
        vf_store_n(gradient + i, vf_zero(), n);
        if (first) vf_store_n(first + i, e.first, n);
        if (second) vf_store_n(second + i, e.second, n);
    }
}

/* sum of clip(x)^2 in double, in an order that does not depend on the instruction set. */
static double kernel_square_sum(int64_t count, const float *x, float limit)
{
    enum { SUMS = 32 };
    double sums[SUMS] = {0};
    vf most = vf_set1(limit), least = vf_set1(-limit);
    for (int64_t i = 0; i < count; i += SUMS) {
        for (int64_t j = 0; j < SUMS && i + j < count; j += LANES) {
            int64_t left = count - i - j;
            vf a = left < LANES ? vf_load_n(x + i + j, left) : vf_load(x + i + j);
            vf_add_squares(vf_max(least, vf_min(most, a)), sums + j);
        }
    }
    for (int half = SUMS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            sums[j] += sums[j + half];
    return sums[0];
}

#endif
