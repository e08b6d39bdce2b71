/* The reference device's memory: the host's own. */
#include "reference/reference.h"

#include <string.h>

/* Device memory starts at a 64-byte boundary at least (backend.h). */
enum { ALIGNMENT = 64 };

int32_t rki_reference_open(const rki_host *host, const rki_open *call, void **self)
{
    if (call->index != 0)
        return host->fail(
            RNNKIT_E_BACKEND, "reference:%d: there is only reference:0", (int)call->index);
    if (call->dtype != RKI_FLOAT32 && call->dtype != RKI_FLOAT64)
        return host->fail(RNNKIT_E_BACKEND,
            "reference: element type %d, expected 0 (float32) or 1 (float64)", (int)call->dtype);
    if (call->precision != RKI_PRECISION_FULL)
        return host->fail(RNNKIT_E_BACKEND,
            "device reference has precision=full alone; tf32 and bf16 are for device cuda");
    rki_reference *device = host->allocate(sizeof *device, ALIGNMENT, host->user);
    if (!device) return host->fail(RNNKIT_E_MEMORY, "reference: no memory for the device");
    device->host = *host;
    device->dtype = call->dtype;
    *self = device;
    return RNNKIT_OK;
}

void rki_reference_close(void *self)
{
    rki_reference *device = self;
    rki_host host = device->host;
    host.release(device, host.user);
}

int32_t rki_reference_allocate(void *self, size_t bytes, void **out)
{
    rki_reference *device = self;
    size_t size = bytes ? bytes : 1;
    void *block = device->host.allocate(size, ALIGNMENT, device->host.user);
    if (!block)
        return device->host.fail(
            RNNKIT_E_MEMORY, "reference: no memory for an array of %zu bytes", bytes);
    memset(block, 0, size);
    *out = block;
    return RNNKIT_OK;
}

void rki_reference_release(void *self, void *block)
{
    rki_reference *device = self;
    if (block) device->host.release(block, device->host.user);
}

int32_t rki_reference_upload(void *self, void *device, const void *host, size_t bytes)
{
    return rki_reference_copy(self, device, host, bytes);
}

int32_t rki_reference_download(void *self, void *host, const void *device, size_t bytes)
{
    return rki_reference_copy(self, host, device, bytes);
}

int32_t rki_reference_copy(void *self, void *target, const void *source, size_t bytes)
{
    (void)self;
    if (bytes > 0) memcpy(target, source, bytes);
    return RNNKIT_OK;
}

int32_t rki_reference_zero(void *self, void *block, size_t bytes)
{
    (void)self;
    if (bytes > 0) memset(block, 0, bytes);
    return RNNKIT_OK;
}

int32_t rki_reference_synchronize(void *self)
{
    (void)self;
    return RNNKIT_OK;
}
