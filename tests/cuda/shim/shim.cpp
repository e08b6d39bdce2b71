/* Shim: coroutines for kernels, and the calls that do something. See cuda_runtime.h.
 *
 * A coroutine is entered once with makecontext and then switched by setjmp and longjmp, which
 * cost no system call. It waits by handing the turn on until what it waits for has come. Under
 * AddressSanitizer the C library's own longjmp is called: the sanitizer's would take it that frames
 * are left behind, and look for where the stack ends.
 */
#include "cuda_runtime.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdio.h>
#include <ucontext.h>

#include <deque>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace
{
enum { STACK = 96 << 10, WARP = 32, PROCESSORS = 6, SHARED = 232448 };

/* Waited at by all threads that are still alive. */
struct barrier {
    unsigned alive = 0, arrived = 0, turn = 0;
};

struct block {
    dim3 index;
    block *first =
        nullptr;           /* of those that run at the same time, which stand one after the other */
    barrier all, together; /* together: of `first`, for the threads of all of them */
    std::vector<barrier> warps;
    std::vector<float> shuffled; /* [2][threads] by the turn's parity */
    std::vector<float4> shared;
};

struct fiber {
    jmp_buf here;
    ucontext_t entry;
    std::vector<char> stack = std::vector<char>(STACK);
    block *of = nullptr;
    unsigned number = 0;
    bool started = false, done = true;
};

std::deque<fiber> fibers;
fiber *running;
jmp_buf scheduler;
ucontext_t scheduler_entry;
const std::function<void()> *job;

/* SHIM_SHARED in the environment makes the device one with less, where kernels are cut up finer. */
size_t shared_memory()
{
    const char *text = getenv("SHIM_SHARED");
    return text == nullptr ? (size_t)SHARED : (size_t)atol(text);
}

void set_indices(const fiber *f)
{
    blockIdx = f->of->index;
    threadIdx = dim3(f->number % blockDim.x, f->number / blockDim.x % blockDim.y,
        f->number / blockDim.x / blockDim.y);
}

void leave(barrier *b)
{
    b->alive--;
    if (b->alive > 0 && b->arrived == b->alive) {
        b->arrived = 0;
        b->turn++;
    }
}

typedef void (*jump_fn)(jmp_buf, int);

jump_fn find_jump()
{
#ifdef __SANITIZE_ADDRESS__
    void *library = dlopen("libc.so.6", RTLD_NOW);
    void *symbol = library == nullptr ? nullptr : dlsym(library, "_longjmp");
    if (symbol != nullptr) return reinterpret_cast<jump_fn>(symbol);
#endif
    return _longjmp;
}

const jump_fn jump = find_jump();

/* A coroutine goes from job to job and never returns. */
void body()
{
    for (;;) {
        fiber *me = running;
        (*job)();
        me->done = true;
        leave(&me->of->warps[me->number / WARP]);
        leave(&me->of->all);
        leave(&me->of->first->together);
        if (_setjmp(me->here) == 0) jump(scheduler, 1);
    }
}

void resume(fiber *f)
{
    running = f;
    set_indices(f);
    if (_setjmp(scheduler) != 0) return;
    if (f->started) jump(f->here, 1);
    f->started = true;
    getcontext(&f->entry);
    f->entry.uc_stack.ss_sp = f->stack.data();
    f->entry.uc_stack.ss_size = f->stack.size();
    f->entry.uc_link = nullptr;
    makecontext(&f->entry, body, 0);
    swapcontext(&scheduler_entry, &f->entry);
}

void hand_on()
{
    if (_setjmp(running->here) == 0) jump(scheduler, 1);
}

void wait_at(barrier *b)
{
    unsigned turn = b->turn;
    if (++b->arrived == b->alive) {
        b->arrived = 0;
        b->turn++;
        return;
    }
    while (b->turn == turn)
        hand_on();
}

/* A mailbox's bytes that are to come less those that came, with the bits above: somebody said how
 * many, and the parity of the turn. */
const uint64_t EXPECTED = (uint64_t)1 << 32, PARITY = (uint64_t)1 << 33;

void change(uint64_t *word, uint64_t bits, int64_t bytes)
{
    uint64_t pending = (uint32_t)(*word + (uint64_t)bytes);
    *word = (*word & ~(uint64_t)UINT32_MAX) | bits | pending;
    if (pending == 0 && (*word & EXPECTED) != 0) *word ^= EXPECTED | PARITY;
}

void begin(block *b, dim3 index, unsigned threads, size_t shared)
{
    b->index = index;
    b->all.alive = threads;
    b->warps.resize((threads + WARP - 1) / WARP);
    for (unsigned i = 0; i < threads; i++)
        b->warps[i / WARP].alive++;
    b->shuffled.resize(2 * threads);
    b->shared.resize((shared + sizeof(float4) - 1) / sizeof(float4));
    /* what is in it at first means nothing */
    if (shared > 0)
        memset(static_cast<void *>(b->shared.data()), 0xFF, b->shared.size() * sizeof(float4));
}

dim3 index_of(const dim3 &grid, unsigned number)
{
    return dim3(number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y);
}

/* Runs blocks first .. first + count - 1 at the same time. */
void run_blocks(const cudaLaunchConfig_t *config, unsigned first, unsigned count)
{
    unsigned threads = config->blockDim.x * config->blockDim.y * config->blockDim.z;
    std::vector<block> blocks(count);
    blocks[0].together.alive = count * threads;
    while (fibers.size() < (size_t)count * threads)
        fibers.emplace_back();
    for (unsigned i = 0; i < count; i++) {
        begin(&blocks[i], index_of(config->gridDim, first + i), threads, config->dynamicSmemBytes);
        blocks[i].first = &blocks[0];
        for (unsigned t = 0; t < threads; t++) {
            fiber *f = &fibers[(size_t)i * threads + t];
            f->of = &blocks[i];
            f->number = t;
            f->done = false;
        }
    }
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 0; i < (size_t)count * threads; i++) {
            if (fibers[i].done) continue;
            any = true;
            resume(&fibers[i]);
        }
    }
}
} // namespace

