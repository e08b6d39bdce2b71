/* The CPU backend's table, and its devices: plain host memory, an instruction set, some threads. */
#include "cpu/cpu.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cpu/blas.h"
#include "rnnkit/status.h"

enum { ALIGNMENT = 64 };

static int probe(char *reason, size_t capacity)
{
    (void)reason;
    (void)capacity;
    return 1;
}

static void describe(char *text, size_t capacity)
{
    char blas[256];
    rki_blas_describe(blas, sizeof blas);
    snprintf(text, capacity, "instruction set %s (of %s here); %s",
        rki_isa_name(rki_isa_chosen(NULL)), rki_isa_name(rki_isa_supported()), blas);
}

/* What products may count on; 512 KiB where the system does not say. */
static int64_t second_cache(void)
{
    enum { LEAST = 256 << 10, UNKNOWN = 512 << 10, MOST = 2 << 20 };
    int64_t bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    if (bytes <= 0) bytes = UNKNOWN;
    if (bytes < LEAST) bytes = LEAST;
    if (bytes > MOST) bytes = MOST;
    return bytes / (int64_t)sizeof(float);
}

static int32_t open_device(const rki_host *host, const rki_open *call, void **self)
{
    if (call->index != 0)
        return host->fail(
            RNNKIT_E_BACKEND, "there is no device cpu:%d, only cpu", (int)call->index);
    if (call->dtype != RKI_FLOAT32)
        return host->fail(RNNKIT_E_BACKEND, "device cpu computes in float32 alone, not in float64");
    if (call->precision != RKI_PRECISION_FULL)
        return host->fail(RNNKIT_E_BACKEND,
            "device cpu has precision=full alone; tf32 and bf16 are for device cuda");
    rki_cpu *cpu = host->allocate(sizeof *cpu, ALIGNMENT, host->user);
    if (cpu == NULL) return host->fail(RNNKIT_E_MEMORY, "out of memory for device cpu");
    *cpu = (rki_cpu){.host = host,
        .threads = call->threads,
        .cache = second_cache(),
        .gemm_policy = RKI_GEMM_AUTO};
    rki_cpu_set_isa(cpu, rki_isa_chosen(call->isa));
    *self = cpu;
    return RNNKIT_OK;
}

static void close_device(void *self)
{
    const rki_host *host = ((rki_cpu *)self)->host;
    host->release(self, host->user);
}

void rki_cpu_set_isa(rki_cpu *cpu, rki_isa isa)
{
    cpu->kernels = rki_isa_kernels(isa);
    cpu->split = rki_isa_split(isa);
}

void rki_cpu_set_gemm_policy(rki_cpu *cpu, rki_gemm_policy policy)
{
    cpu->gemm_policy = policy;
}

void rki_cpu_set_cache(rki_cpu *cpu, int64_t floats)
{
    cpu->cache = floats;
}

static int32_t allocate(void *self, size_t bytes, void **out)
{
    const rki_host *host = ((rki_cpu *)self)->host;
    void *block = host->allocate(bytes ? bytes : 1, ALIGNMENT, host->user);
    if (block == NULL)
        return host->fail(
            RNNKIT_E_MEMORY, "out of memory: %zu bytes for arrays of device cpu", bytes);
    memset(block, 0, bytes);
    *out = block;
    return RNNKIT_OK;
}

static void release(void *self, void *block)
{
    const rki_host *host = ((rki_cpu *)self)->host;
    if (block) host->release(block, host->user);
}

static int32_t copy(void *self, void *target, const void *source, size_t bytes)
{
    (void)self;
    if (bytes) memcpy(target, source, bytes);
    return RNNKIT_OK;
}

static int32_t zero(void *self, void *block, size_t bytes)
{
    (void)self;
    if (bytes) memset(block, 0, bytes);
    return RNNKIT_OK;
}

static int32_t synchronize(void *self)
{
    (void)self;
    return RNNKIT_OK;
}

static const rki_backend table = {
    .size = sizeof(rki_backend),
    .abi = RKI_BACKEND_ABI,
    .name = "cpu",
    .formats = 1u << RKI_BF16 | 1u << RKI_INT8 | 1u << RKI_PACKED | 1u << RKI_PACKED_BF16,
    .probe = probe,
    .describe = describe,
    .open = open_device,
    .close = close_device,
    .allocate = allocate,
    .release = release,
    .upload = copy,
    .download = copy,
    .copy = copy,
    .zero = zero,
    .synchronize = synchronize,
    .add_scaled = rki_cpu_add_scaled,
    .column_sum = rki_cpu_column_sum,
    .gemm_scratch = rki_cpu_gemm_scratch,
    .gemm = rki_cpu_gemm,
    .gemm_keep = rki_cpu_gemm_keep,
    .gather = rki_cpu_gather,
    .scatter = rki_cpu_scatter,
    .dropout = rki_cpu_dropout,
    .recurrent_stash = rki_cpu_recurrent_stash,
    .recurrent_forward_scratch = rki_cpu_recurrent_forward_scratch,
    .recurrent_backward_scratch = rki_cpu_recurrent_backward_scratch,
    .recurrent_step_scratch = rki_cpu_recurrent_step_scratch,
    .recurrent_forward = rki_cpu_recurrent_forward,
    .recurrent_backward = rki_cpu_recurrent_backward,
    .recurrent_step = rki_cpu_recurrent_step,
    .recurrent_gates = rki_cpu_recurrent_gates,
    .pool = rki_cpu_pool,
    .pool_backward = rki_cpu_pool_backward,
    .softmax_loss_scratch = rki_cpu_softmax_loss_scratch,
    .softmax_loss = rki_cpu_softmax_loss,
    .pointwise_loss = rki_cpu_pointwise_loss,
    .negative_sampling_scratch = rki_cpu_negative_sampling_scratch,
    .negative_sampling = rki_cpu_negative_sampling,
    .square_sum = rki_cpu_square_sum,
    .update = rki_cpu_update,
    .attention_forward = rki_cpu_attention_forward,
    .attention_backward = rki_cpu_attention_backward,
    .attention_source_scratch = rki_cpu_attention_source_scratch,
    .attention_source = rki_cpu_attention_source,
    .cell_forward = rki_cpu_cell_forward,
    .cell_backward = rki_cpu_cell_backward,
    .tanh = rki_cpu_tanh,
    .tanh_backward = rki_cpu_tanh_backward,
    .top = rki_cpu_top,
    .norm_forward = rki_cpu_norm_forward,
    .norm_backward = rki_cpu_norm_backward,
    .relu = rki_cpu_relu,
    .relu_backward = rki_cpu_relu_backward,
};

const rki_backend *rki_cpu_backend(void)
{
    return &table;
}
