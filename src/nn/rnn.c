/* Recurrent layers: options, parameters, handles. The passes are in rnn_forward.c.
 *
 * Names, shapes and gate orders are those of PyTorch's nn.RNN, nn.GRU and nn.LSTM; what PyTorch
 * lacks is named in the same way: norm_ih_l0, h0_l0_reverse.
 */
#include "nn/rnn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"

static const rki_option rows[] = {
    {"layers", RKI_OPTION_INTEGER, offsetof(rki_rnn_settings, layers), 1, 1024, "1", NULL, "0.1",
        "how many layers stand on one another"},
    {"hidden", RKI_OPTION_TEXT, offsetof(rki_rnn_settings, hidden), 0, 0, "", NULL, "0.1",
        "a width for each layer, parted by commas, the last being the argument hidden"},
    {"bidirectional", RKI_OPTION_FLAG, offsetof(rki_rnn_settings, bidirectional), 0, 1, "0", NULL,
        "0.1", "1: a second direction reads the sequence backwards; outputs stand side by side"},
    {"projection", RKI_OPTION_INTEGER, offsetof(rki_rnn_settings, projection), 0, INT32_MAX, "0",
        NULL, "0.1", "LSTM: width that h is projected to, below hidden; 0: no projection"},
    {"activation", RKI_OPTION_CHOICE, offsetof(rki_rnn_settings, activation), 0, 0, "tanh",
        "tanh|relu", "0.1", "Elman: the function of the sum"},
    {"reset", RKI_OPTION_CHOICE, offsetof(rki_rnn_settings, reset), 0, 0, "after", "after|before",
        "0.1", "GRU: whether the reset gate acts after or before the product with h"},
    {"dropout", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, dropout), 0, 0.999, "0", NULL, "0.1",
        "share of values set to 0 between layers, not after the last"},
    {"locked", RKI_OPTION_FLAG, offsetof(rki_rnn_settings, locked), 0, 1, "0", NULL, "0.1",
        "1: dropout drops the same values at all steps of a sequence"},
    {"weight_drop", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, weight_drop), 0, 0.999, "0", NULL,
        "0.1", "share of weight_hh set to 0 for a sequence while training"},
    {"zoneout", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, zoneout), 0, 0.999, "0", NULL, "0.1",
        "chance that a value of h keeps its old value at a step"},
    {"zoneout_cell", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, zoneout_cell), 0, 0.999, "0",
        NULL, "0.1", "LSTM: the same for c"},
    {"layer_norm", RKI_OPTION_FLAG, offsetof(rki_rnn_settings, layer_norm), 0, 1, "0", NULL, "0.1",
        "1: both products, and an LSTM's c before it is shown, are normalised; not reset=before"},
    {"bias", RKI_OPTION_FLAG, offsetof(rki_rnn_settings, bias), 0, 1, "1", NULL, "0.1",
        "0: no biases"},
    {"forget_bias", RKI_OPTION_NUMBER, offsetof(rki_rnn_settings, forget_bias), -100, 100, "0",
        NULL, "0.1", "LSTM: added to the initial bias of the forget gate"},
    {"init", RKI_OPTION_CHOICE, offsetof(rki_rnn_settings, init), 0, 0, "uniform",
        "uniform|xavier|orthogonal", "0.1",
        "first weights: uniform in 1/sqrt(hidden); Xavier; Xavier with orthogonal weight_hh"},
    {"initial", RKI_OPTION_CHOICE, offsetof(rki_rnn_settings, initial), 0, 0, "zero",
        "zero|learned", "0.1", "learned: the state that a sequence starts from is a parameter"},
    {"padding", RKI_OPTION_CHOICE, offsetof(rki_rnn_settings, padding), 0, 0, "right", "right|left",
        "0.1", "the end at which rows shorter than the batch's steps are padded"},
};
const rki_option_table rki_rnn_options = {"rnn", rows, sizeof rows / sizeof *rows};

/* Parameters. */

static int32_t add(rnnkit_model *model, const rki_rnn_layer *self, int64_t part, const char *what,
    rki_parameter_wish wish, rki_parameter **out)
{
    char suffix[48];
    snprintf(suffix, sizeof suffix, "%s_l%lld%s", what, (long long)(part / self->directions),
        part % self->directions > 0 ? "_reverse" : "");
    wish.layer = self->layer.name;
    wish.suffix = suffix;
    return rki_model_add_parameter(model, &wish, out);
}