static cudaError_t run(const cudaLaunchConfig_t *config, const std::function<void()> &thread)
{
    unsigned blocks = config->gridDim.x * config->gridDim.y * config->gridDim.z;
    int together = config->numAttrs > 0 && config->attrs[0].id == cudaLaunchAttributeCooperative &&
                   config->attrs[0].val.cooperative;
    unsigned cluster = 1;
    if (config->numAttrs > 0 && config->attrs[0].id == cudaLaunchAttributeClusterDimension)
        cluster = config->attrs[0].val.clusterDim.x;
    if (blocks % cluster != 0) return 1;
    if (blocks == 0 || config->dynamicSmemBytes > shared_memory() ||
        (together && blocks > PROCESSORS))
        return 1;
    job = &thread;
    blockDim = config->blockDim;
    gridDim = config->gridDim;
    if (together) run_blocks(config, 0, blocks);
    for (unsigned i = 0; !together && i < blocks; i += cluster)
        run_blocks(config, i, cluster);
    return cudaSuccess;
}

cudaError_t shim_run(const cudaLaunchConfig_t *config, const std::function<void()> &thread)
{
    cudaLaunchConfig_t own = *config;
    std::vector<cudaLaunchAttribute> attributes(config->attrs, config->attrs + config->numAttrs);
    return shim_do(config->stream, [=]() mutable {
        own.attrs = attributes.data();
        return run(&own, thread);
    });
}

struct shim_graph {
    std::vector<std::function<cudaError_t()>> work;
};

static cudaStream_t captured;
static shim_graph capture;

cudaError_t shim_do(cudaStream_t stream, const std::function<cudaError_t()> &work)
{
    if (captured == nullptr || stream != captured) return work();
    capture.work.push_back(work);
    return cudaSuccess;
}

