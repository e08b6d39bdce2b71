/* Layers: adding one to a model, finding it, and handles. See layer.h. */
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "io/safetensors.h"
#include "nn/model.h"

static const rki_layer_kind *const kinds[] = {&rki_embedding_kind, &rki_linear_kind, &rki_lstm_kind,
    &rki_gru_kind, &rki_elman_kind, &rki_attention_kind, &rki_decoder_kind, &rki_multihead_kind,
    &rki_norm_kind};

const rki_layer_kind *rki_layer_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

rki_layer *rki_model_layer(const rnnkit_model *model, const char *name)
{
    for (int64_t i = 0; i < model->layer_count; i++)
        if (strcmp(model->layers[i]->name, name) == 0) return model->layers[i];
    return NULL;
}

/* Adding. */

static int32_t check_name(const rnnkit_model *model, const char *name)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_check_pointer(name, "name"));
    if (name[0] == '\0') return rki_fail(RNNKIT_E_ARGUMENT, "name is empty");
    size_t length = strlen(name), whole = rki_utf8_span(name, length);
    if (whole != length) return rki_fail(RNNKIT_E_ARGUMENT, "name is not UTF-8 at byte %zu", whole);
    if (rki_model_layer(model, name) != NULL)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "the model has a layer \"%s\" already", rki_st_shown(name, shown));
    return RNNKIT_OK;
}

static int32_t check_sizes(const rki_layer_kind *kind, const int64_t *sizes)
{
    for (int64_t i = 0; i < kind->sizes; i++)
        if (sizes[i] < 1)
            return rki_fail(RNNKIT_E_ARGUMENT, "size %lld of a layer of kind %s is %lld, below 1",
                (long long)i + 1, kind->name, (long long)sizes[i]);
    return RNNKIT_OK;
}

void rki_layer_release(rnnkit_model *model, rki_layer *layer)
{
    if (layer->kind->release != NULL) layer->kind->release(model, layer);
    rki_release(&model->context->memory, layer->name);
    rki_release(&model->context->memory, layer);
}

static int32_t fill_layer(
    rnnkit_model *model, rki_layer *layer, const char *name, const char *options)
{
    RKI_TRY(
        rki_options_parse(layer->kind->options, options, (char *)layer + layer->kind->settings));
    RKI_TRY(rki_copy_text(&model->context->memory, name, -1, &layer->name));
    int64_t before = model->parameter_count;
    int32_t status = layer->kind->build(model, layer);
    if (status < 0) rki_model_drop_parameters(model, before);
    return status;
}

int32_t rki_layer_add(rnnkit_model *model, const rki_layer_kind *kind, const char *name,
    const int64_t *sizes, const char *options, rki_layer **out)
{
    const rki_memory *memory = &model->context->memory;
    void *list = model->layers, *block;
    RKI_TRY(check_name(model, name));
    RKI_TRY(check_sizes(kind, sizes));
    RKI_TRY(rki_grow(memory, &list, &model->layer_capacity, model->layer_count,
        model->layer_count + 1, sizeof *model->layers, "a model's layers"));
    model->layers = list;
    RKI_TRY(rki_allocate(memory, 1, kind->bytes, "a layer", &block));
    rki_layer *layer = block;
    layer->kind = kind;
    memcpy(layer->sizes, sizes, (size_t)kind->sizes * sizeof *sizes);
    int32_t status = fill_layer(model, layer, name, options);
    if (status < 0) {
        rki_layer_release(model, layer);
        return status;
    }
    model->layers[model->layer_count++] = layer;
    *out = layer;
    return RNNKIT_OK;
}

int32_t rki_layer_options(const rki_layer *layer, const rki_memory *memory, char **out)
{
    return rki_options_format(
        layer->kind->options, (const char *)layer + layer->kind->settings, memory, out);
}

/* Handles. */

static int32_t make_handle(rnnkit_model *model, rki_layer *layer, void **out)
{
    void *block;
    RKI_TRY(rki_allocate(
        &model->context->memory, 1, sizeof(rki_layer_handle), "a layer's handle", &block));
    rki_layer_handle *handle = block;
    rki_object_init(&handle->object, layer->kind->handle);
    handle->model = model;
    handle->layer = layer;
    rki_model_retain(model);
    *out = handle;
    return RNNKIT_OK;
}

static void drop_newest_layer(rnnkit_model *model, int64_t parameters)
{
    rki_model_drop_parameters(model, parameters);
    rki_layer_release(model, model->layers[--model->layer_count]);
}

int32_t rki_layer_create(rnnkit_model *model, const rki_layer_kind *kind, const char *name,
    const int64_t *sizes, const char *options, void **out)
{
    rki_layer *layer;
    RKI_TRY(rki_check_pointer(out, "out"));
    int64_t before = model->parameter_count;
    RKI_TRY(rki_layer_add(model, kind, name, sizes, options, &layer));
    int32_t status = make_handle(model, layer, out);
    if (status < 0) drop_newest_layer(model, before);
    return status;
}

/* "embedding \"words\", lstm \"rnn\"", as far as there is room. */
static void list_layers(const rnnkit_model *model, char *text, size_t capacity)
{
    char shown[RKI_ST_SHOWN];
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < model->layer_count && used < capacity; i++) {
        const rki_layer *layer = model->layers[i];
        int written = snprintf(text + used, capacity - used, "%s%s \"%s\"", i > 0 ? ", " : "",
            layer->kind->name, rki_st_shown(layer->name, shown));
        if (written < 0) return;
        used += (size_t)written;
    }
}

int32_t rki_layer_find(rnnkit_model *model, rki_kind handle, const char *name, void **out)
{
    char shown[RKI_ST_SHOWN], all[512];
    RKI_TRY(rki_check_pointer(name, "name"));
    RKI_TRY(rki_check_pointer(out, "out"));
    rki_layer *layer = rki_model_layer(model, name);
    if (layer != NULL && layer->kind->handle == handle) return make_handle(model, layer, out);
    list_layers(model, all, sizeof all);
    return rki_fail(RNNKIT_E_NOT_FOUND, "the model has no such layer \"%s\"; it has: %s",
        rki_st_shown(name, shown), model->layer_count > 0 ? all : "none");
}

void rki_layer_handle_destroy(void *handle, rki_kind kind)
{
    if (handle == NULL || rki_check(handle, kind, "handle") < 0) return;
    rki_layer_handle *self = handle;
    rnnkit_model *model = self->model;
    if (!rki_object_release(&self->object)) return;
    rki_release(&model->context->memory, self);
    rki_model_release(model);
}