/* A weight of `gates` blocks [hidden][width]. */
static int32_t add_weight(rnnkit_model *model, const rki_rnn_layer *self, int64_t part,
    const char *what, int64_t width, rki_parameter **out)
{
    int64_t hidden = self->hidden[part / self->directions];
    const int64_t dims[2] = {rki_cell_gates(self->cell) * hidden, width};
    rki_parameter_wish wish = {.dims = dims,
        .rank = 2,
        .role = RKI_ROLE_WEIGHT,
        .initial = RKI_INITIAL_UNIFORM,
        .scale = 1 / sqrt((double)hidden)};
    if (self->settings.init != RKI_RNN_UNIFORM) wish.scale = sqrt(6 / (double)(width + hidden));
    return add(model, self, part, what, wish, out);
}

static int32_t add_vector(rnnkit_model *model, const rki_rnn_layer *self, int64_t part,
    const char *what, int64_t width, rki_initial initial, double scale, rki_parameter **out)
{
    rki_parameter_wish wish = {.dims = &width, .rank = 1, .initial = initial, .scale = scale};
    return add(model, self, part, what, wish, out);
}

static int32_t add_biases(
    rnnkit_model *model, rki_rnn_layer *self, int64_t part, rki_rnn_weights *weights)
{
    int64_t hidden = self->hidden[part / self->directions];
    int64_t width = rki_cell_gates(self->cell) * hidden;
    double scale = 1 / sqrt((double)hidden);
    rki_initial initial =
        self->settings.init == RKI_RNN_UNIFORM ? RKI_INITIAL_UNIFORM : RKI_INITIAL_ZERO;
    if (!self->settings.bias) return RNNKIT_OK;
    RKI_TRY(add_vector(model, self, part, "bias_ih", width, initial, scale, &weights->bias_ih));
    return add_vector(model, self, part, "bias_hh", width, initial, scale, &weights->bias_hh);
}

static int32_t add_norms(rnnkit_model *model, rki_rnn_layer *self, int64_t part, rki_rnn_weights *w)
{
    int64_t hidden = self->hidden[part / self->directions];
    int64_t width = rki_cell_gates(self->cell) * hidden;
    rki_initial one = RKI_INITIAL_CONSTANT;
    if (!self->settings.layer_norm) return RNNKIT_OK;
    RKI_TRY(add_vector(model, self, part, "norm_ih", width, one, 1, &w->norm_ih));
    RKI_TRY(add_vector(model, self, part, "norm_hh", width, one, 1, &w->norm_hh));
    if (self->cell != RKI_CELL_LSTM) return RNNKIT_OK;
    RKI_TRY(add_vector(model, self, part, "norm_c", hidden, one, 1, &w->norm_c));
    return add_vector(
        model, self, part, "norm_c_bias", hidden, RKI_INITIAL_ZERO, 0, &w->norm_c_bias);
}

static int32_t add_initial(
    rnnkit_model *model, rki_rnn_layer *self, int64_t part, rki_rnn_weights *w)
{
    int64_t l = part / self->directions;
    rki_initial zero = RKI_INITIAL_ZERO;
    if (self->settings.initial != RKI_RNN_LEARNED) return RNNKIT_OK;
    RKI_TRY(add_vector(model, self, part, "h0", rki_rnn_output(self, l), zero, 0, &w->h0));
    if (self->cell != RKI_CELL_LSTM) return RNNKIT_OK;
    return add_vector(model, self, part, "c0", self->hidden[l], zero, 0, &w->c0);
}

static int32_t build_part(rnnkit_model *model, rki_rnn_layer *self, int64_t part)
{
    rki_rnn_weights *w = &self->weights[part];
    int64_t l = part / self->directions, hidden = self->hidden[l];
    RKI_TRY(add_weight(model, self, part, "weight_ih", rki_rnn_inputs(self, l), &w->weight_ih));
    RKI_TRY(add_weight(model, self, part, "weight_hh", rki_rnn_output(self, l), &w->weight_hh));
    RKI_TRY(add_biases(model, self, part, w));
    if (self->settings.projection > 0) {
        const int64_t dims[2] = {self->settings.projection, hidden};
        rki_parameter_wish wish = {.dims = dims,
            .rank = 2,
            .role = RKI_ROLE_WEIGHT,
            .initial = RKI_INITIAL_UNIFORM,
            .scale = 1 / sqrt((double)hidden)};
        RKI_TRY(add(model, self, part, "weight_hr", wish, &w->weight_hr));
    }
    RKI_TRY(add_norms(model, self, part, w));
    RKI_TRY(add_initial(model, self, part, w));
    return model->source != NULL ? RNNKIT_OK : rki_rnn_shape_values(model, self, part);
}

