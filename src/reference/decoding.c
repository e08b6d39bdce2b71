/* A cell by itself, tanh, and the most likely classes; equations in backend/decoding.h, backend.h.
 *
 *   LSTM  t = tanh(c)                dc   += dh o (1 - t^2)
 *         dz_i = dc g i (1 - i)      dz_f  = dc c_before f (1 - f)
 *         dz_g = dc i (1 - g^2)      dz_o  = dh t o (1 - o)
 *         dc_before = dc f
 *   GRU   h = n + z (h_before - n)   dn    = dh (1 - z) (1 - n^2)
 *         dz_r = dn reset r (1 - r)  dz_z  = dh (h_before - n) z (1 - z)
 *         dz_n = dn r                dh_before = dh z
 */
#include <math.h>

#include "reference/reference.h"

static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

static void lstm_forward(const rki_reference *device, const rki_cell_forward *call, int64_t at)
{
    int64_t hidden = call->hidden, z = at / hidden * 4 * hidden + at % hidden;
    double i = sigmoid(get(device, call->z, z));
    double f = sigmoid(get(device, call->z, z + hidden));
    double g = tanh(get(device, call->z, z + 2 * hidden));
    double o = sigmoid(get(device, call->z, z + 3 * hidden));
    double c = f * get(device, call->c_before, at) + i * g;
    set(device, call->z, z, i);
    set(device, call->z, z + hidden, f);
    set(device, call->z, z + 2 * hidden, g);
    set(device, call->z, z + 3 * hidden, o);
    set(device, call->c, at, c);
    set(device, call->h, at, o * tanh(c));
}

static void gru_forward(const rki_reference *device, const rki_cell_forward *call, int64_t at)
{
    int64_t hidden = call->hidden, gates = at / hidden * 3 * hidden + at % hidden;
    double r = sigmoid(get(device, call->z, gates));
    double z = sigmoid(get(device, call->z, gates + hidden));
    double n = tanh(get(device, call->z, gates + 2 * hidden) + r * get(device, call->reset, at));
    set(device, call->z, gates, r);
    set(device, call->z, gates + hidden, z);
    set(device, call->z, gates + 2 * hidden, n);
    set(device, call->h, at, n + z * (get(device, call->h_before, at) - n));
}

int32_t rki_reference_cell_forward(void *self, const rki_cell_forward *call)
{
    for (int64_t at = 0; at < call->batch * call->hidden; at++) {
        if (call->gru)
            gru_forward(self, call, at);
        else
            lstm_forward(self, call, at);
    }
    return RNNKIT_OK;
}

static void lstm_backward(const rki_reference *device, const rki_cell_backward *call, int64_t at)
{
    int64_t hidden = call->hidden, z = at / hidden * 4 * hidden + at % hidden;
    double i = get(device, call->gates, z), f = get(device, call->gates, z + hidden);
    double g = get(device, call->gates, z + 2 * hidden);
    double o = get(device, call->gates, z + 3 * hidden);
    double t = tanh(get(device, call->c, at)), dh = get(device, call->dh, at);
    double dc = get(device, call->carry, at) + dh * o * (1.0 - t * t);
    set(device, call->dz, z, dc * g * i * (1.0 - i));
    set(device, call->dz, z + hidden, dc * get(device, call->c_before, at) * f * (1.0 - f));
    set(device, call->dz, z + 2 * hidden, dc * i * (1.0 - g * g));
    set(device, call->dz, z + 3 * hidden, dh * t * o * (1.0 - o));
    set(device, call->carry, at, dc * f);
}

static void gru_backward(const rki_reference *device, const rki_cell_backward *call, int64_t at)
{
    int64_t hidden = call->hidden, gates = at / hidden * 3 * hidden + at % hidden;
    double r = get(device, call->gates, gates), z = get(device, call->gates, gates + hidden);
    double n = get(device, call->gates, gates + 2 * hidden), dh = get(device, call->dh, at);
    double dn = dh * (1.0 - z) * (1.0 - n * n);
    set(device, call->dz, gates, dn * get(device, call->reset, at) * r * (1.0 - r));
    set(device, call->dz, gates + hidden,
        dh * (get(device, call->h_before, at) - n) * z * (1.0 - z));
    set(device, call->dz, gates + 2 * hidden, dn * r);
    set(device, call->dn, at, dn);
    set(device, call->carry, at, dh * z);
}

int32_t rki_reference_cell_backward(void *self, const rki_cell_backward *call)
{
    for (int64_t at = 0; at < call->batch * call->hidden; at++) {
        if (call->gru)
            gru_backward(self, call, at);
        else
            lstm_backward(self, call, at);
    }
    return RNNKIT_OK;
}

int32_t rki_reference_tanh(void *self, int64_t count, const void *x, void *y)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < count; i++)
        set(device, y, i, tanh(get(device, x, i)));
    return RNNKIT_OK;
}

int32_t rki_reference_tanh_backward(
    void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < count; i++) {
        double value = get(device, y, i);
        set(device, dx, i, get(device, dy, i) * (1.0 - value * value));
    }
    return RNNKIT_OK;
}

static int is_banned(const rki_top *call, int32_t id)
{
    for (int64_t i = 0; i < call->banned_count; i++)
        if (call->banned[i] == id) return 1;
    return 0;
}

static int is_taken(const rki_top *call, int64_t row, int64_t taken, int32_t id)
{
    for (int64_t k = 0; k < taken; k++)
        if (call->ids[row * call->count + k] == id) return 1;
    return 0;
}

/* log sum_v exp(x_v) */
static double log_sum(const rki_reference *device, const rki_top *call, int64_t row)
{
    double largest = -INFINITY, sum = 0.0;
    for (int64_t v = 0; v < call->classes; v++) {
        double x = get(device, call->x, row * call->classes + v);
        if (!(x <= largest)) largest = x;
    }
    for (int64_t v = 0; v < call->classes; v++)
        sum += exp(get(device, call->x, row * call->classes + v) - largest);
    return largest + log(sum);
}

static void top_row(const rki_reference *device, const rki_top *call, int64_t row)
{
    double whole = log_sum(device, call, row);
    for (int64_t k = 0; k < call->count; k++) {
        double best = -INFINITY;
        int32_t id = -1;
        for (int32_t v = 0; v < call->classes; v++) {
            double x = get(device, call->x, row * call->classes + v);
            if ((id < 0 || x > best) && !is_banned(call, v) && !is_taken(call, row, k, v)) {
                best = x;
                id = v;
            }
        }
        call->ids[row * call->count + k] = id;
        call->values[row * call->count + k] = best - whole;
    }
}

int32_t rki_reference_top(void *self, const rki_top *call)
{
    for (int64_t row = 0; row < call->rows; row++)
        top_row(self, call, row);
    return RNNKIT_OK;
}
