/* Layer normalisation (Ba, Kiros and Hinton 2016) and ReLU; equations in backend/norm.h. */
#include <math.h>

#include "reference/reference.h"

static void forward_row(const rki_reference *device, const rki_norm_forward *call, int64_t row)
{
    int64_t width = call->width, at = row * width;
    double mean = 0.0, variance = 0.0;
    for (int64_t j = 0; j < width; j++)
        mean += get(device, call->x, at + j) / (double)width;
    for (int64_t j = 0; j < width; j++) {
        double from_mean = get(device, call->x, at + j) - mean;
        variance += from_mean * from_mean / (double)width;
    }
    double scale = 1.0 / sqrt(variance + call->epsilon);
    for (int64_t j = 0; j < width; j++)
        set(device, call->y, at + j,
            (get(device, call->x, at + j) - mean) * scale * get(device, call->weight, j) +
                get(device, call->bias, j));
    set(device, call->stash, 2 * row, mean);
    set(device, call->stash, 2 * row + 1, scale);
}

int32_t rki_reference_norm_forward(void *self, const rki_norm_forward *call)
{
    for (int64_t row = 0; row < call->rows; row++)
        forward_row(self, call, row);
    return RNNKIT_OK;
}

/* n of column j */
static double normal(
    const rki_reference *device, const rki_norm_backward *call, int64_t row, int64_t j)
{
    double x = get(device, call->x, row * call->width + j);
    return (x - get(device, call->stash, 2 * row)) * get(device, call->stash, 2 * row + 1);
}

static void backward_row(const rki_reference *device, const rki_norm_backward *call, int64_t row)
{
    int64_t width = call->width, at = row * width;
    double mean = 0.0, mean_n = 0.0, scale = get(device, call->stash, 2 * row + 1);
    for (int64_t j = 0; j < width; j++) {
        double d = get(device, call->dy, at + j) * get(device, call->weight, j);
        mean += d / (double)width;
        mean_n += d * normal(device, call, row, j) / (double)width;
    }
    for (int64_t j = 0; j < width; j++) {
        double d = get(device, call->dy, at + j) * get(device, call->weight, j);
        set(device, call->dx, at + j, scale * (d - mean - normal(device, call, row, j) * mean_n));
    }
}

int32_t rki_reference_norm_backward(void *self, const rki_norm_backward *call)
{
    const rki_reference *device = self;
    for (int64_t row = 0; row < call->rows; row++)
        backward_row(device, call, row);
    for (int64_t j = 0; j < call->width; j++) {
        double weight = 0.0, bias = 0.0;
        for (int64_t row = 0; row < call->rows; row++) {
            double dy = get(device, call->dy, row * call->width + j);
            weight += dy * normal(device, call, row, j);
            bias += dy;
        }
        add(device, call->dweight, j, weight);
        add(device, call->dbias, j, bias);
    }
    return RNNKIT_OK;
}

int32_t rki_reference_relu(void *self, int64_t count, const void *x, void *y)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < count; i++) {
        double value = get(device, x, i);
        set(device, y, i, value < 0.0 ? 0.0 : value);
    }
    return RNNKIT_OK;
}

int32_t rki_reference_relu_backward(
    void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < count; i++)
        set(device, dx, i, get(device, y, i) > 0.0 ? get(device, dy, i) : 0.0);
    return RNNKIT_OK;
}
