/* Shim: as much of CUDA as the plug-in uses, on the CPU, for tests alone.
 *
 * Kernels are compiled as C++. A launch runs there and then: blocks one after the other, or all at
 * the same time when the launch is cooperative, and the threads of a block as coroutines that take
 * turns whenever one waits (barriers, shuffles, polling). __shared__ arrays are static, so only one
 * block of a kernel that has some may be alive at a time; cooperative kernels, and those whose
 * blocks form clusters, use dynamic shared memory. Streams run when they are told, so everything has
 * always been done already, but for what a stream that is captured is told: that goes into the graph.
 */
#ifndef SHIM_CUDA_RUNTIME_H
#define SHIM_CUDA_RUNTIME_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <functional>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(...)

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
    {
    }
};
extern dim3 threadIdx, blockIdx, blockDim, gridDim; /* of the coroutine that runs */

struct alignas(16) float4 {
    float x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w)
{
    float4 v = {x, y, z, w};
    return v;
}

void __syncthreads();
void __syncwarp();
void __nanosleep(unsigned nanoseconds);
float __shfl_xor_sync(unsigned mask, float value, int lanes);
float __shfl_sync(unsigned mask, float value, int lane);
unsigned __ballot_sync(unsigned mask, int vote);
static inline float __fdividef(float x, float y)
{
    return x / y;
}
float4 *shim_shared(); /* dynamic shared memory of the block */
/* Clusters: the block's rank, a barrier for all threads, an address of the block's dynamic shared
 * memory in that of block `rank`, and words that count bytes as mbarriers do (31 bits of bytes that
 * are expected but have not come, whether any were named, and the turn's parity). */
unsigned shim_cluster_rank();
void shim_cluster_sync();
void *shim_map_shared(void *at, unsigned rank);
void shim_mailbox_expect(uint64_t *word, unsigned bytes);
void shim_mailbox_count(uint64_t *word, unsigned bytes);
void shim_mailbox_wait(const uint64_t *word, unsigned parity);
template <typename T> static inline T __ldcg(const T *at)
{
    return *at;
}
static inline void __threadfence()
{
}
static inline unsigned atomicAdd(unsigned *at, unsigned value)
{
    unsigned before = *at;
    *at += value;
    return before;
}

static inline float atomicAdd(float *at, float value)
{
    float before = *at;
    *at += value;
    return before;
}
static inline float4 atomicAdd(float4 *at, float4 value)
{
    return make_float4(atomicAdd(&at->x, value.x), atomicAdd(&at->y, value.y),
        atomicAdd(&at->z, value.z), atomicAdd(&at->w, value.w));
}
static inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline int __popc(unsigned bits)
{
    return __builtin_popcount(bits);
}
static inline unsigned __umulhi(unsigned a, unsigned b)
{
    return (unsigned)((uint64_t)a * b >> 32);
}

typedef int cudaError_t;
enum {
    cudaSuccess,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorNotReady = 600
};
typedef struct shim_stream *cudaStream_t;
typedef struct shim_event *cudaEvent_t;
typedef struct shim_pool *cudaMemPool_t;
enum { cudaStreamNonBlocking, cudaEventDisableTiming, cudaHostRegisterDefault, cudaEnableDefault };
enum { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaMemAllocationTypePinned, cudaMemLocationTypeDevice, cudaMemPoolAttrReleaseThreshold };
enum cudaDeviceAttr {
    cudaDevAttrMemoryPoolsSupported,
    cudaDevAttrMultiProcessorCount,
    cudaDevAttrMaxSharedMemoryPerBlockOptin,
    cudaDevAttrComputeCapabilityMajor
};
enum { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum { cudaLaunchAttributeCooperative, cudaLaunchAttributeClusterDimension };
struct cudaMemPoolProps {
    int allocType;
    struct {
        int type, id;
    } location;
};
struct cudaDeviceProp {
    char name[64];
    int major, minor;
};
struct cudaLaunchAttribute {
    int id;
    struct {
        int cooperative;
        dim3 clusterDim;
    } val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute *attrs;
    unsigned numAttrs;
};
struct cudaFuncAttributes {
    int ptxVersion;
};
typedef int cudaDriverEntryPointQueryResult;

cudaError_t shim_run(const cudaLaunchConfig_t *config, const std::function<void()> &thread);

typedef struct shim_graph *cudaGraph_t;
typedef struct shim_graph *cudaGraphExec_t;
enum { cudaStreamCaptureModeRelaxed };
/* Does the work, or keeps it when the stream is captured. */
cudaError_t shim_do(cudaStream_t stream, const std::function<cudaError_t()> &work);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned);
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph);

