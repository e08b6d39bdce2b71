/* Which instruction set the kernels run in. See isa.h. */
#include "cpu/isa.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[RKI_ISA_COUNT] = {
#if defined(__aarch64__)
    "portable",
    "neon",
#else
    "portable",
    "avx2",
    "avx512",
#endif
};

static rki_isa chosen;
static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;

const char *rki_isa_name(rki_isa isa)
{
    return names[isa];
}

/* __builtin_cpu_supports reads XGETBV as well as CPUID. */
rki_isa rki_isa_supported(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return RKI_ISA_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return RKI_ISA_AVX2;
    return RKI_ISA_AVX512;
#elif defined(__aarch64__)
    return RKI_ISA_NEON; /* part of the architecture */
#else
    return RKI_ISA_PORTABLE;
#endif
}

rki_isa rki_isa_capped(rki_isa supported, const char *cap)
{
    for (int i = 0; cap && i < RKI_ISA_COUNT; i++)
        if (strcmp(cap, names[i]) == 0 && (rki_isa)i < supported) return (rki_isa)i;
    return supported;
}

static void choose(void)
{
    chosen = rki_isa_capped(rki_isa_supported(), getenv("RNNKIT_MAX_ISA"));
}

rki_isa rki_isa_chosen(void)
{
    pthread_once(&chosen_once, choose);
    return chosen;
}

const rki_kernels *rki_isa_kernels(rki_isa isa)
{
    if (isa > rki_isa_supported()) return NULL;
#if defined(__x86_64__)
    if (isa == RKI_ISA_AVX512) return &rki_kernels_avx512;
    if (isa == RKI_ISA_AVX2) return &rki_kernels_avx2;
#elif defined(__aarch64__)
    if (isa == RKI_ISA_NEON) return &rki_kernels_neon;
#endif
    return &rki_kernels_portable;
}
