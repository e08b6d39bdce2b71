/* A model's parameters: adding them, finding them by name, and the public way to their values. */
#include <stdio.h>
#include <string.h>

#include "nn/device_file.h"
#include "nn/model.h"

rki_parameter *rki_model_parameter(const rnnkit_model *model, const char *name)
{
    for (int64_t i = 0; i < model->parameter_count; i++)
        if (strcmp(model->parameters[i]->name, name) == 0) return model->parameters[i];
    return NULL;
}

/* Adding. */

static int32_t join_name(const rki_memory *memory, const rki_parameter_wish *wish, char **out)
{
    size_t size = strlen(wish->layer) + strlen(wish->suffix) + 2;
    void *block;
    RKI_TRY(rki_allocate(memory, (int64_t)size, 1, "a parameter's name", &block));
    snprintf(block, size, "%s.%s", wish->layer, wish->suffix);
    *out = block;
    return RNNKIT_OK;
}

/* In a format, some rows at a time. */

enum { PIECE = 1 << 16 /* values of a piece; whole groups of rows */ };

static int64_t piece_rows(const rki_parameter *parameter)
{
    int64_t rows = rki_parameter_rows(parameter);
    int64_t group = rki_format_group(parameter->format);
    int64_t some = PIECE / rki_parameter_width(parameter) / group * group;
    if (some < group) some = group;
    return some < rows ? some : rows;
}

/* Bytes of the rows before `row`, the first of a group, without what a format has before them all. */
static size_t bytes_before(rki_format format, int64_t row, int64_t width)
{
    return rki_format_bytes(format, row, width) - rki_format_header(format, row);
}

/* From values [count][width] by way of a block of their own; int8 has scales in front. */
static int32_t upload_piece(const rki_device *device, const rki_parameter *parameter, int64_t first,
    int64_t count, const float *values, char *block)
{
    int64_t width = rki_parameter_width(parameter);
    rki_format format = parameter->format;
    size_t before = rki_format_header(format, rki_parameter_rows(parameter));
    char *to = parameter->value;
    rki_format_pack(format, count, width, values, block);
    if (before > 0)
        RKI_TRY(device->ops->upload(device->self, to + (size_t)first * sizeof(float), block,
            (size_t)count * sizeof(float)));
    return device->ops->upload(device->self, to + before + bytes_before(format, first, width),
        block + rki_format_header(format, count), bytes_before(format, count, width));
}

static int32_t take_formatted(const rnnkit_model *model, rki_parameter *parameter)
{
    const rki_memory *memory = &model->context->memory;
    const rki_st_entry *entry = rki_st_find(model->source, parameter->name);
    int64_t rows = rki_parameter_rows(parameter), width = rki_parameter_width(parameter);
    int64_t most = piece_rows(parameter);
    void *values, *block = NULL;
    RKI_TRY(rki_allocate(memory, most * width, sizeof(float), "a weight", &values));
    int32_t status = rki_allocate(
        memory, (int64_t)rki_format_bytes(parameter->format, most, width), 1, "a weight", &block);
    for (int64_t first = 0; status >= 0 && first < rows; first += most) {
        int64_t count = rows - first < most ? rows - first : most;
        rki_st_entry part = rki_st_entry_part(entry, first * width, count * width);
        status = rki_st_read_float32(&part, values);
        if (status >= 0)
            status = upload_piece(model->context->device, parameter, first, count, values, block);
    }
    rki_release(memory, block);
    rki_release(memory, values);
    return status;
}

static int32_t take_from_source(const rnnkit_model *model, rki_parameter *parameter)
{
    const rki_memory *memory = &model->context->memory;
    void *piece;
    if (parameter->format != RKI_PLAIN) return take_formatted(model, parameter);
    RKI_TRY(rki_piece_allocate(memory, &piece));
    int32_t status = rki_device_take(model->context->device, piece,
        rki_st_find(model->source, parameter->name), parameter->value);
    rki_release(memory, piece);
    return status;
}

