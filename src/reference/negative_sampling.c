/* Negative sampling, candidate by candidate:
 *
 *   s = x[r] . table[id]     row_loss[r] = sum of log(1 + exp(label ? -s : s))
 *   g = (sigmoid(s) - label) * scale
 *   dx[r] = sum of g table[id]     dtable[u] = sum of g x[r]
 *
 * log(1 + exp(t)) is taken as max(t, 0) + log(1 + exp(-|t|)), so that exp never overflows.
 */
#include "reference/reference.h"

#include <math.h>

size_t rki_reference_negative_sampling_scratch(void *self, const rki_negative_sampling *call)
{
    (void)self;
    return (size_t)(call->rows * call->candidates) * sizeof(double);
}

static double score_of(
    const rki_reference *device, const rki_negative_sampling *call, int64_t r, int32_t id)
{
    double sum = 0.0;
    for (int64_t j = 0; j < call->width; j++)
        sum += get(device, call->x, r * call->width + j) *
               get(device, call->table, id * call->width + j);
    return sum;
}

/* Returns the row's loss, and leaves its g. */
static double do_scores(
    const rki_reference *device, const rki_negative_sampling *call, int64_t r, double *g)
{
    const int32_t *ids = call->ids + r * call->candidates;
    double loss = 0.0;
    for (int64_t k = 0; k < call->candidates; k++) {
        if (ids[k] < 0) continue;
        double score = score_of(device, call, r, ids[k]), bad = k == 0 ? -score : score;
        loss += (bad > 0.0 ? bad : 0.0) + log1p(exp(-fabs(bad)));
        g[k] = (1.0 / (1.0 + exp(-score)) - (k == 0)) * call->scale;
    }
    return loss;
}

static void set_dx(
    const rki_reference *device, const rki_negative_sampling *call, int64_t r, const double *g)
{
    const int32_t *ids = call->ids + r * call->candidates;
    for (int64_t j = 0; j < call->width; j++) {
        double sum = 0.0;
        for (int64_t k = 0; k < call->candidates; k++)
            if (ids[k] >= 0) sum += g[k] * get(device, call->table, ids[k] * call->width + j);
        set(device, call->dx, r * call->width + j, sum);
    }
}

static void set_dtable(
    const rki_reference *device, const rki_negative_sampling *call, const double *g)
{
    for (int64_t u = 0; u < call->unique; u++) {
        for (int64_t j = 0; j < call->width; j++) {
            double sum = 0.0;
            for (int32_t at = call->starts[u]; at < call->starts[u + 1]; at++) {
                int64_t place = call->order[at], row = place / call->candidates;
                sum += g[place] * get(device, call->x, row * call->width + j);
            }
            set(device, call->dtable, u * call->width + j, sum);
        }
    }
}

int32_t rki_reference_negative_sampling(void *self, const rki_negative_sampling *call)
{
    const rki_reference *device = self;
    double *g = call->scratch, loss = 0.0;
    for (int64_t r = 0; r < call->rows; r++) {
        loss += do_scores(device, call, r, g + r * call->candidates);
        if (call->dx) set_dx(device, call, r, g + r * call->candidates);
    }
    *call->loss = loss;
    if (call->dx) set_dtable(device, call, g);
    return RNNKIT_OK;
}
