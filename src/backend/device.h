/* Device: an opened backend, as the layers above see it. */
#ifndef RKI_BACKEND_DEVICE_H
#define RKI_BACKEND_DEVICE_H

#include "backend/backend.h"
#include "base/context.h"
#include "tensor/arena.h"

typedef struct rki_device {
    const rki_backend *ops;
    void *self;
    rki_dtype dtype;
    rki_host host;
    char name[32]; /* "cpu", "cuda:1" */
} rki_device;

/* Opens "auto", "cpu", "cuda:1", ... for a context whose memory, log, threads and isa are set. */
int32_t rki_device_open(
    rnnkit_context *context, const char *name, rki_dtype dtype, rki_precision precision);
void rki_device_close(rnnkit_context *context);

static inline size_t rki_device_bytes(const rki_device *device, int64_t count)
{
    return (size_t)count * rki_dtype_size(device->dtype);
}

/* Room for `count` elements; zeroed. The count was checked by rki_shape_make. */
int32_t rki_device_allocate(const rki_device *device, int64_t count, void **out);
void rki_device_release(const rki_device *device, void *block); /* NULL is fine */

/* float32 on the host to and from the device's own type. `memory` serves a device in float64. */
int32_t rki_device_write(const rki_device *device, const rki_memory *memory, void *target,
    const float *values, int64_t count);
int32_t rki_device_read(const rki_device *device, const rki_memory *memory, const void *source,
    float *values, int64_t count);

/* One number to and from the device, in full precision. */
int32_t rki_device_write_number(const rki_device *device, void *target, double value);
int32_t rki_device_read_number(const rki_device *device, const void *source, double *value);

/* Blocks of an arena from the device. */
rki_arena_source rki_device_source(const rki_device *device);

#endif
