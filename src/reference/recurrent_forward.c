/* LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), gates in
 * PyTorch's order i, f, g, o:
 *
 *   z   = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
 *   i   = sigmoid(z_i)   f = sigmoid(z_f)   g = tanh(z_g)   o = sigmoid(z_o)
 *   c_t = f c_{t-1} + i g
 *   h_t = o tanh(c_t)
 *
 * Rows of the batch know nothing of each other, so the outer loop is over rows. A row of length
 * L runs steps 0 .. L - 1; its y is 0 from there on, and h and c stay as they are.
 *
 * The stash, in double: for each row and step i, f, g, o and c_t, `hidden` numbers each.
 */
#include "reference/reference.h"

#include <math.h>
#include <string.h>

typedef struct layer {
    const rki_reference *device;
    int64_t input, hidden;
    const void *weight_ih, *weight_hh, *bias_ih, *bias_hh;
} layer;

size_t rki_reference_recurrent_stash(void *self, const rki_recurrent_size *size)
{
    (void)self;
    if (!size->training) return 0;
    return (size_t)(size->batch * size->steps * 5 * size->hidden) * sizeof(double);
}

/* One row's gates, h and c. */
size_t rki_reference_recurrent_forward_scratch(void *self, const rki_recurrent_size *size)
{
    (void)self;
    return (size_t)(6 * size->hidden) * sizeof(double);
}

size_t rki_reference_recurrent_step_scratch(
    void *self, int64_t batch, int64_t input, int64_t hidden)
{
    (void)self;
    (void)batch;
    (void)input;
    return (size_t)(6 * hidden) * sizeof(double);
}

static double sigmoid(double z)
{
    return 1.0 / (1.0 + exp(-z));
}

/* z for row `row` of x, counted in rows of `input` elements. */
static void products(const layer *l, const void *x, int64_t row, const double *h, double *z)
{
    for (int64_t r = 0; r < 4 * l->hidden; r++) {
        double sum = get_or_zero(l->device, l->bias_ih, r) + get_or_zero(l->device, l->bias_hh, r);
        for (int64_t k = 0; k < l->input; k++)
            sum += get(l->device, l->weight_ih, r * l->input + k) *
                   get(l->device, x, row * l->input + k);
        for (int64_t k = 0; k < l->hidden; k++)
            sum += get(l->device, l->weight_hh, r * l->hidden + k) * h[k];
        z[r] = sum;
    }
}

/* z becomes i, f, g, o; h and c become those of the next step. */
static void cell(int64_t hidden, double *z, double *h, double *c)
{
    double *i = z, *f = z + hidden, *g = z + 2 * hidden, *o = z + 3 * hidden;
    for (int64_t j = 0; j < hidden; j++) {
        i[j] = sigmoid(i[j]);
        f[j] = sigmoid(f[j]);
        g[j] = tanh(g[j]);
        o[j] = sigmoid(o[j]);
        c[j] = f[j] * c[j] + i[j] * g[j];
        h[j] = o[j] * tanh(c[j]);
    }
}

static void forward_row(const layer *l, const rki_recurrent_forward *call, int64_t b)
{
    int64_t hidden = l->hidden, steps = call->size.steps, batch = call->size.batch;
    int64_t length = call->lengths ? call->lengths[b] : steps;
    double *z = call->scratch, *h = z + 4 * hidden, *c = h + hidden;
    for (int64_t j = 0; j < hidden; j++) {
        h[j] = get(l->device, call->h0, b * hidden + j);
        c[j] = get(l->device, call->c0, b * hidden + j);
    }
    for (int64_t t = 0; t < steps; t++) {
        int64_t row = t * batch + b;
        if (t < length) {
            products(l, call->x, row, h, z);
            cell(hidden, z, h, c);
            if (call->stash) {
                double *kept = (double *)call->stash + (b * steps + t) * 5 * hidden;
                memcpy(kept, z, (size_t)(4 * hidden) * sizeof(double));
                memcpy(kept + 4 * hidden, c, (size_t)hidden * sizeof(double));
            }
        }
        for (int64_t j = 0; j < hidden; j++)
            set(l->device, call->y, row * hidden + j, t < length ? h[j] : 0.0);
    }
    for (int64_t j = 0; j < hidden; j++) {
        set(l->device, call->hn, b * hidden + j, h[j]);
        set(l->device, call->cn, b * hidden + j, c[j]);
    }
}

int32_t rki_reference_recurrent_forward(void *self, const rki_recurrent_forward *call)
{
    layer l = {self, call->size.input, call->size.hidden, call->weight_ih, call->weight_hh,
        call->bias_ih, call->bias_hh};
    for (int64_t b = 0; b < call->size.batch; b++)
        forward_row(&l, call, b);
    return RNNKIT_OK;
}

int32_t rki_reference_recurrent_step(void *self, const rki_recurrent_step *call)
{
    layer l = {self, call->input, call->hidden, call->weight_ih, call->weight_hh, call->bias_ih,
        call->bias_hh};
    int64_t hidden = call->hidden;
    double *z = call->scratch, *h = z + 4 * hidden, *c = h + hidden;
    for (int64_t b = 0; b < call->batch; b++) {
        for (int64_t j = 0; j < hidden; j++) {
            h[j] = get(l.device, call->h, b * hidden + j);
            c[j] = get(l.device, call->c, b * hidden + j);
        }
        products(&l, call->x, b, h, z);
        cell(hidden, z, h, c);
        for (int64_t j = 0; j < hidden; j++) {
            set(l.device, call->h, b * hidden + j, h[j]);
            set(l.device, call->c, b * hidden + j, c[j]);
        }
    }
    return RNNKIT_OK;
}