/* Options. */

static int32_t only_for(const rki_rnn_layer *self, const char *kind, const char *option, int given)
{
    if (!given || strcmp(self->layer.kind->name, kind) == 0) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_OPTION, "option %s belongs to kind %s, not to %s", option, kind,
        self->layer.kind->name);
}

static int32_t check_options(const rki_rnn_layer *self)
{
    const rki_rnn_settings *s = &self->settings;
    RKI_TRY(only_for(self, "elman", "activation", s->activation != RKI_RNN_TANH));
    RKI_TRY(only_for(self, "gru", "reset", s->reset != RKI_RNN_AFTER));
    RKI_TRY(only_for(self, "lstm", "projection", s->projection > 0));
    RKI_TRY(only_for(self, "lstm", "zoneout_cell", s->zoneout_cell > 0));
    RKI_TRY(only_for(self, "lstm", "forget_bias", s->forget_bias != 0));
    if (s->forget_bias != 0 && !s->bias)
        return rki_fail(RNNKIT_E_OPTION, "option forget_bias needs biases, but bias is 0");
    if (s->layer_norm && s->reset == RKI_RNN_BEFORE)
        return rki_fail(RNNKIT_E_OPTION, "option layer_norm does not go with reset=before");
    for (int64_t l = 0; l < self->layers; l++)
        if (s->projection >= self->hidden[l])
            return rki_fail(RNNKIT_E_OPTION,
                "option projection=%lld must be below hidden, which is %lld in layer %lld",
                (long long)s->projection, (long long)self->hidden[l], (long long)l);
    return RNNKIT_OK;
}

static int64_t count_widths(const char *list)
{
    int64_t count = 1;
    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

/* Widths of the layers from option hidden, else all the same. */
static int32_t read_widths(rki_rnn_layer *self)
{
    const char *at = self->settings.hidden;
    int64_t last = self->layer.sizes[1];
    for (int64_t l = 0; l < self->layers; l++) {
        self->hidden[l] = last;
        if (self->settings.hidden[0] == '\0') continue;
        size_t length = strcspn(at, ",");
        if (!rki_parse_integer(at, length, &self->hidden[l]) || self->hidden[l] < 1)
            return rki_fail(RNNKIT_E_OPTION, "option hidden=%s: width %lld is no number above 0",
                self->settings.hidden, (long long)l + 1);
        at += length + (at[length] == ',');
    }
    if (self->hidden[self->layers - 1] != last)
        return rki_fail(RNNKIT_E_OPTION, "option hidden=%s: the last width must be hidden = %lld",
            self->settings.hidden, (long long)last);
    return RNNKIT_OK;
}

static int32_t count_layers(rki_rnn_layer *self)
{
    self->layers = self->settings.layers;
    if (self->settings.hidden[0] == '\0') return RNNKIT_OK;
    self->layers = count_widths(self->settings.hidden);
    if (self->settings.layers == 1 || self->settings.layers == self->layers) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_OPTION, "option hidden=%s has %lld widths, but layers is %lld",
        self->settings.hidden, (long long)self->layers, (long long)self->settings.layers);
}

/* Widths of weights and states, none of which may overflow. */
static int32_t check_sizes(const rki_rnn_layer *self)
{
    int64_t most = 0, product;
    for (int64_t l = 0; l < self->layers; l++)
        if (self->hidden[l] > most) most = self->hidden[l];
    RKI_TRY(rki_multiply(most, 4 * self->directions, &product));
    return rki_multiply(product, self->layers, &product);
}

