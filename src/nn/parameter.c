/* Parameters: life, first values, gradients. See parameter.h. */
#include "nn/parameter.h"

#include <math.h>
#include <string.h>

int64_t rki_parameter_rows(const rki_parameter *parameter)
{
    return parameter->shape.rank > 1 ? parameter->shape.dims[0] : 1;
}

int64_t rki_parameter_width(const rki_parameter *parameter)
{
    return rki_shape_count(&parameter->shape) / rki_parameter_rows(parameter);
}

/* Formats. */

const char *rki_format_name(rki_format format)
{
    static const char *const names[] = {"f32", "bf16", "int8", "packed", "bf16"};
    return names[format];
}

int32_t rki_parameter_allocate(const rki_device *device, rki_parameter *parameter)
{
    size_t bytes = rki_device_bytes(device, rki_shape_count(&parameter->shape));
    if (parameter->format != RKI_PLAIN)
        bytes = rki_format_bytes(
            parameter->format, rki_parameter_rows(parameter), rki_parameter_width(parameter));
    return device->ops->allocate(device->self, bytes, &parameter->value);
}

int32_t rki_parameter_read(const rki_device *device, const rki_memory *memory,
    const rki_parameter *parameter, float *values)
{
    int64_t rows = rki_parameter_rows(parameter), width = rki_parameter_width(parameter);
    size_t bytes;
    void *block;
    if (parameter->format == RKI_PLAIN)
        return rki_device_read(device, memory, parameter->value, values, rows * width);
    bytes = rki_format_bytes(parameter->format, rows, width);
    RKI_TRY(rki_allocate(memory, (int64_t)bytes, 1, "a parameter", &block));
    int32_t status = device->ops->download(device->self, block, parameter->value, bytes);
    for (int64_t row = 0; status >= 0 && row < rows; row++)
        rki_format_unpack(parameter->format, rows, width, row, block, values + row * width);
    rki_release(memory, block);
    return status;
}

int32_t rki_parameter_check_plain(const rki_parameter *parameter)
{
    if (parameter->format == RKI_PLAIN) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER,
        "parameter \"%s\" can no longer be changed, since the model was opened with weights=%s",
        parameter->name, rki_format_name(parameter->format));
}

/* First values. A block of four numbers takes one draw, so that value i depends on i alone. */

static double unit(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32; /* in (0, 1) */
}

static void draw_uniform(const uint32_t words[4], double scale, float out[4])
{
    for (int k = 0; k < 4; k++)
        out[k] = (float)(scale * (2 * unit(words[k]) - 1));
}

/* Box and Muller, A Note on the Generation of Random Normal Deviates (1958). */
static void draw_normal(const uint32_t words[4], double scale, float out[4])
{
    for (int k = 0; k < 4; k += 2) {
        double radius = scale * sqrt(-2 * log(unit(words[k])));
        double angle = 2 * 3.14159265358979323846 * unit(words[k + 1]);
        out[k] = (float)(radius * cos(angle));
        out[k + 1] = (float)(radius * sin(angle));
    }
}

void rki_initial_values(rki_random random, uint64_t step, rki_initial initial, double scale,
    int64_t count, float *values)
{
    for (int64_t i = 0; i < count; i += 4) {
        uint32_t words[4];
        rki_random_draw(random, step, (uint64_t)i / 4, words);
        if (initial == RKI_INITIAL_UNIFORM)
            draw_uniform(words, scale, values + i);
        else
            draw_normal(words, scale, values + i);
    }
}

int32_t rki_parameter_draw(const rki_device *device, const rki_memory *memory,
    rki_parameter *parameter, int64_t seed, rki_initial initial, double scale)
{
    if (initial == RKI_INITIAL_ZERO) return RNNKIT_OK; /* memory of the device comes zeroed */
    int64_t count = rki_shape_count(&parameter->shape);
    rki_random random = {(uint64_t)seed, RKI_PURPOSE_INITIAL, parameter->index};
    void *block;
    RKI_TRY(rki_allocate(memory, count + 3, sizeof(float), "initial values", &block));
    if (initial == RKI_INITIAL_CONSTANT)
        for (int64_t i = 0; i < count; i++)
            ((float *)block)[i] = (float)scale;
    else
        rki_initial_values(random, 0, initial, scale, count, block);
    int32_t status = rki_device_write(device, memory, parameter->value, block, count);
    rki_release(memory, block);
    return status;
}

/* Gradients. */

static int32_t allocate_touched(const rki_memory *memory, rki_parameter *parameter)
{
    int64_t rows = rki_parameter_rows(parameter);
    void *list, *seen;
    RKI_TRY(rki_allocate(memory, rows, sizeof(int32_t), "the list of touched rows", &list));
    int32_t status = rki_allocate(memory, rows, 1, "the set of touched rows", &seen);
    if (status < 0) {
        rki_release(memory, list);
        return status;
    }
    parameter->touched.rows = list;
    parameter->touched.seen = seen;
    return RNNKIT_OK;
}

int32_t rki_parameter_gradient(
    const rki_device *device, const rki_memory *memory, rki_parameter *parameter, void **out)
{
    if (parameter->by_rows && parameter->touched.rows == NULL)
        RKI_TRY(allocate_touched(memory, parameter));
    if (parameter->gradient == NULL)
        RKI_TRY(
            rki_device_allocate(device, rki_shape_count(&parameter->shape), &parameter->gradient));
    *out = parameter->gradient;
    return RNNKIT_OK;
}

void rki_parameter_touch_everything(rki_parameter *parameter)
{
    parameter->touched.everything = 1;
}

void rki_parameter_touch_rows(rki_parameter *parameter, const int32_t *rows, int64_t count)
{
    rki_touched *touched = &parameter->touched;
    if (!parameter->by_rows) {
        rki_parameter_touch_everything(parameter);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        if (touched->seen[rows[i]]) continue;
        touched->seen[rows[i]] = 1;
        touched->rows[touched->count++] = rows[i];
    }
}

const int32_t *rki_parameter_touched(const rki_parameter *parameter, int64_t *count)
{
    const rki_touched *touched = &parameter->touched;
    *count = touched->everything ? rki_parameter_rows(parameter) : touched->count;
    return touched->everything ? NULL : touched->rows;
}

void rki_parameter_untouch(rki_parameter *parameter)
{
    rki_touched *touched = &parameter->touched;
    for (int64_t i = 0; i < touched->count; i++)
        touched->seen[touched->rows[i]] = 0;
    touched->count = 0;
    touched->everything = 0;
}

int32_t rki_parameter_clear(const rki_device *device, rki_parameter *parameter)
{
    int64_t count;
    const int32_t *rows = rki_parameter_touched(parameter, &count);
    size_t bytes = rki_device_bytes(device, rki_parameter_width(parameter));
    if (rows == NULL && count > 0)
        RKI_TRY(device->ops->zero(device->self, parameter->gradient, (size_t)count * bytes));
    for (int64_t i = 0; rows != NULL && i < count; i++)
        RKI_TRY(device->ops->zero(
            device->self, (char *)parameter->gradient + (size_t)rows[i] * bytes, bytes));
    rki_parameter_untouch(parameter);
    return RNNKIT_OK;
}

void rki_parameter_release(
    const rki_device *device, const rki_memory *memory, rki_parameter *parameter)
{
    if (parameter == NULL) return;
    rki_device_release(device, parameter->value);
    rki_device_release(device, parameter->gradient);
    rki_release(memory, parameter->touched.rows);
    rki_release(memory, parameter->touched.seen);
    rki_release(memory, parameter->name);
    rki_release(memory, parameter);
}
