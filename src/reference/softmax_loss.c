/* Softmax cross-entropy of logits = x W^T + b, row by row, against the distribution
 * q_v = (1 - s) w_t [v = t] + s w_v / classes, Q = sum_v q_v:
 *
 *   row_loss[r] = Q log(sum_v exp(logits[r][v])) - sum_v q_v logits[r][v]
 *   e           = (Q softmax(logits[r]) - q) * scale
 *   dx[r] = e W     dweight = sum_r e x[r]^T     dbias = sum_r e
 *
 * The largest logit is taken out first, so that exp never overflows.
 */
#include "reference/reference.h"

#include <math.h>
#include <string.h>

/* One row's logits, which become e; then the sums for weight and bias. */
typedef struct sums {
    double *e, *weight, *bias;
} sums;

static int64_t sums_count(const rki_softmax_loss *call)
{
    return call->dx ? call->classes * (call->inputs + 2) : call->classes;
}

size_t rki_reference_softmax_loss_scratch(void *self, const rki_softmax_loss *call)
{
    (void)self;
    return (size_t)sums_count(call) * sizeof(double);
}

static void row_logits(
    const rki_reference *device, const rki_softmax_loss *call, int64_t r, double *logits)
{
    for (int64_t v = 0; v < call->classes; v++) {
        double sum = get_or_zero(device, call->bias, v);
        for (int64_t k = 0; k < call->inputs; k++)
            sum += get(device, call->x, r * call->inputs + k) *
                   get(device, call->weight, v * call->inputs + k);
        logits[v] = sum;
    }
}

static double class_weight(const rki_reference *device, const rki_softmax_loss *call, int64_t v)
{
    return call->class_weights ? get(device, call->class_weights, v) : 1.0;
}

/* What the target says of class v. */
static double wanted(
    const rki_reference *device, const rki_softmax_loss *call, int32_t target, int64_t v)
{
    double q = v == target ? (1.0 - call->smoothing) * class_weight(device, call, v) : 0.0;
    if (call->smoothing == 0.0) return q;
    return q + call->smoothing * class_weight(device, call, v) / (double)call->classes;
}

/* Q of the row's target. */
static double wanted_sum(const rki_reference *device, const rki_softmax_loss *call, int32_t target)
{
    double q = (1.0 - call->smoothing) * class_weight(device, call, target);
    if (call->smoothing == 0.0) return q;
    return q + call->smoothing * call->class_weight_sum / (double)call->classes;
}

/* Returns the row's loss; logits become softmax(logits). A NaN among them comes out. */
static double row_softmax(
    const rki_reference *device, const rki_softmax_loss *call, int32_t target, double *logits)
{
    double largest = logits[0];
    for (int64_t v = 1; v < call->classes; v++)
        if (logits[v] > largest) largest = logits[v];
    double of_target = 0.0, sum = 0.0;
    for (int64_t v = 0; v < call->classes; v++) {
        double q = wanted(device, call, target, v);
        if (q != 0.0) of_target += q * (logits[v] - largest);
        logits[v] = exp(logits[v] - largest);
        sum += logits[v];
    }
    for (int64_t v = 0; v < call->classes; v++)
        logits[v] /= sum;
    return wanted_sum(device, call, target) * log(sum) - of_target;
}

static void row_gradients(
    const rki_reference *device, const rki_softmax_loss *call, int64_t r, sums *s)
{
    int64_t inputs = call->inputs;
    double all = wanted_sum(device, call, call->targets[r]);
    for (int64_t v = 0; v < call->classes; v++) {
        s->e[v] = (all * s->e[v] - wanted(device, call, call->targets[r], v)) * call->scale;
        s->bias[v] += s->e[v];
    }
    for (int64_t k = 0; k < inputs; k++) {
        double x = get(device, call->x, r * inputs + k), dx = 0.0;
        for (int64_t v = 0; v < call->classes; v++) {
            dx += s->e[v] * get(device, call->weight, v * inputs + k);
            s->weight[v * inputs + k] += s->e[v] * x;
        }
        set(device, call->dx, r * inputs + k, dx);
    }
}

int32_t rki_reference_softmax_loss(void *self, const rki_softmax_loss *call)
{
    const rki_reference *device = self;
    memset(call->scratch, 0, (size_t)sums_count(call) * sizeof(double));
    sums s = {call->scratch, NULL, NULL};
    if (call->dx) {
        s.bias = s.e + call->classes;
        s.weight = s.bias + call->classes;
    }
    double loss = 0.0;
    for (int64_t r = 0; r < call->rows; r++) {
        row_logits(device, call, r, s.e);
        double row_loss = row_softmax(device, call, call->targets[r], s.e);
        if (call->row_loss) set(device, call->row_loss, r, row_loss);
        if (call->dx) row_gradients(device, call, r, &s);
        loss += row_loss;
    }
    *call->loss = loss;
    if (!call->dx) return RNNKIT_OK;
    for (int64_t i = 0; i < call->classes * call->inputs; i++)
        set(device, call->dweight, i, s.weight[i]);
    for (int64_t v = 0; v < call->classes && call->bias; v++)
        set(device, call->dbias, v, s.bias[v]);
    return RNNKIT_OK;
}
