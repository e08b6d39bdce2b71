/* Which instruction set the kernels run in. See isa.h. */
#include "cpu/isa.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#if defined(RKI_HAVE_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[RKI_ISA_COUNT] = {
#if defined(__aarch64__)
    "portable",
    "neon",
#else
    "portable",
    "avx2",
    "avx512",
    "amx",
#endif
};

static rki_isa chosen;
static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;

const char *rki_isa_name(rki_isa isa)
{
    return names[isa];
}

#if defined(RKI_HAVE_AMX)
enum {
    HAS_XSAVE = 1 << 27, /* CPUID 1, ECX: XGETBV may be asked */
    HAS_TILES = 1 << 24,
    HAS_BF16 = 1 << 22,    /* CPUID 7, EDX */
    SAVED_TILES = 3 << 17, /* XCR0: their shapes and data */
    REQUEST_STATE = 0x1023,
    TILE_DATA = 18 /* arch_prctl(2) */
};

static int has_tiles(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HAS_XSAVE)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if (!(d & HAS_TILES) || !(d & HAS_BF16)) return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & SAVED_TILES) == SAVED_TILES;
}

static int tiles_given;
static pthread_once_t tiles_once = PTHREAD_ONCE_INIT;

static void ask_for_tiles(void)
{
    tiles_given = syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
}
#elif defined(__x86_64__)
static int has_tiles(void)
{
    return 0;
}
#endif

const rki_split_kernels *rki_isa_split(rki_isa isa)
{
#if defined(RKI_HAVE_AMX)
    if (isa != RKI_ISA_AMX || rki_isa_supported() != RKI_ISA_AMX) return NULL;
    pthread_once(&tiles_once, ask_for_tiles);
    return tiles_given ? &rki_split_amx : NULL;
#else
    (void)isa;
    return NULL;
#endif
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
    return has_tiles() ? RKI_ISA_AMX : RKI_ISA_AVX512;
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
#if defined(RKI_HAVE_AMX)
    if (chosen == RKI_ISA_AMX && rki_isa_split(chosen) == NULL) chosen = RKI_ISA_AVX512;
#endif
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
    if (isa >= RKI_ISA_AVX512) return &rki_kernels_avx512;
    if (isa == RKI_ISA_AVX2) return &rki_kernels_avx2;
#elif defined(__aarch64__)
    if (isa == RKI_ISA_NEON) return &rki_kernels_neon;
#endif
    return &rki_kernels_portable;
}
