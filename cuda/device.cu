/* Finding, opening and closing a CUDA device, and what its failures become. See device.cuh. */
#include "device.cuh"

#include <stdio.h>
#include <string.h>

#include "reason.h"

/* RKI_CUDA_BUILT: the architectures that CMake built for. */

/* The driver's own calls, asked for at run time: the plug-in must load without a driver. */
struct driver {
    CUresult (*device_get)(CUdevice *, int);
    CUresult (*retain)(CUcontext *, CUdevice);
    CUresult (*release)(CUdevice);
    CUresult (*push)(CUcontext);
    CUresult (*pop)(CUcontext *);
};

static driver calls;
static int calls_found;
static pthread_once_t once = PTHREAD_ONCE_INIT;

template <typename Function> static int find(const char *name, Function *function)
{
    void *symbol = NULL;
    cudaDriverEntryPointQueryResult result;
    cudaError_t error =
        cudaGetDriverEntryPointByVersion(name, &symbol, 12000, cudaEnableDefault, &result);
    memcpy(function, &symbol, sizeof symbol);
    return error == cudaSuccess && symbol != NULL;
}

static void find_calls()
{
    calls_found = find("cuDeviceGet", &calls.device_get) &&
                  find("cuDevicePrimaryCtxRetain", &calls.retain) &&
                  find("cuDevicePrimaryCtxRelease", &calls.release) &&
                  find("cuCtxPushCurrent", &calls.push) && find("cuCtxPopCurrent", &calls.pop);
}

rki_cuda_scope::rki_cuda_scope(rki_cuda *device) : status(RNNKIT_OK)
{
    if (__atomic_load_n(&device->lost, __ATOMIC_RELAXED))
        status = device->host.fail(RNNKIT_E_DEVICE,
            "cuda:%d failed earlier; its context is of no more use", device->index);
    else if (calls.push(device->context) != CUDA_SUCCESS)
        status = device->host.fail(
            RNNKIT_E_DEVICE, "cuda:%d: its context cannot be entered", device->index);
}

rki_cuda_scope::~rki_cuda_scope()
{
    CUcontext popped;
    if (status >= 0) calls.pop(&popped);
}

/* After a failure that is not sticky the stream goes on answering. */
static void see_whether_lost(rki_cuda *device)
{
    if (device->stream == NULL) return;
    cudaError_t now = cudaStreamQuery(device->stream);
    if (now != cudaSuccess && now != cudaErrorNotReady)
        __atomic_store_n(&device->lost, 1, __ATOMIC_RELAXED);
    cudaGetLastError();
}

int32_t rki_cuda_check(rki_cuda *device, cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return RNNKIT_OK;
    cudaGetLastError(); /* it is reported here, and is not to turn up again */
    if (error == cudaErrorMemoryAllocation)
        return device->host.fail(
            RNNKIT_E_MEMORY, "cuda:%d: %s: no device memory left", device->index, what);
    see_whether_lost(device);
    return device->host.fail(RNNKIT_E_DEVICE, "cuda:%d: %s: %s (%s)", device->index, what,
        cudaGetErrorString(error), cudaGetErrorName(error));
}

int32_t rki_cuda_check_blas(rki_cuda *device, cublasStatus_t error, const char *what)
{
    if (error == CUBLAS_STATUS_SUCCESS) return RNNKIT_OK;
    cudaGetLastError();
    if (error == CUBLAS_STATUS_ALLOC_FAILED)
        return device->host.fail(
            RNNKIT_E_MEMORY, "cuda:%d: %s: no device memory left", device->index, what);
    see_whether_lost(device);
    return device->host.fail(
        RNNKIT_E_DEVICE, "cuda:%d: %s: %s", device->index, what, rki_cuda_blas_message(error));
}

