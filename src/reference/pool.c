/* One vector for each row out of a sequence: its last step, or mean or largest value over the steps
 * at which the row lives. */
#include "reference/recurrent.h"

#include <math.h>
#include <string.h>

/* The step whose value the column takes: that of LAST, or of MAX. */
static int64_t chosen_step(const rki_reference *device, const rki_pool *call, int64_t begin,
    int64_t length, int64_t b, int64_t j)
{
    if (call->pooling == RKI_POOL_LAST) return j < call->forward ? begin + length - 1 : begin;
    int64_t best = begin;
    double largest = get(device, call->x, (begin * call->batch + b) * call->width + j);
    for (int64_t t = begin + 1; t < begin + length && !isnan(largest); t++) {
        double value = get(device, call->x, (t * call->batch + b) * call->width + j);
        if (value > largest || isnan(value)) {
            largest = value;
            best = t;
        }
    }
    return best;
}

static double pooled(const rki_reference *device, const rki_pool *call, int64_t begin,
    int64_t length, int64_t b, int64_t j)
{
    double sum = 0.0;
    if (length == 0) return 0.0;
    if (call->pooling != RKI_POOL_MEAN) {
        int64_t t = chosen_step(device, call, begin, length, b, j);
        return get(device, call->x, (t * call->batch + b) * call->width + j);
    }
    for (int64_t t = begin; t < begin + length; t++)
        sum += get(device, call->x, (t * call->batch + b) * call->width + j);
    return sum / (double)length;
}

int32_t rki_reference_pool(void *self, const rki_pool *call)
{
    for (int64_t b = 0; b < call->batch; b++) {
        int64_t begin, length = rki_row_life(call->starts, call->lengths, call->steps, b, &begin);
        for (int64_t j = 0; j < call->width; j++)
            set(self, call->out, b * call->width + j, pooled(self, call, begin, length, b, j));
    }
    return RNNKIT_OK;
}

int32_t rki_reference_pool_backward(void *self, const rki_pool_backward *call)
{
    const rki_pool *of = &call->forward;
    for (int64_t b = 0; b < of->batch; b++) {
        int64_t begin, length = rki_row_life(of->starts, of->lengths, of->steps, b, &begin);
        for (int64_t j = 0; j < of->width; j++) {
            double down = get(self, call->dout, b * of->width + j);
            int mean = of->pooling == RKI_POOL_MEAN;
            int64_t chosen = mean || length == 0 ? -1 : chosen_step(self, of, begin, length, b, j);
            for (int64_t t = 0; t < of->steps; t++) {
                int lives = t >= begin && t < begin + length;
                double dx = !lives ? 0.0 : mean ? down / (double)length : t == chosen ? down : 0.0;
                set(self, call->dx, (t * of->batch + b) * of->width + j, dx);
            }
        }
    }
    return RNNKIT_OK;
}
