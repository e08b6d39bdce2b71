/* The floating-point mode of our work: nothing traps, round to nearest, and denormals count as
 * zero, because arithmetic on them is many times slower. A thread enters the mode where its work
 * begins and leaves it where that ends, so the host's mode and its exception flags never change.
 * Where numbers become text or come from it, denormals count as what they are: the exact mode.
 */
#ifndef RKI_BASE_FLOAT_MODE_H
#define RKI_BASE_FLOAT_MODE_H

#include <stdint.h>

#if defined(__SSE2__)
#include <xmmintrin.h>

/* Both return what rki_float_leave() needs to restore the mode before. */
static inline uint64_t rki_float_enter(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(0x9FC0u); /* all exceptions masked, FTZ, DAZ, round to nearest */
    return before;
}

static inline uint64_t rki_float_enter_exact(void)
{
    unsigned before = _mm_getcsr();
    _mm_setcsr(0x1F80u); /* all exceptions masked, round to nearest */
    return before;
}

static inline void rki_float_leave(uint64_t before)
{
    _mm_setcsr((unsigned)before);
}

#elif defined(__aarch64__)

static inline uint64_t rki_float_set(uint64_t mode)
{
    uint64_t before, status;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("mrs %0, fpsr" : "=r"(status));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
    return before << 32 | (status & 0xFFFFFFFFu);
}

static inline uint64_t rki_float_enter(void)
{
    return rki_float_set((uint64_t)1 << 24); /* FZ alone */
}

static inline uint64_t rki_float_enter_exact(void)
{
    return rki_float_set(0);
}

static inline void rki_float_leave(uint64_t before)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(before >> 32));
    __asm__ volatile("msr fpsr, %0" : : "r"(before & 0xFFFFFFFFu));
}

#else

static inline uint64_t rki_float_enter(void)
{
    return 0;
}

static inline uint64_t rki_float_enter_exact(void)
{
    return 0;
}

static inline void rki_float_leave(uint64_t before)
{
    (void)before;
}

#endif

#endif
