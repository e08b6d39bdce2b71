/* Which instruction set the kernels run in. See isa.h. */
#include "cpu/isa.h"

#include <pthread.h>
#include <stdatomic.h>
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

static rki_isa supported, allowed; /* allowed: under RNNKIT_MAX_ISA */
static pthread_once_t look_once = PTHREAD_ONCE_INIT;

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

/* Linux's answer to this process. */
enum { UNASKED, GIVEN, REFUSED };
static atomic_int tiles = UNASKED;

static int get_tiles(void)
{
    if (atomic_load(&tiles) == UNASKED)
        atomic_store(
            &tiles, syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0 ? GIVEN : REFUSED);
    return atomic_load(&tiles) == GIVEN;
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
    if (isa == RKI_ISA_AMX && rki_isa_supported() == RKI_ISA_AMX && get_tiles())
        return &rki_split_amx;
#else
    (void)isa;
#endif
    return NULL;
}

/* __builtin_cpu_supports reads XGETBV as well as CPUID. */
static rki_isa detect(void)
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

static rki_isa capped(rki_isa isa, const char *cap)
{
    for (int i = 0; cap != NULL && i < RKI_ISA_COUNT; i++)
        if (strcmp(cap, names[i]) == 0 && (rki_isa)i < isa) return (rki_isa)i;
    return isa;
}

static void look(void)
{
    supported = detect();
    allowed = capped(supported, getenv("RNNKIT_MAX_ISA"));
}

rki_isa rki_isa_supported(void)
{
    pthread_once(&look_once, look);
    return supported;
}

rki_isa rki_isa_chosen(const char *cap)
{
    pthread_once(&look_once, look);
#if defined(RKI_HAVE_AMX)
    if (allowed == RKI_ISA_AMX && atomic_load(&tiles) == REFUSED)
        return capped(RKI_ISA_AVX512, cap);
#endif
    return capped(allowed, cap);
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
