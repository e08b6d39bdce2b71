/* Dynamic shared memory: the block's, and launches that ask for it. */
#ifndef RKI_CUDA_SHARED_CUH
#define RKI_CUDA_SHARED_CUH

#include "device.cuh"

#ifdef RKI_CUDA_SHIM /* tests/cuda/shim */
static inline float4 *rki_cuda_shared()
{
    return shim_shared();
}
#else
extern __shared__ float4 rki_cuda_shared_memory[];
static __device__ inline float4 *rki_cuda_shared()
{
    return rki_cuda_shared_memory;
}
#endif

/* Queues a kernel with `shared` bytes; together: all blocks run at the same time, or it fails. */
template <typename Call>
int32_t rki_cuda_launch_shared(rki_cuda *device, const char *what, unsigned blocks,
    unsigned threads, size_t shared, int together, void (*kernel)(Call), const Call &call)
{
    RKI_TRY(rki_cuda_check(device,
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared),
        what));
    cudaLaunchAttribute cooperative = {};
    cooperative.id = cudaLaunchAttributeCooperative;
    cooperative.val.cooperative = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = blocks;
    config.blockDim = threads;
    config.dynamicSmemBytes = shared;
    config.stream = device->stream;
    config.attrs = &cooperative;
    config.numAttrs = together ? 1 : 0;
    return rki_cuda_check(device, cudaLaunchKernelEx(&config, kernel, call), what);
}

#endif