/* Before any memory is taken for values. */
static int32_t check_source(const rnnkit_model *model, const rki_parameter *parameter)
{
    char shown[RKI_ST_SHOWN];
    const rki_st_entry *entry = rki_st_find(model->source, parameter->name);
    if (entry == NULL)
        return rki_fail(
            RNNKIT_E_FORMAT, "there is no tensor \"%s\"", rki_st_shown(parameter->name, shown));
    return rki_device_check_entry(entry, &parameter->shape);
}

static rki_format format_of(const rnnkit_model *model, rki_role role)
{
    rki_format products = rki_format_of_products(model->format);
    if (model->source == NULL || model->format == RKI_PLAIN) return RKI_PLAIN;
    switch (role) {
    case RKI_ROLE_WEIGHT: return products;
    case RKI_ROLE_FACTOR: return rki_format_packed(products) ? products : RKI_PACKED_BF16;
    case RKI_ROLE_TABLE: return model->format == RKI_PACKED ? RKI_PLAIN : model->format;
    default: return RKI_PLAIN;
    }
}

static int32_t fill_parameter(
    rnnkit_model *model, const rki_parameter_wish *wish, rki_parameter *parameter)
{
    const rnnkit_context *context = model->context;
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_shape_make(wish->dims, wish->rank, &parameter->shape));
    RKI_TRY(join_name(&context->memory, wish, &parameter->name));
    if (rki_model_parameter(model, parameter->name) != NULL)
        return rki_fail(RNNKIT_E_ARGUMENT, "the model has a parameter \"%s\" already",
            rki_st_shown(parameter->name, shown));
    if (model->source != NULL) RKI_TRY(check_source(model, parameter));
    parameter->format = format_of(model, wish->role);
    RKI_TRY(rki_parameter_allocate(context->device, parameter));
    if (model->source != NULL) return take_from_source(model, parameter);
    return rki_parameter_draw(
        context->device, &context->memory, parameter, context->seed, wish->initial, wish->scale);
}

int32_t rki_model_share_table(rnnkit_model *model, rki_parameter *parameter)
{
    const rki_device *device = model->context->device;
    rki_parameter plain = *parameter;
    parameter->format = format_of(model, RKI_ROLE_WEIGHT);
    if (parameter->format == plain.format) return RNNKIT_OK;
    int32_t status = rki_parameter_allocate(device, parameter);
    if (status < 0) {
        *parameter = plain;
        return status;
    }
    rki_device_release(device, plain.value);
    return take_from_source(model, parameter);
}

int32_t rki_model_add_parameter(
    rnnkit_model *model, const rki_parameter_wish *wish, rki_parameter **out)
{
    const rki_memory *memory = &model->context->memory;
    void *list = model->parameters, *block;
    RKI_TRY(rki_grow(memory, &list, &model->parameter_capacity, model->parameter_count,
        model->parameter_count + 1, sizeof *model->parameters, "a model's parameters"));
    model->parameters = list;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rki_parameter), "a parameter", &block));
    rki_parameter *parameter = block;
    parameter->index = (uint32_t)model->parameter_count;
    parameter->by_rows = wish->by_rows;
    int32_t status = fill_parameter(model, wish, parameter);
    if (status < 0) {
        rki_parameter_release(model->context->device, memory, parameter);
        return status;
    }
    model->parameters[model->parameter_count++] = parameter;
    *out = parameter;
    return RNNKIT_OK;
}

void rki_model_drop_parameters(rnnkit_model *model, int64_t count)
{
    while (model->parameter_count > count)
        rki_parameter_release(model->context->device, &model->context->memory,
            model->parameters[--model->parameter_count]);
}

/* The public side. */

static int32_t find(const rnnkit_model *model, const char *name, rki_parameter **out)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_check_pointer(name, "name"));
    *out = rki_model_parameter(model, name);
    if (*out != NULL) return RNNKIT_OK;
    return rki_fail(
        RNNKIT_E_NOT_FOUND, "the model has no parameter \"%s\"", rki_st_shown(name, shown));
}

