/* Recurrent layers: parameters, first values, handles. The passes are in rnn_forward.c.
 *
 * Names and shapes are those of PyTorch's nn.LSTM; gates in the order i, f, g, o.
 */
#include <math.h>
#include <stdio.h>

#include "nn/layers.h"

enum { GATES = 4, FORGET = 1 };

static const rki_option rows[] = {
    {"layers", RKI_OPTION_INTEGER, offsetof(rki_rnn_settings, layers), 1, 1024, "1", NULL, "0.1",
        "how many layers stand on one another"},
    {"dropout", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, dropout), 0, 0.999, "0", NULL, "0.1",
        "share of values set to 0 between layers, not after the last"},
    {"bias", RKI_OPTION_FLAG, offsetof(rki_rnn_settings, bias), 0, 1, "1", NULL, "0.1",
        "0: no biases"},
    {"forget_bias", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, forget_bias), -100, 100, "0",
        NULL, "0.1", "added to the initial bias of the forget gate"},
};
const rki_option_table rki_rnn_options = {"rnn", rows, sizeof rows / sizeof *rows};

static int32_t add_parameter(rnnkit_model *model, const rki_rnn_layer *self, int64_t l,
    const char *what, int64_t width, rki_parameter **out)
{
    int64_t hidden = self->layer.sizes[1];
    char suffix[40];
    const int64_t dims[2] = {GATES * hidden, width};
    snprintf(suffix, sizeof suffix, "%s_l%lld", what, (long long)l);
    rki_parameter_wish wish = {.layer = self->layer.name,
        .suffix = suffix,
        .dims = dims,
        .rank = width > 0 ? 2 : 1,
        .initial = RKI_INITIAL_UNIFORM,
        .scale = 1 / sqrt((double)hidden)};
    return rki_model_add_parameter(model, &wish, out);
}

/* bias_f += forget_bias, in the first of the two biases. */
static int32_t raise_forget_bias(
    rnnkit_model *model, const rki_rnn_layer *self, const rki_parameter *bias)
{
    const rki_device *device = model->context->device;
    const rki_memory *memory = &model->context->memory;
    int64_t hidden = self->layer.sizes[1];
    size_t bytes = rki_device_bytes(device, hidden);
    char *forget = (char *)bias->value + FORGET * bytes;
    void *block;
    if (model->source != NULL || self->settings.forget_bias == 0) return RNNKIT_OK;
    RKI_TRY(rki_allocate(memory, hidden, sizeof(float), "a bias", &block));
    float *values = block;
    int32_t status = rki_device_read(device, memory, forget, values, hidden);
    for (int64_t j = 0; j < hidden; j++)
        values[j] += (float)self->settings.forget_bias;
    if (status >= 0) status = rki_device_write(device, memory, forget, values, hidden);
    rki_release(memory, block);
    return status;
}

static int32_t build_one(rnnkit_model *model, rki_rnn_layer *self, int64_t l)
{
    rki_rnn_weights *weights = &self->weights[l];
    int64_t inputs = rki_rnn_inputs(self, l), hidden = self->layer.sizes[1];
    RKI_TRY(add_parameter(model, self, l, "weight_ih", inputs, &weights->weight_ih));
    RKI_TRY(add_parameter(model, self, l, "weight_hh", hidden, &weights->weight_hh));
    if (!self->settings.bias) return RNNKIT_OK;
    RKI_TRY(add_parameter(model, self, l, "bias_ih", 0, &weights->bias_ih));
    RKI_TRY(add_parameter(model, self, l, "bias_hh", 0, &weights->bias_hh));
    return raise_forget_bias(model, self, weights->bias_ih);
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    rki_rnn_layer *self = (rki_rnn_layer *)layer;
    void *block;
    int64_t gates;
    RKI_TRY(rki_multiply(layer->sizes[1], GATES, &gates));
    RKI_TRY(rki_allocate(&model->context->memory, self->settings.layers, sizeof(rki_rnn_weights),
        "a recurrent layer", &block));
    self->weights = block;
    for (int64_t l = 0; l < self->settings.layers; l++)
        RKI_TRY(build_one(model, self, l));
    return RNNKIT_OK;
}

static void release(rnnkit_model *model, rki_layer *layer)
{
    rki_release(&model->context->memory, ((rki_rnn_layer *)layer)->weights);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_lstm_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_lstm_kind = {
    .name = "lstm",
    .sizes = 2,
    .options = &rki_rnn_options,
    .settings = offsetof(rki_rnn_layer, settings),
    .bytes = sizeof(rki_rnn_layer),
    .handle = RKI_KIND_RNN,
    .build = build,
    .create = create_layer,
    .release = release,
};

/* Handles. */

int32_t rnnkit_lstm_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    const char *text, rnnkit_rnn **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {inputs, hidden};
    status = rki_layer_create(model, &rki_lstm_kind, name, sizes, text, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_rnn_find(rnnkit_model *model, const char *name, rnnkit_rnn **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_RNN, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_rnn_destroy(rnnkit_rnn *rnn)
{
    rki_layer_handle_destroy(rnn, RKI_KIND_RNN);
}

int32_t rnnkit_rnn_size(const rnnkit_rnn *rnn, int64_t *inputs, int64_t *hidden, int64_t *layers)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    if (inputs != NULL) *inputs = rnn->handle.layer->sizes[0];
    if (hidden != NULL) *hidden = rnn->handle.layer->sizes[1];
    if (layers != NULL) *layers = rki_rnn_of(rnn)->settings.layers;
    return RNNKIT_OK;
}
