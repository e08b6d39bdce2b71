/* A barrier that gives its core away. See barrier.h. */
#include "base/barrier.h"

#include <sched.h>

enum { SPINS = 200 };

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void rki_barrier_wait(rki_barrier *barrier, unsigned threads)
{
    unsigned round = atomic_load_explicit(&barrier->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel) + 1 == threads) {
        atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&barrier->round, round + 1, memory_order_release);
        return;
    }
    for (int i = 0; atomic_load_explicit(&barrier->round, memory_order_acquire) == round; i++) {
        if (i < SPINS)
            relax();
        else
            sched_yield();
    }
}