static rki_cuda_facts gather_facts()
{
    rki_cuda_facts facts = {};
    cudaRuntimeGetVersion(&facts.runtime);
    cudaDriverGetVersion(&facts.driver);
    cudaError_t error = cudaGetDeviceCount(&facts.devices);
    facts.driver_too_old = error == cudaErrorInsufficientDriver;
    if (error == cudaErrorNoDevice)
        facts.devices = 0;
    else if (error != cudaSuccess)
        facts.error = cudaGetErrorString(error);
    cudaGetLastError();
    return facts;
}

/* 1 when the plug-in has code for the device; else 0 and why. */
static int can_use(int index, char *reason, size_t capacity)
{
    cudaDeviceProp about;
    cudaError_t error = cudaGetDeviceProperties(&about, index);
    if (error != cudaSuccess) {
        cudaGetLastError();
        snprintf(reason, capacity, "cuda:%d: %s", index, cudaGetErrorString(error));
        return 0;
    }
    rki_cuda_model model = {index, about.major * 10 + about.minor, about.name};
    return rki_cuda_explain_device(&model, RKI_CUDA_BUILT, reason, capacity);
}

int rki_cuda_probe(char *reason, size_t capacity)
{
    rki_cuda_facts facts = gather_facts();
    if (!rki_cuda_explain_machine(&facts, reason, capacity)) return 0;
    int usable = 0;
    for (int i = 0; i < facts.devices && !usable; i++)
        usable = can_use(i, reason, capacity);
    return usable && rki_cuda_blas_load(reason, capacity);
}

void rki_cuda_describe(char *text, size_t capacity)
{
    rki_cuda_facts facts = gather_facts();
    char library[64];
    rki_cuda_blas_describe(library, sizeof library);
    int used = snprintf(text, capacity, "%s, driver for CUDA %d.%d", library, facts.driver / 1000,
        facts.driver % 1000 / 10);
    for (int i = 0; i < facts.devices && used >= 0 && (size_t)used < capacity; i++) {
        cudaDeviceProp about;
        if (cudaGetDeviceProperties(&about, i) != cudaSuccess) continue;
        used += snprintf(text + used, capacity - (size_t)used, "; cuda:%d %s, capability %d.%d", i,
            about.name, about.major, about.minor);
    }
}

/* The memory that was released stays in the pool, for the next time. */
static int32_t open_pool(rki_cuda *device)
{
    int has_pools = 0;
    RKI_TRY(rki_cuda_check(device,
        cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, device->index),
        "asking for memory pools"));
    if (!has_pools) return RNNKIT_OK;
    cudaMemPoolProps wish = {};
    wish.allocType = cudaMemAllocationTypePinned;
    wish.location.type = cudaMemLocationTypeDevice;
    wish.location.id = device->index;
    RKI_TRY(
        rki_cuda_check(device, cudaMemPoolCreate(&device->pool, &wish), "creating a memory pool"));
    uint64_t keep = UINT64_MAX;
    return rki_cuda_check(device,
        cudaMemPoolSetAttribute(device->pool, cudaMemPoolAttrReleaseThreshold, &keep),
        "setting up a memory pool");
}

static int32_t ask_sizes(rki_cuda *device)
{
    int shared = 0;
    RKI_TRY(rki_cuda_check(device,
        cudaDeviceGetAttribute(
            &device->multiprocessors, cudaDevAttrMultiProcessorCount, device->index),
        "asking for multiprocessors"));
    RKI_TRY(rki_cuda_check(device,
        cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device->index),
        "asking for shared memory"));
    device->shared_memory = (size_t)shared;
    return RNNKIT_OK;
}

static int32_t open_parts(rki_cuda *device)
{
    rki_cuda_graphs_open(device);
    rki_cuda_biases_open(device);
    RKI_TRY(ask_sizes(device));
    RKI_TRY(rki_cuda_check(device,
        cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking), "creating a stream"));
    RKI_TRY(open_pool(device));
    RKI_TRY(rki_cuda_slots_open(device, &device->slots, RKI_CUDA_SLOTS, 0));
    RKI_TRY(rki_cuda_slots_open(device, &device->texts, RKI_CUDA_TEXTS, 1));
    return rki_cuda_blas_open(device);
}

