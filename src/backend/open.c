/* Contexts: creating one opens its device, freeing one closes it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backend/device.h"
#include "backend/open.h"
#include "backend/registry.h"
#include "base/numbers.h"
#include "base/threads.h"

typedef struct context_options {
    int64_t threads, seed;
    int32_t dtype, precision, isa;
} context_options;

static const rki_option rows[] = {
    {"threads", RKI_OPTION_INTEGER, offsetof(context_options, threads), 0, 1024, "0", NULL, "0.1",
        "CPU threads a call may use; 0: as many as the process may run on"},
    {"seed", RKI_OPTION_INTEGER, offsetof(context_options, seed), 0, 9007199254740992.0, "1", NULL,
        "0.1", "seed of initial weights, dropout, shuffling and sampling"},
    {"dtype", RKI_OPTION_CHOICE, offsetof(context_options, dtype), 0, 0, "float32",
        "float32|float64", "0.1", "what the device computes in; float64: reference only"},
    {"precision", RKI_OPTION_CHOICE, offsetof(context_options, precision), 0, 0, "full",
        "full|tf32|bf16", "0.1",
        "what factors of large products are rounded to, sums and weights are not; cuda only"},
    {"isa", RKI_OPTION_CHOICE, offsetof(context_options, isa), 0, 0, "auto",
        "auto|portable|avx2|avx512|amx|neon", "0.1",
        "the most that kernels on the CPU use of its instruction sets; one of another processor "
        "caps nothing"},
};
const rki_option_table rki_context_options = {"context", rows, sizeof rows / sizeof rows[0]};

/* "cuda:1" is backend "cuda", index 1. */
static int32_t split_name(const char *device, char name[32], int32_t *index)
{
    const char *colon = strchr(device, ':');
    size_t length = colon == NULL ? strlen(device) : (size_t)(colon - device);
    int64_t number = 0;
    if (length >= 32 ||
        (colon != NULL && (!rki_parse_integer(colon + 1, strlen(colon + 1), &number) ||
                              number < 0 || number > 1023)))
        return rki_fail(
            RNNKIT_E_BACKEND, "device '%.40s': expected a name, or name:number", device);
    memcpy(name, device, length);
    name[length] = '\0';
    *index = (int32_t)number;
    return RNNKIT_OK;
}

static int32_t host_fail(int32_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int32_t host_fail(int32_t status, const char *format, ...)
{
    char text[RKI_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return rki_fail(status, "%s", text);
}

static int32_t open_backend(rnnkit_context *context, const rki_backend *ops, int32_t index,
    rki_dtype dtype, rki_precision precision)
{
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rki_device), "a device", &block));
    rki_device *device = block;
    device->ops = ops;
    device->dtype = dtype;
    device->host = (rki_host){sizeof(rki_host), host_fail, rki_random_words,
        context->memory.allocate, context->memory.release, context->memory.user};
    if (strcmp(ops->name, "cuda") == 0)
        snprintf(device->name, sizeof device->name, "cuda:%d", (int)index);
    else
        snprintf(device->name, sizeof device->name, "%s", ops->name);
    const rki_open call = {index, dtype, precision, context->threads, context->isa};
    int32_t status = ops->open(&device->host, &call, &device->self);
    if (status < 0) {
        rki_release(&context->memory, device);
        return status;
    }
    context->device = device;
    return RNNKIT_OK;
}

int32_t rki_device_open(
    rnnkit_context *context, const char *device, rki_dtype dtype, rki_precision precision)
{
    char name[32], reason[RKI_REASON_SIZE] = "";
    int32_t index = 0;
    RKI_TRY(split_name(device, name, &index));
    int automatic = strcmp(name, "auto") == 0;
    const rki_backend *ops = rki_backend_find(automatic ? "cuda" : name, reason);
    if (ops == NULL && automatic) {
        snprintf(context->note, sizeof context->note, "device auto: the CPU%s, because %.400s",
            precision == RKI_PRECISION_FULL ? "" : " with precision=full", reason);
        precision = RKI_PRECISION_FULL;
        ops = rki_backend_find("cpu", reason);
    }
    if (ops == NULL) return rki_fail(RNNKIT_E_BACKEND, "device '%s': %s", device, reason);
    return open_backend(context, ops, index, dtype, precision);
}

void rki_device_close(rnnkit_context *context)
{
    context->device->ops->close(context->device->self);
    rki_release(&context->memory, context->device);
}

static void name_isa(int32_t choice, char *name, size_t capacity)
{
    const rki_option *row = rows;
    while (row->offset != offsetof(context_options, isa))
        row++;
    snprintf(name, capacity, "%s", rki_option_choice_name(row, choice));
}

static int32_t create(
    const char *device, const char *options, rki_memory memory, rnnkit_context **out)
{
    RKI_TRY(rki_check_pointer(device, "device"));
    RKI_TRY(rki_check_pointer(out, "out"));
    context_options parsed;
    RKI_TRY(rki_options_parse(&rki_context_options, options, &parsed));
    void *block;
    RKI_TRY(rki_allocate(&memory, 1, sizeof(rnnkit_context), "a context", &block));
    rnnkit_context *context = block;
    rki_object_init(&context->object, RKI_KIND_CONTEXT);
    context->memory = memory;
    context->seed = parsed.seed;
    context->threads = rki_threads_resolve(parsed.threads);
    name_isa(parsed.isa, context->isa, sizeof context->isa);
    atomic_init(&context->cancelled, 0);
    pthread_mutex_init(&context->message_lock, NULL);
    int32_t status =
        rki_device_open(context, device, (rki_dtype)parsed.dtype, (rki_precision)parsed.precision);
    if (status < 0) {
        pthread_mutex_destroy(&context->message_lock);
        rki_release(&memory, context);
        return status;
    }
    *out = context;
    return RNNKIT_OK;
}

int32_t rnnkit_context_create(const char *device, const char *options, rnnkit_context **out)
{
    return rki_leave(NULL, __func__, create(device, options, rki_default_memory(), out));
}

int32_t rnnkit_context_create_with_allocator(const char *device, const char *options,
    rnnkit_allocate_fn allocate, rnnkit_release_fn release, void *user, rnnkit_context **out)
{
    if (allocate == NULL || release == NULL)
        return rki_leave(NULL, __func__,
            rki_fail(RNNKIT_E_ARGUMENT, "%s is NULL, expected both functions",
                allocate == NULL ? "allocate" : "release"));
    rki_memory memory = {allocate, release, user};
    return rki_leave(NULL, __func__, create(device, options, memory, out));
}

void rki_context_release(rnnkit_context *context)
{
    if (context == NULL || !rki_object_release(&context->object)) return;
    rki_memory memory = context->memory;
    rki_device_close(context);
    pthread_mutex_destroy(&context->message_lock);
    rki_release(&memory, context);
}

void rnnkit_context_destroy(rnnkit_context *context)
{
    if (context != NULL && rki_check(context, RKI_KIND_CONTEXT, "context") >= 0)
        rki_context_release(context);
}

const char *rnnkit_context_device(const rnnkit_context *context)
{
    return rki_check(context, RKI_KIND_CONTEXT, "context") < 0 ? "" : context->device->name;
}