static int32_t build_cell(rnnkit_model *model, rki_layer *layer, rki_cell cell)
{
    rki_rnn_layer *self = (rki_rnn_layer *)layer;
    const rki_memory *memory = &model->context->memory;
    void *block;
    self->cell = cell;
    self->directions = 1 + self->settings.bidirectional;
    RKI_TRY(count_layers(self));
    RKI_TRY(rki_allocate(memory, self->layers, sizeof(int64_t), "a recurrent layer", &block));
    self->hidden = block;
    RKI_TRY(read_widths(self));
    RKI_TRY(check_options(self));
    RKI_TRY(check_sizes(self));
    int64_t parts = self->layers * self->directions;
    RKI_TRY(rki_allocate(memory, parts, sizeof(rki_rnn_weights), "a recurrent layer", &block));
    self->weights = block;
    for (int64_t part = 0; part < parts; part++)
        RKI_TRY(build_part(model, self, part));
    return RNNKIT_OK;
}

static int32_t build_elman(rnnkit_model *model, rki_layer *layer)
{
    int relu = ((rki_rnn_layer *)layer)->settings.activation == RKI_RNN_RELU;
    return build_cell(model, layer, relu ? RKI_CELL_RELU : RKI_CELL_TANH);
}

static int32_t build_gru(rnnkit_model *model, rki_layer *layer)
{
    int before = ((rki_rnn_layer *)layer)->settings.reset == RKI_RNN_BEFORE;
    return build_cell(model, layer, before ? RKI_CELL_GRU_BEFORE : RKI_CELL_GRU);
}

static int32_t build_lstm(rnnkit_model *model, rki_layer *layer)
{
    return build_cell(model, layer, RKI_CELL_LSTM);
}

static void release(rnnkit_model *model, rki_layer *layer)
{
    rki_release(&model->context->memory, ((rki_rnn_layer *)layer)->hidden);
    rki_release(&model->context->memory, ((rki_rnn_layer *)layer)->weights);
}

/* Kinds. */

static int32_t create_elman(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_elman_kind, name, sizes, text, &layer);
}

static int32_t create_gru(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_gru_kind, name, sizes, text, &layer);
}

static int32_t create_lstm(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_lstm_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_elman_kind = {.name = "elman",
    .sizes = 2,
    .options = &rki_rnn_options,
    .settings = offsetof(rki_rnn_layer, settings),
    .bytes = sizeof(rki_rnn_layer),
    .handle = RKI_KIND_RNN,
    .build = build_elman,
    .create = create_elman,
    .release = release};

const rki_layer_kind rki_gru_kind = {.name = "gru",
    .sizes = 2,
    .options = &rki_rnn_options,
    .settings = offsetof(rki_rnn_layer, settings),
    .bytes = sizeof(rki_rnn_layer),
    .handle = RKI_KIND_RNN,
    .build = build_gru,
    .create = create_gru,
    .release = release};

const rki_layer_kind rki_lstm_kind = {.name = "lstm",
    .sizes = 2,
    .options = &rki_rnn_options,
    .settings = offsetof(rki_rnn_layer, settings),
    .bytes = sizeof(rki_rnn_layer),
    .handle = RKI_KIND_RNN,
    .build = build_lstm,
    .create = create_lstm,
    .release = release};

/* Handles. */

static int32_t create(rnnkit_model *model, const rki_layer_kind *kind, const char *name,
    const int64_t sizes[2], const char *text, rnnkit_rnn **out)
{
    return rki_layer_create(model, kind, name, sizes, text, (void **)out);
}

int32_t rnnkit_elman_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    const char *text, rnnkit_rnn **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {inputs, hidden};
    status = create(model, &rki_elman_kind, name, sizes, text, out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_gru_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    const char *text, rnnkit_rnn **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {inputs, hidden};
    status = create(model, &rki_gru_kind, name, sizes, text, out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_lstm_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    const char *text, rnnkit_rnn **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {inputs, hidden};
    status = create(model, &rki_lstm_kind, name, sizes, text, out);
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
    if (layers != NULL) *layers = rki_rnn_of(rnn)->layers;
    return RNNKIT_OK;
}

int32_t rnnkit_rnn_widths(const rnnkit_rnn *rnn, int64_t *outputs, int64_t *state)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const rki_rnn_layer *self = rki_rnn_of(rnn);
    if (outputs != NULL) *outputs = rki_rnn_outputs(self, self->layers - 1);
    if (state != NULL) *state = rki_rnn_state_width(self);
    return RNNKIT_OK;
}
