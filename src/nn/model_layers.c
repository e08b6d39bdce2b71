/* A model's layers to JSON and back. See model_layers.h. */
#include "nn/model_layers.h"

#include <string.h>

#include "io/json_read.h"
#include "io/json_text.h"
#include "nn/model_file.h"

static const char layers_name[] = RKI_RESERVED_PREFIX "layers";

/* Writing. */

static int32_t write_layer(rki_json_text *json, const rki_layer *layer, const char *options)
{
    RKI_TRY(rki_json_mark(json, "{\"kind\":"));
    RKI_TRY(rki_json_string(json, layer->kind->name));
    RKI_TRY(rki_json_mark(json, ",\"name\":"));
    RKI_TRY(rki_json_string(json, layer->name));
    RKI_TRY(rki_json_mark(json, ",\"sizes\":["));
    for (int64_t i = 0; i < layer->kind->sizes; i++) {
        if (i > 0) RKI_TRY(rki_json_mark(json, ","));
        RKI_TRY(rki_json_integer(json, layer->sizes[i]));
    }
    RKI_TRY(rki_json_mark(json, "],\"options\":"));
    RKI_TRY(rki_json_string(json, options));
    return rki_json_mark(json, "}");
}

static int32_t write_layers(rki_json_text *json, const rnnkit_model *model)
{
    RKI_TRY(rki_json_mark(json, "["));
    for (int64_t i = 0; i < model->layer_count; i++) {
        char *options;
        if (i > 0) RKI_TRY(rki_json_mark(json, ","));
        RKI_TRY(rki_layer_options(model->layers[i], json->memory, &options));
        int32_t status = write_layer(json, model->layers[i], options);
        rki_release(json->memory, options);
        RKI_TRY(status);
    }
    RKI_TRY(rki_json_mark(json, "]"));
    return rki_json_raw(json, "", 1);
}

int32_t rki_model_layers_write(const rnnkit_model *model, char **out)
{
    rki_json_text json = {.memory = &model->context->memory, .limit = RKI_JSON_LIMIT};
    int32_t status = write_layers(&json, model);
    if (status < 0)
        rki_release(json.memory, json.data);
    else
        *out = json.data;
    return status;
}

/* Reading. */

static const char *text_field(const cJSON *item, const char *field)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, field));
}

static int32_t read_sizes(
    const cJSON *item, const char *name, int64_t expected, int64_t sizes[RKI_LAYER_SIZES])
{
    char shown[RKI_ST_SHOWN];
    const cJSON *size, *list = cJSON_GetObjectItemCaseSensitive(item, "sizes");
    int64_t count = 0;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != expected)
        return rki_fail(RNNKIT_E_FORMAT, "layer \"%s\": sizes are no array of %lld",
            rki_st_shown(name, shown), (long long)expected);
    cJSON_ArrayForEach(size, list)
    {
        double value = cJSON_IsNumber(size) ? size->valuedouble : -1;
        if (!(value >= 1 && value < 0x1p53) || value != (double)(int64_t)value)
            return rki_fail(RNNKIT_E_FORMAT,
                "layer \"%s\": sizes[%lld] is no whole number from 1 to 2^53 - 1",
                rki_st_shown(name, shown), (long long)count);
        sizes[count++] = (int64_t)value;
    }
    return RNNKIT_OK;
}

static int32_t read_layer(rnnkit_model *model, const cJSON *item, int64_t index)
{
    char shown[RKI_ST_SHOWN], shown_kind[RKI_ST_SHOWN];
    int64_t sizes[RKI_LAYER_SIZES];
    const char *kind_name = text_field(item, "kind"), *name = text_field(item, "name");
    const char *options = text_field(item, "options");
    if (kind_name == NULL || name == NULL || options == NULL)
        return rki_fail(
            RNNKIT_E_FORMAT, "layer %lld has no text for kind, name or options", (long long)index);
    const rki_layer_kind *kind = rki_layer_kind_find(kind_name);
    if (kind == NULL)
        return rki_fail(RNNKIT_E_FORMAT, "layer \"%s\": there is no kind \"%s\" of layer here",
            rki_st_shown(name, shown), rki_st_shown(kind_name, shown_kind));
    RKI_TRY(read_sizes(item, name, kind->sizes, sizes));
    int32_t status = kind->create(model, name, sizes, options);
    if (status < 0) rki_prefix_message("%s \"%s\"", kind->name, rki_st_shown(name, shown));
    return status;
}

static int32_t read_layers(rnnkit_model *model, const cJSON *list)
{
    const cJSON *item;
    int64_t index = 0;
    if (!cJSON_IsArray(list)) return rki_fail(RNNKIT_E_FORMAT, "not an array");
    cJSON_ArrayForEach(item, list) RKI_TRY(read_layer(model, item, index++));
    return RNNKIT_OK;
}

int32_t rki_model_layers_read(rnnkit_model *model, const char *text)
{
    cJSON *list;
    RKI_TRY(rki_json_parse(
        &model->context->memory, text, strlen(text), 3, "metadata \"rnnkit.layers\"", &list));
    int32_t status = read_layers(model, list);
    cJSON_Delete(list);
    if (status < 0) rki_prefix_message("metadata \"%s\"", layers_name);
    return status;
}