template <typename... Formal, typename... Actual>
cudaError_t cudaLaunchKernelEx(
    const cudaLaunchConfig_t *config, void (*kernel)(Formal...), Actual... actual)
{
    return shim_run(config, [=]() { kernel(actual...); });
}
template <typename Kernel> cudaError_t cudaFuncSetAttribute(Kernel *, int, int)
{
    return cudaSuccess;
}

template <typename Kernel> cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *about, Kernel *)
{
    about->ptxVersion = 90;
    return cudaSuccess;
}
int shim_clusters();
template <typename Kernel>
cudaError_t cudaOccupancyMaxActiveClusters(int *room, Kernel *, const cudaLaunchConfig_t *)
{
    *room = shim_clusters();
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes);
template <typename T> cudaError_t cudaMalloc(T **out, size_t bytes)
{
    return cudaMalloc(reinterpret_cast<void **>(out), bytes);
}
cudaError_t cudaFree(void *block);
cudaError_t cudaMallocFromPoolAsync(void **out, size_t bytes, cudaMemPool_t, cudaStream_t);
cudaError_t cudaFreeAsync(void *block, cudaStream_t);
cudaError_t cudaMemsetAsync(void *block, int value, size_t bytes, cudaStream_t);
cudaError_t cudaMemset2DAsync(
    void *block, size_t pitch, int value, size_t width, size_t height, cudaStream_t);
cudaError_t cudaMemcpyAsync(void *target, const void *source, size_t bytes, int, cudaStream_t);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *about, int index);
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int index);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaGetDriverEntryPointByVersion(
    const char *name, void **out, unsigned, int, cudaDriverEntryPointQueryResult *);

static inline cudaError_t cudaGetLastError()
{
    return cudaSuccess;
}
static inline const char *cudaGetErrorString(cudaError_t)
{
    return "a failure of the shim";
}
static inline const char *cudaGetErrorName(cudaError_t)
{
    return "shim";
}
static inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, int)
{
    *out = reinterpret_cast<cudaStream_t>(out);
    return cudaSuccess;
}
static inline cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaStreamQuery(cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaStreamDestroy(cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, int)
{
    *out = reinterpret_cast<cudaEvent_t>(out);
    return cudaSuccess;
}
static inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventSynchronize(cudaEvent_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned)
{
    return cudaSuccess;
}
static inline cudaError_t cudaEventDestroy(cudaEvent_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaHostRegister(void *, size_t, int)
{
    return cudaSuccess;
}
static inline cudaError_t cudaHostUnregister(void *)
{
    return cudaSuccess;
}
static inline cudaError_t cudaMemPoolCreate(cudaMemPool_t *out, const cudaMemPoolProps *)
{
    *out = reinterpret_cast<cudaMemPool_t>(out);
    return cudaSuccess;
}
static inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, int, void *)
{
    return cudaSuccess;
}
static inline cudaError_t cudaMemPoolDestroy(cudaMemPool_t)
{
    return cudaSuccess;
}
static inline cudaError_t cudaInitDevice(int, unsigned, unsigned)
{
    return cudaSuccess;
}

#endif
