/* Device memory, and bytes to and from it. */
#include <string.h>

#include "device.cuh"
#include "operations.cuh"

/* What fits into a slot as it is at first goes through it and is not waited for. */
enum { SMALL = 64 << 10 };

int32_t rki_cuda_allocate(void *self, size_t bytes, void **out)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    size_t size = bytes > 0 ? bytes : 1;
    void *block = NULL;
    cudaError_t error = device->pool != NULL
                            ? cudaMallocFromPoolAsync(&block, size, device->pool, device->stream)
                            : cudaMalloc(&block, size);
    if (error == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return device->host.fail(RNNKIT_E_MEMORY,
            "cuda:%d: no device memory for an array of %zu bytes", device->index, bytes);
    }
    RKI_TRY(rki_cuda_check(device, error, "allocating"));
    int32_t status = rki_cuda_check(
        device, cudaMemsetAsync(block, 0, size, device->stream), "clearing new memory");
    if (status < 0) {
        rki_cuda_release(self, block);
        return status;
    }
    *out = block;
    return RNNKIT_OK;
}

/* In the stream's order: work that was queued before still has the memory. */
void rki_cuda_release(void *self, void *block)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    if (block == NULL || scope.status < 0) return;
    if (device->pool != NULL)
        cudaFreeAsync(block, device->stream);
    else
        cudaFree(block);
}

int32_t rki_cuda_upload(void *self, void *target, const void *source, size_t bytes)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    if (bytes == 0) return RNNKIT_OK;
    if (bytes > SMALL) /* CUDA has taken the bytes out of pageable memory when this returns */
        return rki_cuda_check(device,
            cudaMemcpyAsync(target, source, bytes, cudaMemcpyHostToDevice, device->stream),
            "copying to the device");
    rki_cuda_staging staging(device);
    int part = staging.add(source, bytes);
    RKI_TRY(staging.commit());
    return rki_cuda_check(device,
        cudaMemcpyAsync(
            target, staging.at<char>(part), bytes, cudaMemcpyDeviceToDevice, device->stream),
        "copying to the device");
}

int32_t rki_cuda_download(void *self, void *target, const void *source, size_t bytes)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    if (bytes == 0) return RNNKIT_OK;
    RKI_TRY(rki_cuda_check(device,
        cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToHost, device->stream),
        "copying from the device"));
    return rki_cuda_check(device, cudaStreamSynchronize(device->stream), "waiting for the device");
}

int32_t rki_cuda_copy(void *self, void *target, const void *source, size_t bytes)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_check(device,
        cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToDevice, device->stream),
        "copying on the device");
}

int32_t rki_cuda_zero(void *self, void *block, size_t bytes)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_check(
        device, cudaMemsetAsync(block, 0, bytes, device->stream), "clearing memory");
}

int32_t rki_cuda_synchronize(void *self)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    return rki_cuda_check(device, cudaStreamSynchronize(device->stream), "waiting for the device");
}
