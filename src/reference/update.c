/* Update rules of the optimisers, as torch.optim has them, and the sum of squares for clipping.
 *
 * With p the value, g = clip(gradient) * gradient_scale, n the number of the update from 1,
 * wd = weight_decay, all buffers zero at the start:
 *
 *   all but AdamW:  g = g + wd p
 *   SGD       without momentum buffer:     p -= rate g
 *             u = momentum u + g           p -= rate (nesterov ? g + momentum u : u)
 *   Adam      m = beta1 m + (1 - beta1) g  v = beta2 v + (1 - beta2) g^2
 *             p -= rate / (1 - beta1^n) * m / (sqrt(v / (1 - beta2^n)) + epsilon)
 *   AdamW     p -= rate wd p, then as Adam
 *   RMSprop   s = alpha s + (1 - alpha) g^2, d = g / (sqrt(s) + epsilon)
 *             without momentum buffer: p -= rate d; else u = momentum u + d, p -= rate u
 *   Adagrad   s = s + g^2                  p -= rate g / (sqrt(s) + epsilon)
 */
#include "reference/reference.h"

#include <math.h>

/* One element with what the rule keeps about it. */
typedef struct element {
    double value, first, second;
} element;

/* Comparisons that are false for NaN, so that NaN passes. */
static double clip(double x, double limit)
{
    if (limit <= 0.0) return x;
    return x > limit ? limit : x < -limit ? -limit : x;
}

static void sgd(const rki_update *call, element *e, double g)
{
    if (call->first) {
        e->first = call->momentum * e->first + g;
        g = call->nesterov ? g + call->momentum * e->first : e->first;
    }
    e->value -= call->rate * g;
}

static void adam(const rki_update *call, element *e, double g)
{
    e->first = call->beta1 * e->first + (1.0 - call->beta1) * g;
    e->second = call->beta2 * e->second + (1.0 - call->beta2) * g * g;
    double mean = e->first / (1.0 - pow(call->beta1, (double)call->step));
    double square = e->second / (1.0 - pow(call->beta2, (double)call->step));
    e->value -= call->rate * mean / (sqrt(square) + call->epsilon);
}

static void rmsprop(const rki_update *call, element *e, double g)
{
    e->second = call->alpha * e->second + (1.0 - call->alpha) * g * g;
    double d = g / (sqrt(e->second) + call->epsilon);
    if (call->first) d = e->first = call->momentum * e->first + d;
    e->value -= call->rate * d;
}

static void adagrad(const rki_update *call, element *e, double g)
{
    e->first += g * g;
    e->value -= call->rate * g / (sqrt(e->first) + call->epsilon);
}

static void update_element(const rki_reference *device, const rki_update *call, int64_t i)
{
    element e = {get(device, call->value, i), get_or_zero(device, call->first, i),
        get_or_zero(device, call->second, i)};
    double g = clip(get(device, call->gradient, i), call->clip_value) * call->gradient_scale;
    if (call->rule == RKI_ADAMW)
        e.value -= call->rate * call->weight_decay * e.value;
    else
        g += call->weight_decay * e.value;
    switch (call->rule) {
    case RKI_SGD: sgd(call, &e, g); break;
    case RKI_ADAM:
    case RKI_ADAMW: adam(call, &e, g); break;
    case RKI_RMSPROP: rmsprop(call, &e, g); break;
    case RKI_ADAGRAD: adagrad(call, &e, g); break;
    }
    set(device, call->value, i, e.value);
    set(device, call->gradient, i, 0.0);
    if (call->first) set(device, call->first, i, e.first);
    if (call->second) set(device, call->second, i, e.second);
}

int32_t rki_reference_update(void *self, const rki_update *call)
{
    const rki_reference *device = self;
    for (int64_t r = 0; r < call->row_count; r++) {
        int64_t row = call->rows ? call->rows[r] : r;
        for (int64_t j = 0; j < call->width; j++)
            update_element(device, call, row * call->width + j);
    }
    return RNNKIT_OK;
}

static void sum_squares(const rki_reference *device, const rki_square_sum *call)
{
    double sum = 0.0;
    for (int64_t r = 0; r < call->row_count; r++) {
        int64_t row = call->rows ? call->rows[r] : r;
        for (int64_t j = 0; j < call->width; j++) {
            double x = clip(get(device, call->x, row * call->width + j), call->clip_value);
            sum += x * x;
        }
    }
    *call->sum = sum;
}

int32_t rki_reference_square_sum(void *self, int64_t count, const rki_square_sum *calls)
{
    for (int64_t i = 0; i < count; i++)
        sum_squares(self, &calls[i]);
    return RNNKIT_OK;
}