/* SHIM_GRAPHS=none in the environment: nothing can be captured; =broken: no graph can be launched. */
static int graphs_are(const char *what)
{
    const char *text = getenv("SHIM_GRAPHS");
    return text != nullptr && strcmp(text, what) == 0;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int)
{
    if (captured != nullptr || graphs_are("none")) return 1;
    captured = stream;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out)
{
    if (captured != stream) return 1;
    *out = new shim_graph(capture);
    capture.work.clear();
    captured = nullptr;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned)
{
    *out = new shim_graph(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t)
{
    if (graphs_are("broken")) return 1;
    for (const auto &work : graph->work) {
        cudaError_t error = work();
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    delete graph;
    return cudaSuccess;
}

void __syncthreads()
{
    wait_at(&running->of->all);
}

void __syncwarp()
{
    wait_at(&running->of->warps[running->number / WARP]);
}

void __nanosleep(unsigned)
{
    hand_on();
}

float __shfl_xor_sync(unsigned, float value, int lanes)
{
    block *of = running->of;
    barrier *warp = &of->warps[running->number / WARP];
    float *slots = of->shuffled.data() + (warp->turn & 1) * (of->shuffled.size() / 2);
    slots[running->number] = value;
    wait_at(warp);
    return slots[running->number ^ (unsigned)lanes];
}

float __shfl_sync(unsigned, float value, int lane)
{
    block *of = running->of;
    barrier *warp = &of->warps[running->number / WARP];
    float *slots = of->shuffled.data() + (warp->turn & 1) * (of->shuffled.size() / 2);
    slots[running->number] = value;
    wait_at(warp);
    return slots[running->number / WARP * WARP + (unsigned)lane % WARP];
}

unsigned __ballot_sync(unsigned, int vote)
{
    block *of = running->of;
    unsigned first = running->number / WARP * WARP, votes = 0;
    barrier *warp = &of->warps[running->number / WARP];
    float *slots = of->shuffled.data() + (warp->turn & 1) * (of->shuffled.size() / 2);
    slots[running->number] = vote ? 1.0f : 0.0f;
    wait_at(warp);
    for (unsigned i = 0; i < WARP && first + i < of->shuffled.size() / 2; i++)
        votes |= (unsigned)(slots[first + i] != 0.0f) << i;
    return votes;
}

float4 *shim_shared()
{
    return running->of->shared.data();
}

unsigned shim_cluster_rank()
{
    return (unsigned)(running->of - running->of->first);
}

void shim_cluster_sync()
{
    wait_at(&running->of->first->together);
}

void *shim_map_shared(void *at, unsigned rank)
{
    char *own = reinterpret_cast<char *>(running->of->shared.data());
    char *others = reinterpret_cast<char *>(running->of->first[rank].shared.data());
    return others + (static_cast<char *>(at) - own);
}

void shim_mailbox_expect(uint64_t *word, unsigned bytes)
{
    change(word, EXPECTED, bytes);
}

void shim_mailbox_count(uint64_t *word, unsigned bytes)
{
    change(word, 0, -(int64_t)bytes);
}

void shim_mailbox_wait(const uint64_t *word, unsigned parity)
{
    while (((*word & PARITY) != 0) == (parity != 0))
        hand_on();
}

/* SHIM_CLUSTERS in the environment: how many run at a time; 0: the device has none. */
int shim_clusters()
{
    const char *text = getenv("SHIM_CLUSTERS");
    return text == nullptr ? 3 : atoi(text);
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
    *out = aligned_alloc(256, (bytes + 255) / 256 * 256);
    return *out == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFree(void *block)
{
    free(block);
    return cudaSuccess;
}

cudaError_t cudaMallocFromPoolAsync(void **out, size_t bytes, cudaMemPool_t, cudaStream_t)
{
    return cudaMalloc(out, bytes);
}

cudaError_t cudaFreeAsync(void *block, cudaStream_t)
{
    return cudaFree(block);
}

cudaError_t cudaMemsetAsync(void *block, int value, size_t bytes, cudaStream_t stream)
{
    return shim_do(stream, [=]() {
        memset(block, value, bytes);
        return (cudaError_t)cudaSuccess;
    });
}

cudaError_t cudaMemset2DAsync(
    void *block, size_t pitch, int value, size_t width, size_t height, cudaStream_t)
{
    for (size_t i = 0; i < height; i++)
        memset(static_cast<char *>(block) + i * pitch, value, width);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(
    void *target, const void *source, size_t bytes, int, cudaStream_t stream)
{
    return shim_do(stream, [=]() {
        if (bytes > 0) memcpy(target, source, bytes);
        return (cudaError_t)cudaSuccess;
    });
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = 1;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *about, int)
{
    memset(about, 0, sizeof *about);
    snprintf(about->name, sizeof about->name, "CPU shim");
    about->major = 9;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int)
{
    *value = attribute == cudaDevAttrMultiProcessorCount            ? PROCESSORS
             : attribute == cudaDevAttrComputeCapabilityMajor       ? 9
             : attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin ? (int)shared_memory()
                                                                    : 1;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    return cudaRuntimeGetVersion(version);
}

/* The driver's calls that the plug-in asks for all say yes. */
static int say_yes()
{
    return 0;
}

cudaError_t cudaGetDriverEntryPointByVersion(
    const char *, void **out, unsigned, int, cudaDriverEntryPointQueryResult *)
{
    *out = reinterpret_cast<void *>(say_yes);
    return cudaSuccess;
}
