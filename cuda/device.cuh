/* The CUDA device: one stream and one pool of memory for each context that the library opens.
 *
 * Work is queued and the host goes on; it waits only where a result goes to host memory. All of a
 * context's work stands in one stream, so what several threads queue runs in the order in which
 * they queued it. The calling thread's current CUDA context is pushed and popped around every
 * operation: a host program that uses CUDA itself finds its own as it was.
 *
 * No failure of CUDA or cuBLAS goes further than a status. One after which the device refuses all
 * further work ("sticky") marks the context lost: every later operation fails at once.
 */
#ifndef RKI_CUDA_DEVICE_CUH
#define RKI_CUDA_DEVICE_CUH

#include <cuda.h>
#include <cuda_runtime.h>
#include <pthread.h>

#include "backend/backend.h"
#include "bias.cuh"
#include "blas.cuh"
#include "graph.cuh"
#include "slot.cuh"

struct rki_cuda {
    rki_host host;
    int index;
    rki_precision precision;
    int multiprocessors;
    size_t shared_memory; /* that a block may ask for */
    int cluster_room[9];  /* [n]: how many clusters of n blocks run at a time (cluster.cuh) */
    int lost;             /* read and written atomically */
    CUdevice number;
    CUcontext context; /* the device's primary one */
    cudaStream_t stream;
    cudaMemPool_t pool; /* NULL on a device without: then memory comes from cudaMalloc */
    rki_cuda_blas blas;
    rki_cuda_slots slots, texts;
    rki_cuda_graphs graphs;
    rki_cuda_biases biases;
};

/* The device's context is current from here to the end of the block, if status is 0. */
class rki_cuda_scope
{
  public:
    explicit rki_cuda_scope(rki_cuda *device);
    ~rki_cuda_scope();
    rki_cuda_scope(const rki_cuda_scope &) = delete;
    rki_cuda_scope &operator=(const rki_cuda_scope &) = delete;
    int32_t status;
};

/* 0, or the failure of `what` as a status with its message. */
int32_t rki_cuda_check(rki_cuda *device, cudaError_t error, const char *what);
int32_t rki_cuda_check_blas(rki_cuda *device, cublasStatus_t error, const char *what);

/* Queues a kernel; `what` names it in the message of a failure. */
template <typename... Formal, typename... Actual>
int32_t rki_cuda_launch(rki_cuda *device, const char *what, dim3 grid, dim3 block,
    void (*kernel)(Formal...), Actual... actual)
{
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.stream = device->stream;
    return rki_cuda_check(
        device, cudaLaunchKernelEx(&config, kernel, static_cast<Formal>(actual)...), what);
}

/* Blocks of `size` threads for `count` elements, as many as are of use; kernels step over the rest
 * (grid-stride loops), so that any count will do. */
static inline unsigned rki_cuda_blocks(int64_t count, int64_t size)
{
    int64_t most = 1 << 16, blocks = (count + size - 1) / size;
    return static_cast<unsigned>(blocks < most ? blocks : most);
}

/* device.cu: what the table says of open, close, probe and describe. */
int rki_cuda_probe(char *reason, size_t capacity);
void rki_cuda_describe(char *text, size_t capacity);
int32_t rki_cuda_open(const rki_host *host, const rki_open *call, void **self);
void rki_cuda_close(void *self);

#endif