static int32_t find_with_room(const rnnkit_model *model, const char *name, const float *values,
    int64_t count, rki_parameter **out)
{
    char text[RKI_SHAPE_TEXT];
    RKI_TRY(find(model, name, out));
    RKI_TRY(rki_check_pointer(values, "values"));
    if (count == rki_shape_count(&(*out)->shape)) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "values holds %lld numbers, parameter \"%s\" has shape %s",
        (long long)count, (*out)->name, rki_shape_text(&(*out)->shape, text));
}

int32_t rnnkit_model_size(const rnnkit_model *model, int64_t *parameters, int64_t *values)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    int64_t sum = 0;
    for (int64_t i = 0; i < model->parameter_count; i++)
        sum += rki_shape_count(&model->parameters[i]->shape);
    if (parameters != NULL) *parameters = model->parameter_count;
    if (values != NULL) *values = sum;
    return RNNKIT_OK;
}

const char *rnnkit_model_parameter_name(const rnnkit_model *model, int64_t index)
{
    if (rki_check(model, RKI_KIND_MODEL, "model") < 0) return NULL;
    return index >= 0 && index < model->parameter_count ? model->parameters[index]->name : NULL;
}

static int32_t give_shape(
    const rnnkit_model *model, const char *name, int64_t *dims, int64_t capacity, int64_t *rank)
{
    rki_parameter *parameter;
    RKI_TRY(rki_check_pointer(dims, "dims"));
    RKI_TRY(rki_check_pointer(rank, "rank"));
    RKI_TRY(find(model, name, &parameter));
    *rank = parameter->shape.rank;
    if (capacity < parameter->shape.rank)
        return rki_fail(RNNKIT_E_TOO_SMALL, "dims holds %lld sizes, %lld are needed",
            (long long)capacity, (long long)parameter->shape.rank);
    for (int64_t i = 0; i < parameter->shape.rank; i++)
        dims[i] = parameter->shape.dims[i];
    return RNNKIT_OK;
}

int32_t rnnkit_model_parameter_shape(
    const rnnkit_model *model, const char *name, int64_t *dims, int64_t capacity, int64_t *rank)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, give_shape(model, name, dims, capacity, rank));
}

static int32_t read_values(
    const rnnkit_model *model, const char *name, float *values, int64_t count)
{
    rki_parameter *parameter;
    RKI_TRY(find_with_room(model, name, values, count, &parameter));
    return rki_parameter_read(model->context->device, &model->context->memory, parameter, values);
}

int32_t rnnkit_model_parameter_read(
    const rnnkit_model *model, const char *name, float *values, int64_t count)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, read_values(model, name, values, count));
}

static int32_t write_values(
    rnnkit_model *model, const char *name, const float *values, int64_t count)
{
    rki_parameter *parameter;
    RKI_TRY(find_with_room(model, name, values, count, &parameter));
    RKI_TRY(rki_parameter_check_plain(parameter));
    return rki_device_write(
        model->context->device, &model->context->memory, parameter->value, values, count);
}

int32_t rnnkit_model_parameter_write(
    rnnkit_model *model, const char *name, const float *values, int64_t count)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, write_values(model, name, values, count));
}

static int32_t read_gradient(
    const rnnkit_model *model, const char *name, float *values, int64_t count)
{
    rki_parameter *parameter;
    RKI_TRY(find_with_room(model, name, values, count, &parameter));
    if (parameter->gradient == NULL) {
        memset(values, 0, (size_t)count * sizeof *values);
        return RNNKIT_OK;
    }
    return rki_device_read(
        model->context->device, &model->context->memory, parameter->gradient, values, count);
}

int32_t rnnkit_model_gradient_read(
    const rnnkit_model *model, const char *name, float *values, int64_t count)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, read_gradient(model, name, values, count));
}

static int32_t clear_gradients(rnnkit_model *model)
{
    for (int64_t i = 0; i < model->parameter_count; i++)
        RKI_TRY(rki_parameter_clear(model->context->device, model->parameters[i]));
    return RNNKIT_OK;
}

int32_t rnnkit_model_clear_gradients(rnnkit_model *model)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, clear_gradients(model));
}
