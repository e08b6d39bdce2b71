/* The decoder layer: options, parameters, handles. See decoder.h. */
#include "nn/decoder.h"

#include <math.h>
#include <stdio.h>

enum { SUFFIX_SIZE = 48 };

static const rki_option rows[] = {
    {"style", RKI_OPTION_CHOICE, offsetof(rki_decoder_settings, style), 0, 0, "bahdanau",
        "bahdanau|luong", "0.1",
        "bahdanau: looks before a step and reads the context; luong: looks after "
        "it"},
    {"cell", RKI_OPTION_CHOICE, offsetof(rki_decoder_settings, gru), 0, 0, "lstm", "lstm|gru",
        "0.1", "of the recurrent layers"},
    {"layers", RKI_OPTION_INTEGER, offsetof(rki_decoder_settings, layers), 1, 1024, "1", NULL,
        "0.1", "how many recurrent layers stand on one another"},
    {"dropout", RKI_OPTION_NUMBER, offsetof(rki_decoder_settings, dropout), 0, 0.999, "0", NULL,
        "0.1", "share of values set to 0 between layers, not after the last"},
    {"feeding", RKI_OPTION_FLAG, offsetof(rki_decoder_settings, feeding), 0, 1, "0", NULL, "0.1",
        "1: luong reads its output of the step before (input feeding)"},
    {"output", RKI_OPTION_INTEGER, offsetof(rki_decoder_settings, output), 0, INT32_MAX, "0", NULL,
        "0.1", "width of the output; 0: hidden"},
    {"start", RKI_OPTION_INTEGER, offsetof(rki_decoder_settings, start), 0, INT32_MAX, "0", NULL,
        "0.1", "width of the vector that the first state is made from; 0: it is zero"},
    {"score", RKI_OPTION_CHOICE, offsetof(rki_decoder_settings, attention.score), 0, 0, "additive",
        RKI_ATTENTION_SCORES, "0.1", "how a query is compared with a key"},
    {"attention_width", RKI_OPTION_INTEGER, offsetof(rki_decoder_settings, attention.width), 0,
        INT32_MAX, "0", NULL, "0.1", "of the tanh layer in additive and concat; 0: hidden"},
    {"attention_bias", RKI_OPTION_FLAG, offsetof(rki_decoder_settings, attention.bias), 0, 1, "0",
        NULL, "0.1", "1: a bias in the tanh layer of additive and concat"},
    {"attention_window", RKI_OPTION_INTEGER, offsetof(rki_decoder_settings, attention.window), 0,
        INT32_MAX, "0", NULL, "0.1",
        "positions to each side of a predicted one that a query sees (local attention); 0: all"},
};
const rki_option_table rki_decoder_options = {"decoder", rows, sizeof rows / sizeof *rows};

/* Parameters. */

static int32_t add(rnnkit_model *model, const rki_decoder_layer *self, const char *suffix,
    const int64_t dims[2], int64_t rank, int64_t fan, rki_parameter **out)
{
    rki_parameter_wish wish = {.layer = self->layer.name,
        .suffix = suffix,
        .dims = dims,
        .rank = rank,
        .role = rank == 2 ? RKI_ROLE_FACTOR : RKI_ROLE_OTHER,
        .initial = RKI_INITIAL_UNIFORM,
        .scale = 1 / sqrt((double)fan)};
    return rki_model_add_parameter(model, &wish, out);
}

static int32_t add_rnn(rnnkit_model *model, const rki_decoder_layer *self, int64_t l,
    const char *what, int64_t columns, rki_parameter **out)
{
    char suffix[SUFFIX_SIZE];
    const int64_t dims[2] = {rki_decoder_gates(self) * self->hidden, columns};
    snprintf(suffix, sizeof suffix, "rnn.%s_l%lld", what, (long long)l);
    return add(model, self, suffix, dims, columns > 0 ? 2 : 1, self->hidden, out);
}

static int32_t build_rnn(rnnkit_model *model, rki_decoder_layer *self, int64_t l)
{
    rki_rnn_weights *weights = &self->weights[l];
    int64_t columns = l > 0 ? self->hidden : self->inputs + self->fed;
    RKI_TRY(add_rnn(model, self, l, "weight_ih", columns, &weights->weight_ih));
    RKI_TRY(add_rnn(model, self, l, "weight_hh", self->hidden, &weights->weight_hh));
    RKI_TRY(add_rnn(model, self, l, "bias_ih", 0, &weights->bias_ih));
    return add_rnn(model, self, l, "bias_hh", 0, &weights->bias_hh);
}

static int32_t build_first(rnnkit_model *model, rki_decoder_layer *self, int64_t l, int64_t part)
{
    char suffix[SUFFIX_SIZE];
    const int64_t dims[2] = {self->hidden, self->settings.start};
    rki_decoder_first *first = &self->first[l * rki_decoder_states(self) + part];
    const char *name = part == 0 ? "h" : "c";
    snprintf(suffix, sizeof suffix, "start.%s_l%lld.weight", name, (long long)l);
    RKI_TRY(add(model, self, suffix, dims, 2, dims[1], &first->weight));
    snprintf(suffix, sizeof suffix, "start.%s_l%lld.bias", name, (long long)l);
    return add(model, self, suffix, dims, 1, dims[1], &first->bias);
}