static void close_parts(rki_cuda *device)
{
    if (device->stream != NULL) cudaStreamSynchronize(device->stream);
    rki_cuda_graphs_close(device);
    rki_cuda_biases_close(device);
    rki_cuda_blas_close(device);
    rki_cuda_slots_close(device, &device->texts);
    rki_cuda_slots_close(device, &device->slots);
    if (device->pool != NULL) cudaMemPoolDestroy(device->pool);
    if (device->stream != NULL) cudaStreamDestroy(device->stream);
    cudaGetLastError();
}

/* The primary context, which the runtime uses as well, without making it current for good. */
static int32_t open_context(rki_cuda *device)
{
    pthread_once(&once, find_calls);
    if (!calls_found)
        return device->host.fail(
            RNNKIT_E_BACKEND, "cuda:%d: the driver lacks calls of CUDA 12", device->index);
    RKI_TRY(rki_cuda_check(device, cudaInitDevice(device->index, 0, 0), "starting the device"));
    if (calls.device_get(&device->number, device->index) != CUDA_SUCCESS ||
        calls.retain(&device->context, device->number) != CUDA_SUCCESS)
        return device->host.fail(
            RNNKIT_E_DEVICE, "cuda:%d: its context cannot be had", device->index);
    return RNNKIT_OK;
}

static int32_t open_device(rki_cuda *device)
{
    RKI_TRY(open_context(device));
    int32_t status;
    {
        rki_cuda_scope scope(device);
        status = scope.status < 0 ? scope.status : open_parts(device);
        if (status < 0 && scope.status >= 0) close_parts(device);
    }
    if (status < 0) calls.release(device->number);
    return status;
}

static int32_t check_wishes(const rki_host *host, const rki_open *call)
{
    int index = call->index;
    char reason[512] = "";
    rki_cuda_facts facts = gather_facts();
    if (call->dtype != RKI_FLOAT32)
        return host->fail(RNNKIT_E_BACKEND,
            "cuda: dtype=float64 is for the reference device alone; cuda computes in float32");
    if (!rki_cuda_explain_machine(&facts, reason, sizeof reason))
        return host->fail(RNNKIT_E_BACKEND, "cuda: %s", reason);
    if (index < 0 || index >= facts.devices)
        return host->fail(RNNKIT_E_BACKEND, "cuda:%d: there %s %d device%s, cuda:0 to cuda:%d",
            index, facts.devices == 1 ? "is" : "are", facts.devices, facts.devices == 1 ? "" : "s",
            facts.devices - 1);
    if (!can_use(index, reason, sizeof reason) || !rki_cuda_blas_load(reason, sizeof reason))
        return host->fail(RNNKIT_E_BACKEND, "%s", reason);
    return RNNKIT_OK;
}

int32_t rki_cuda_open(const rki_host *host, const rki_open *call, void **self)
{
    RKI_TRY(check_wishes(host, call));
    rki_cuda *device =
        static_cast<rki_cuda *>(host->allocate(sizeof(rki_cuda), alignof(rki_cuda), host->user));
    if (device == NULL) return host->fail(RNNKIT_E_MEMORY, "cuda: no memory for the device");
    memset(device, 0, sizeof *device);
    device->host = *host;
    device->index = call->index;
    device->precision = call->precision;
    int32_t status = open_device(device);
    if (status < 0) {
        host->release(device, host->user);
        return status;
    }
    *self = device;
    return RNNKIT_OK;
}

void rki_cuda_close(void *self)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_host host = device->host;
    CUcontext popped;
    if (calls.push(device->context) == CUDA_SUCCESS) {
        close_parts(device);
        calls.pop(&popped);
    }
    calls.release(device->number);
    host.release(device, host.user);
}
