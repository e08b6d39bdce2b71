/* Opening the devices under test. */
#include "subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "backend/registry.h"
#include "cpu/cpu.h"

/* src/reference/ */
const rki_backend *rnnkit_backend_entry(void);

static void *allocate(size_t bytes, size_t alignment, void *user)
{
    (void)user;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *block, void *user)
{
    (void)user;
    free(block);
}

static const rki_host host = {
    sizeof(rki_host), rki_fail, rki_random_words, allocate, release, NULL};

static subject open_subject(
    const rki_backend *ops, rki_dtype dtype, rki_precision precision, int64_t threads)
{
    subject s = {.ops = ops, .dtype = dtype, .rows_to_the_bit = 1};
    const rki_open call = {0, dtype, precision, threads, "auto"};
    if (ops->open(&host, &call, &s.self) < 0) fail_msg("open: %s", rki_message());
    return s;
}

subject open_reference(rki_dtype dtype)
{
    subject s = open_subject(rnnkit_backend_entry(), dtype, RKI_PRECISION_FULL, 1);
    snprintf(s.name, sizeof s.name, "reference/%s", dtype == RKI_FLOAT64 ? "float64" : "float32");
    return s;
}

subject open_cpu(int32_t isa, int64_t threads)
{
    subject s = open_subject(rki_cpu_backend(), RKI_FLOAT32, RKI_PRECISION_FULL, threads);
    rki_cpu_set_isa(s.self, (rki_isa)isa);
    if (threads > 1) rki_cpu_set_cache(s.self, 0);
    snprintf(s.name, sizeof s.name, "cpu/%s/%d", rki_isa_name((rki_isa)isa), (int)threads);
    return s;
}

int open_cuda(rki_precision precision, subject *s)
{
    static const char *const names[] = {"cuda", "cuda/tf32", "cuda/bf16"};
    char reason[RKI_REASON_SIZE];
    const rki_backend *ops = rki_backend_find("cuda", reason);
    if (ops == NULL) return 0;
    *s = open_subject(ops, RKI_FLOAT32, precision, 1);
    s->rows_to_the_bit = 0; /* cuBLAS chooses its ways by the number of rows */
    snprintf(s->name, sizeof s->name, "%s", names[precision]);
    return 1;
}

void close_subject(subject *s)
{
    s->ops->close(s->self);
    s->self = NULL;
}

int32_t isa_count(void)
{
    return (int32_t)rki_isa_supported() + 1;
}
