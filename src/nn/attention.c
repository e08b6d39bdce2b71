/* The attention layer: options, parameters, handles. Its passes are in attention_forward.c. */
#include "nn/attention.h"

static const rki_option rows[] = {
    {"score", RKI_OPTION_CHOICE, offsetof(rki_attention_settings, score), 0, 0, "additive",
        RKI_ATTENTION_SCORES, "0.1", "how a query is compared with a key"},
    {"width", RKI_OPTION_INTEGER, offsetof(rki_attention_settings, width), 0, INT32_MAX, "0", NULL,
        "0.1", "of the tanh layer in additive and concat; 0: that of the query"},
    {"bias", RKI_OPTION_FLAG, offsetof(rki_attention_settings, bias), 0, 1, "0", NULL, "0.1",
        "1: a bias in the tanh layer of additive and concat"},
    {"window", RKI_OPTION_INTEGER, offsetof(rki_attention_settings, window), 0, INT32_MAX, "0",
        NULL, "0.1",
        "positions to each side of a predicted one that a query sees (local attention); 0: all"},
};
const rki_option_table rki_attention_options = {"attention", rows, sizeof rows / sizeof *rows};

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    rki_attention_layer *self = (rki_attention_layer *)layer;
    self->weights.query_width = layer->sizes[0];
    self->weights.key_width = layer->sizes[1];
    return rki_attention_build(model, layer->name, "", &self->weights);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_attention_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_attention_kind = {
    .name = "attention",
    .sizes = 2,
    .options = &rki_attention_options,
    .settings = offsetof(rki_attention_layer, weights.settings),
    .bytes = sizeof(rki_attention_layer),
    .handle = RKI_KIND_ATTENTION,
    .build = build,
    .create = create_layer,
};

int32_t rnnkit_attention_create(rnnkit_model *model, const char *name, int64_t query_width,
    int64_t key_width, const char *options, rnnkit_attention **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {query_width, key_width};
    status = rki_layer_create(model, &rki_attention_kind, name, sizes, options, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_attention_find(rnnkit_model *model, const char *name, rnnkit_attention **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_ATTENTION, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_attention_destroy(rnnkit_attention *attention)
{
    rki_layer_handle_destroy(attention, RKI_KIND_ATTENTION);
}

int32_t rnnkit_attention_size(
    const rnnkit_attention *attention, int64_t *query_width, int64_t *key_width, int64_t *width)
{
    int32_t status = rki_check(attention, RKI_KIND_ATTENTION, "attention");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const rki_attention_weights *weights = &rki_attention_of(attention)->weights;
    if (query_width != NULL) *query_width = weights->query_width;
    if (key_width != NULL) *key_width = weights->key_width;
    if (width != NULL) *width = weights->width;
    return RNNKIT_OK;
}
