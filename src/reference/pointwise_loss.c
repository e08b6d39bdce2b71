/* Losses of each element by itself: binary cross-entropy of logits, squared and absolute error,
 * Huber's. Equations: rki_pointwise_loss in backend/backend.h. */
#include "reference/reference.h"

#include <math.h>

/* With x taken out where it is negative, so that exp never overflows. */
static double log_1_exp_minus(double x)
{
    return log1p(exp(-fabs(x))) + (x < 0.0 ? -x : 0.0);
}

static double sigmoid_minus_1(double x)
{
    return x >= 0.0 ? -exp(-x) / (1.0 + exp(-x)) : -1.0 / (1.0 + exp(x));
}

static double value(const rki_pointwise_loss *call, double x, double t)
{
    double d = x - t;
    switch (call->rule) {
    case RKI_BINARY_CROSS_ENTROPY:
        return (1.0 - t) * x + (1.0 + (call->positive - 1.0) * t) * log_1_exp_minus(x);
    case RKI_SQUARED_ERROR: return d * d;
    case RKI_ABSOLUTE_ERROR: return fabs(d);
    case RKI_HUBER: break;
    }
    return fabs(d) <= call->delta ? 0.5 * d * d : call->delta * (fabs(d) - 0.5 * call->delta);
}

/* The sign of d: 0 at 0, and NaN for NaN. */
static double sign(double d)
{
    return d > 0.0 ? 1.0 : d < 0.0 ? -1.0 : d;
}

static double derivative(const rki_pointwise_loss *call, double x, double t)
{
    double d = x - t;
    switch (call->rule) {
    case RKI_BINARY_CROSS_ENTROPY:
        return (1.0 - t) + (1.0 + (call->positive - 1.0) * t) * sigmoid_minus_1(x);
    case RKI_SQUARED_ERROR: return 2.0 * d;
    case RKI_ABSOLUTE_ERROR: return sign(d);
    case RKI_HUBER: break;
    }
    return fabs(d) <= call->delta ? d : call->delta * sign(d);
}

int32_t rki_reference_pointwise_loss(void *self, const rki_pointwise_loss *call)
{
    const rki_reference *device = self;
    double loss = 0.0;
    for (int64_t i = 0; i < call->count; i++) {
        double weight = call->weights ? get(device, call->weights, i / call->width) : 1.0;
        if (weight == 0.0) {
            if (call->dx) set(device, call->dx, i, 0.0);
            continue;
        }
        double x = get(device, call->x, i), t = get(device, call->targets, i);
        loss += weight * value(call, x, t);
        if (call->dx) set(device, call->dx, i, call->scale * weight * derivative(call, x, t));
    }
    *call->loss = loss;
    return RNNKIT_OK;
}