static int32_t build_layers(rnnkit_model *model, rki_decoder_layer *self)
{
    const rki_memory *memory = &model->context->memory;
    int64_t layers = self->settings.layers;
    void *block;
    RKI_TRY(rki_allocate(memory, layers, sizeof(rki_rnn_weights), "a decoder", &block));
    self->weights = block;
    for (int64_t l = 0; l < layers; l++)
        RKI_TRY(build_rnn(model, self, l));
    if (self->settings.start == 0) return RNNKIT_OK;
    int64_t states = rki_decoder_states(self);
    RKI_TRY(rki_allocate(memory, layers * states, sizeof(rki_decoder_first), "a decoder", &block));
    self->first = block;
    for (int64_t i = 0; i < layers * states; i++)
        RKI_TRY(build_first(model, self, i / states, i % states));
    return RNNKIT_OK;
}

/* Sums of these sizes are the widths of weights, so none may overflow. */
static int32_t check_sizes(const rki_decoder_layer *self)
{
    int64_t sum;
    if (__builtin_add_overflow(self->inputs, self->hidden, &sum) ||
        __builtin_add_overflow(sum, self->memory, &sum) ||
        __builtin_add_overflow(sum, self->output, &sum) || self->hidden > INT64_MAX / 8)
        return rki_fail(RNNKIT_E_SHAPE, "inputs, hidden, memory and output are too large");
    if (self->settings.feeding && self->settings.style != RKI_LUONG)
        return rki_fail(RNNKIT_E_OPTION, "option feeding belongs to style=luong alone");
    return RNNKIT_OK;
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    rki_decoder_layer *self = (rki_decoder_layer *)layer;
    const rki_decoder_settings *settings = &self->settings;
    self->inputs = layer->sizes[0];
    self->hidden = layer->sizes[1];
    self->memory = layer->sizes[2];
    self->output = settings->output > 0 ? settings->output : self->hidden;
    RKI_TRY(check_sizes(self));
    int looks_first = settings->style == RKI_BAHDANAU;
    self->fed = looks_first ? self->memory : settings->feeding ? self->output : 0;
    RKI_TRY(build_layers(model, self));
    self->attention.settings = settings->attention;
    self->attention.query_width = self->hidden;
    self->attention.key_width = self->memory;
    RKI_TRY(rki_attention_build(model, layer->name, "attention.", &self->attention));
    const int64_t dims[2] = {
        self->output, self->memory + self->hidden + (looks_first ? self->inputs : 0)};
    RKI_TRY(add(model, self, "combine.weight", dims, 2, dims[1], &self->combine));
    return add(model, self, "combine.bias", dims, 1, dims[1], &self->combine_bias);
}

static void release(rnnkit_model *model, rki_layer *layer)
{
    rki_release(&model->context->memory, ((rki_decoder_layer *)layer)->weights);
    rki_release(&model->context->memory, ((rki_decoder_layer *)layer)->first);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_decoder_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_decoder_kind = {
    .name = "decoder",
    .sizes = 3,
    .options = &rki_decoder_options,
    .settings = offsetof(rki_decoder_layer, settings),
    .bytes = sizeof(rki_decoder_layer),
    .handle = RKI_KIND_DECODER,
    .build = build,
    .create = create_layer,
    .release = release,
};

/* Columns. */

rki_columns rki_decoder_reads_x(const rki_decoder_layer *d)
{
    return (rki_columns){d->weights[0].weight_ih, 0, d->inputs};
}

rki_columns rki_decoder_reads_fed(const rki_decoder_layer *d)
{
    return (rki_columns){d->weights[0].weight_ih, d->inputs, d->fed};
}

rki_columns rki_decoder_reads_below(const rki_decoder_layer *d, int64_t l)
{
    return (rki_columns){d->weights[l].weight_ih, 0, d->hidden};
}

rki_columns rki_decoder_reads_h(const rki_decoder_layer *d, int64_t l)
{
    return (rki_columns){d->weights[l].weight_hh, 0, d->hidden};
}

rki_columns rki_decoder_combines_context(const rki_decoder_layer *d)
{
    return (rki_columns){d->combine, 0, d->memory};
}

rki_columns rki_decoder_combines_h(const rki_decoder_layer *d)
{
    return (rki_columns){d->combine, d->memory, d->hidden};
}

rki_columns rki_decoder_combines_x(const rki_decoder_layer *d)
{
    return (rki_columns){d->combine, d->memory + d->hidden, d->inputs};
}

rki_columns rki_decoder_starts(const rki_decoder_layer *d, int64_t l, int64_t part)
{
    return (rki_columns){d->first[l * rki_decoder_states(d) + part].weight, 0, d->settings.start};
}

/* Handles. */

int32_t rnnkit_decoder_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    int64_t memory, const char *options, rnnkit_decoder **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[3] = {inputs, hidden, memory};
    status = rki_layer_create(model, &rki_decoder_kind, name, sizes, options, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_decoder_find(rnnkit_model *model, const char *name, rnnkit_decoder **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_DECODER, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_decoder_destroy(rnnkit_decoder *decoder)
{
    rki_layer_handle_destroy(decoder, RKI_KIND_DECODER);
}

int32_t rnnkit_decoder_size(const rnnkit_decoder *decoder, int64_t *inputs, int64_t *memory,
    int64_t *start, int64_t *output)
{
    int32_t status = rki_check(decoder, RKI_KIND_DECODER, "decoder");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const rki_decoder_layer *d = rki_decoder_of(decoder);
    if (inputs != NULL) *inputs = d->inputs;
    if (memory != NULL) *memory = d->memory;
    if (start != NULL) *start = d->settings.start;
    if (output != NULL) *output = d->output;
    return RNNKIT_OK;
}
