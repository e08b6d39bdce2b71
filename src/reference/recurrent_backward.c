/* Gradients of the LSTM of recurrent_forward.c, back through time.
 *
 * With dh = dL/dh_t (what y passes on plus what step t + 1 sends back) and dc = dL/dc_t (what
 * step t + 1 sends back), and sigmoid'(z) = s (1 - s), tanh'(z) = 1 - tanh(z)^2:
 *
 *   dc     += dh o (1 - tanh(c_t)^2)
 *   dz_i    = dc g        i (1 - i)
 *   dz_f    = dc c_{t-1}  f (1 - f)
 *   dz_g    = dc i        (1 - g^2)
 *   dz_o    = dh tanh(c_t) o (1 - o)
 *   dc_{t-1} = dc f             dh_{t-1} = W_hh^T dz             dx_t = W_ih^T dz
 *   dW_ih  += dz x_t^T          dW_hh   += dz h_{t-1}^T          db   += dz
 *
 * Both biases are added to z, so both get db. At steps past a row's length everything is zero:
 * dx is 0, and what comes from dhn and dcn enters at the row's last step.
 */
#include "reference/reference.h"

#include <math.h>
#include <string.h>

/* Working memory: one row's dz, dh, dc, then sums over the call of what goes to the weights. */
typedef struct sums {
    double *dz, *dh, *dc;
    double *weight_ih, *weight_hh, *bias;
} sums;

static int64_t sums_count(int64_t input, int64_t hidden)
{
    return 6 * hidden + 4 * hidden * (input + hidden + 1);
}

size_t rki_reference_recurrent_backward_scratch(void *self, const rki_recurrent_size *size)
{
    (void)self;
    return (size_t)sums_count(size->input, size->hidden) * sizeof(double);
}

static sums sums_start(const rki_recurrent_backward *call)
{
    int64_t input = call->size.input, hidden = call->size.hidden;
    sums s;
    s.dz = call->scratch;
    s.dh = s.dz + 4 * hidden;
    s.dc = s.dh + hidden;
    s.weight_ih = s.dc + hidden;
    s.weight_hh = s.weight_ih + 4 * hidden * input;
    s.bias = s.weight_hh + 4 * hidden * hidden;
    memset(call->scratch, 0, (size_t)sums_count(input, hidden) * sizeof(double));
    return s;
}

/* h_{t-1} or c_{t-1} of row b, unit j. */
static double previous_h(const rki_reference *device, const rki_recurrent_backward *call, int64_t t,
    int64_t b, int64_t j)
{
    int64_t hidden = call->size.hidden;
    if (t == 0) return get(device, call->h0, b * hidden + j);
    return get(device, call->y, ((t - 1) * call->size.batch + b) * hidden + j);
}

static double previous_c(const rki_reference *device, const rki_recurrent_backward *call, int64_t t,
    int64_t b, int64_t j)
{
    int64_t hidden = call->size.hidden;
    if (t == 0) return get(device, call->c0, b * hidden + j);
    return ((const double *)call->stash)[((b * call->size.steps + t - 1) * 5 + 4) * hidden + j];
}

/* dz from dh and dc; dc becomes that of step t - 1. */
static void cell_backward(
    const rki_reference *device, const rki_recurrent_backward *call, int64_t t, int64_t b, sums *s)
{
    int64_t hidden = call->size.hidden;
    const double *kept = (const double *)call->stash + (b * call->size.steps + t) * 5 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        double i = kept[j], f = kept[hidden + j], g = kept[2 * hidden + j];
        double o = kept[3 * hidden + j], tanh_c = tanh(kept[4 * hidden + j]);
        double dh = s->dh[j] + get(device, call->dy, (t * call->size.batch + b) * hidden + j);
        double dc = s->dc[j] + dh * o * (1.0 - tanh_c * tanh_c);
        s->dz[j] = dc * g * i * (1.0 - i);
        s->dz[hidden + j] = dc * previous_c(device, call, t, b, j) * f * (1.0 - f);
        s->dz[2 * hidden + j] = dc * i * (1.0 - g * g);
        s->dz[3 * hidden + j] = dh * tanh_c * o * (1.0 - o);
        s->dc[j] = dc * f;
    }
}

/* From dz to dx, dh of step t - 1, and the sums for the weights. */
static void products_backward(
    const rki_reference *device, const rki_recurrent_backward *call, int64_t t, int64_t b, sums *s)
{
    int64_t input = call->size.input, hidden = call->size.hidden;
    int64_t row = t * call->size.batch + b;
    for (int64_t k = 0; k < input; k++) {
        double x = get(device, call->x, row * input + k), dx = 0.0;
        for (int64_t r = 0; r < 4 * hidden; r++) {
            dx += s->dz[r] * get(device, call->weight_ih, r * input + k);
            s->weight_ih[r * input + k] += s->dz[r] * x;
        }
        if (call->dx) set(device, call->dx, row * input + k, dx);
    }
    for (int64_t k = 0; k < hidden; k++) {
        double h = previous_h(device, call, t, b, k), dh = 0.0;
        for (int64_t r = 0; r < 4 * hidden; r++) {
            dh += s->dz[r] * get(device, call->weight_hh, r * hidden + k);
            s->weight_hh[r * hidden + k] += s->dz[r] * h;
        }
        s->dh[k] = dh;
    }
    for (int64_t r = 0; r < 4 * hidden; r++)
        s->bias[r] += s->dz[r];
}

static void backward_row(
    const rki_reference *device, const rki_recurrent_backward *call, int64_t b, sums *s)
{
    int64_t input = call->size.input, hidden = call->size.hidden;
    int64_t length = call->lengths ? call->lengths[b] : call->size.steps;
    for (int64_t j = 0; j < hidden; j++) {
        s->dh[j] = get_or_zero(device, call->dhn, b * hidden + j);
        s->dc[j] = get_or_zero(device, call->dcn, b * hidden + j);
    }
    for (int64_t t = call->size.steps - 1; t >= length && call->dx; t--)
        for (int64_t k = 0; k < input; k++)
            set(device, call->dx, (t * call->size.batch + b) * input + k, 0.0);
    for (int64_t t = length - 1; t >= 0; t--) {
        cell_backward(device, call, t, b, s);
        products_backward(device, call, t, b, s);
    }
    for (int64_t j = 0; j < hidden; j++) {
        if (call->dh0) set(device, call->dh0, b * hidden + j, s->dh[j]);
        if (call->dc0) set(device, call->dc0, b * hidden + j, s->dc[j]);
    }
}

int32_t rki_reference_recurrent_backward(void *self, const rki_recurrent_backward *call)
{
    const rki_reference *device = self;
    int64_t input = call->size.input, hidden = call->size.hidden;
    sums s = sums_start(call);
    for (int64_t b = 0; b < call->size.batch; b++)
        backward_row(device, call, b, &s);
    for (int64_t i = 0; i < 4 * hidden * input; i++)
        add(device, call->dweight_ih, i, s.weight_ih[i]);
    for (int64_t i = 0; i < 4 * hidden * hidden; i++)
        add(device, call->dweight_hh, i, s.weight_hh[i]);
    for (int64_t r = 0; r < 4 * hidden; r++) {
        if (call->dbias_ih) add(device, call->dbias_ih, r, s.bias[r]);
        if (call->dbias_hh) add(device, call->dbias_hh, r, s.bias[r]);
    }
    return RNNKIT_OK;
}
