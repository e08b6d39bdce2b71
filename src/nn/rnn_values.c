/* First values of recurrent layers that are not simply drawn: orthogonal recurrent weights (Saxe,
 * McClelland and Ganguli 2014) and the raised bias of the forget gate (Gers et al. 2000); and how
 * the operations see a layer. */
#include <math.h>

#include "nn/rnn.h"

enum { FORGET = 1 };

typedef int32_t (*change_fn)(
    const rki_memory *memory, float *values, int64_t rows, int64_t width, double amount);

/* Reads `rows` rows of `width` values from `first` on, changes them, writes them back. */
static int32_t change(rnnkit_model *model, const rki_parameter *parameter, int64_t first,
    int64_t rows, int64_t width, change_fn how, double amount)
{
    const rki_device *device = model->context->device;
    const rki_memory *memory = &model->context->memory;
    char *place = (char *)parameter->value + rki_device_bytes(device, first * width);
    void *block;
    RKI_TRY(rki_allocate(memory, rows * width, sizeof(float), "initial values", &block));
    int32_t status = rki_device_read(device, memory, place, block, rows * width);
    if (status >= 0) status = how(memory, block, rows, width, amount);
    if (status >= 0) status = rki_device_write(device, memory, place, block, rows * width);
    rki_release(memory, block);
    return status;
}

static int32_t raise_values(
    const rki_memory *memory, float *values, int64_t rows, int64_t width, double amount)
{
    (void)memory;
    for (int64_t i = 0; i < rows * width; i++)
        values[i] += (float)amount;
    return RNNKIT_OK;
}

/* Vector i becomes of length 1 and orthogonal to those before it (modified Gram and Schmidt).
 * Element k of vector i is v[i * step + k * stride]; there are no more vectors than elements. */
static void orthogonalize(
    double *v, int64_t vectors, int64_t elements, int64_t step, int64_t stride)
{
    for (int64_t i = 0; i < vectors; i++) {
        double *a = v + i * step, square = 0;
        for (int64_t j = 0; j < i; j++) {
            const double *b = v + j * step;
            double product = 0;
            for (int64_t k = 0; k < elements; k++)
                product += a[k * stride] * b[k * stride];
            for (int64_t k = 0; k < elements; k++)
                a[k * stride] -= product * b[k * stride];
        }
        for (int64_t k = 0; k < elements; k++)
            square += a[k * stride] * a[k * stride];
        for (int64_t k = 0; k < elements; k++)
            a[k * stride] /= square > 0 ? sqrt(square) : 1;
    }
}

/* Rows are made orthogonal, or columns where they are fewer. */
static int32_t make_orthogonal(
    const rki_memory *memory, float *values, int64_t rows, int64_t width, double amount)
{
    void *block;
    (void)amount;
    RKI_TRY(rki_allocate(memory, rows * width, sizeof(double), "initial values", &block));
    double *v = block;
    for (int64_t i = 0; i < rows * width; i++)
        v[i] = (double)values[i];
    if (rows <= width)
        orthogonalize(v, rows, width, width, 1);
    else
        orthogonalize(v, width, rows, 1, width);
    for (int64_t i = 0; i < rows * width; i++)
        values[i] = (float)v[i];
    rki_release(memory, block);
    return RNNKIT_OK;
}

int32_t rki_rnn_shape_values(rnnkit_model *model, const rki_rnn_layer *rnn, int64_t part)
{
    const rki_rnn_weights *weights = &rnn->weights[part];
    int64_t l = part / rnn->directions, hidden = rnn->hidden[l];
    int64_t gates = rki_cell_gates(rnn->cell);
    for (int64_t gate = 0; rnn->settings.init == RKI_RNN_ORTHOGONAL && gate < gates; gate++)
        RKI_TRY(change(model, weights->weight_hh, gate * hidden, hidden, rki_rnn_output(rnn, l),
            make_orthogonal, 0));
    if (rnn->settings.forget_bias == 0) return RNNKIT_OK;
    return change(model, weights->bias_ih, FORGET * hidden, hidden, 1, raise_values,
        rnn->settings.forget_bias);
}

/* As the operations see it. */

int64_t rki_rnn_state_place(const rki_rnn_layer *rnn, int64_t part, int cell)
{
    int64_t place = 0;
    for (int64_t i = 0; i < part; i++) {
        place += rki_rnn_output(rnn, i / rnn->directions);
        if (rnn->cell == RKI_CELL_LSTM) place += rnn->hidden[i / rnn->directions];
    }
    return cell ? place + rki_rnn_output(rnn, part / rnn->directions) : place;
}

int64_t rki_rnn_state_width(const rki_rnn_layer *rnn)
{
    return rki_rnn_state_place(rnn, rnn->layers * rnn->directions, 0);
}

rki_recurrent rki_rnn_operation(const rki_rnn_layer *rnn, int64_t part)
{
    int64_t l = part / rnn->directions;
    return (rki_recurrent){.cell = rnn->cell,
        .input = rki_rnn_inputs(rnn, l),
        .hidden = rnn->hidden[l],
        .output = rki_rnn_output(rnn, l),
        .reverse = part % rnn->directions > 0,
        .layer_norm = rnn->settings.layer_norm,
        .format = rnn->weights[part].weight_ih->format,
        .zoneout_h = rnn->settings.zoneout,
        .zoneout_c = rnn->settings.zoneout_cell};
}

static const void *value_of(const rki_parameter *parameter)
{
    return parameter == NULL ? NULL : parameter->value;
}

rki_recurrent_weights rki_rnn_operands(const rki_rnn_weights *weights)
{
    return (rki_recurrent_weights){.weight_ih = value_of(weights->weight_ih),
        .weight_hh = value_of(weights->weight_hh),
        .bias_ih = value_of(weights->bias_ih),
        .bias_hh = value_of(weights->bias_hh),
        .weight_hr = value_of(weights->weight_hr),
        .norm_ih = value_of(weights->norm_ih),
        .norm_hh = value_of(weights->norm_hh),
        .norm_c = value_of(weights->norm_c),
        .norm_c_bias = value_of(weights->norm_c_bias)};
}
