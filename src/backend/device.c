/* Memory on a device, and values to and from it. See device.h. */
#include "backend/device.h"

int32_t rki_device_allocate(const rki_device *device, int64_t count, void **out)
{
    return device->ops->allocate(device->self, rki_device_bytes(device, count), out);
}

void rki_device_release(const rki_device *device, void *block)
{
    if (block != NULL) device->ops->release(device->self, block);
}

static int32_t source_allocate(void *user, size_t bytes, void **out)
{
    const rki_device *device = user;
    return device->ops->allocate(device->self, bytes, out);
}

static void source_release(void *user, void *block)
{
    rki_device_release(user, block);
}

int32_t rki_device_write_number(const rki_device *device, void *target, double value)
{
    float narrow = (float)value;
    if (device->dtype == RKI_FLOAT64)
        return device->ops->upload(device->self, target, &value, sizeof value);
    return device->ops->upload(device->self, target, &narrow, sizeof narrow);
}

int32_t rki_device_read_number(const rki_device *device, const void *source, double *value)
{
    float narrow;
    if (device->dtype == RKI_FLOAT64)
        return device->ops->download(device->self, value, source, sizeof *value);
    RKI_TRY(device->ops->download(device->self, &narrow, source, sizeof narrow));
    *value = (double)narrow;
    return RNNKIT_OK;
}

rki_arena_source rki_device_source(const rki_device *device)
{
    /* The functions above only read through the pointer. */
    return (rki_arena_source){source_allocate, source_release, (void *)(uintptr_t)device};
}

static int32_t double_buffer(const rki_memory *memory, int64_t count, double **out)
{
    void *block;
    RKI_TRY(rki_allocate(memory, count, sizeof(double), "a conversion to float64", &block));
    *out = block;
    return RNNKIT_OK;
}

int32_t rki_device_write(const rki_device *device, const rki_memory *memory, void *target,
    const float *values, int64_t count)
{
    size_t bytes = rki_device_bytes(device, count);
    if (device->dtype == RKI_FLOAT32)
        return device->ops->upload(device->self, target, values, bytes);
    double *wide;
    RKI_TRY(double_buffer(memory, count, &wide));
    for (int64_t i = 0; i < count; i++)
        wide[i] = values[i];
    int32_t status = device->ops->upload(device->self, target, wide, bytes);
    rki_release(memory, wide);
    return status;
}

int32_t rki_device_read(const rki_device *device, const rki_memory *memory, const void *source,
    float *values, int64_t count)
{
    size_t bytes = rki_device_bytes(device, count);
    if (device->dtype == RKI_FLOAT32)
        return device->ops->download(device->self, values, source, bytes);
    double *wide;
    RKI_TRY(double_buffer(memory, count, &wide));
    int32_t status = device->ops->download(device->self, wide, source, bytes);
    for (int64_t i = 0; i < count && status >= 0; i++)
        values[i] = (float)wide[i];
    rki_release(memory, wide);
    return status;
}
