/* A barrier for threads that meet thousands of times a second.
 *
 * OpenMP's own lets who waits spin for milliseconds. Where threads share their cores with other
 * work, that may be the very core on which the thread that is waited for should run, and each
 * meeting then costs a time slice. Here, who waits spins for microseconds, then lets others run.
 */
#ifndef RKI_BASE_BARRIER_H
#define RKI_BASE_BARRIER_H

#include <stdatomic.h>

/* All zero at first. */
typedef struct rki_barrier {
    atomic_uint arrived, round;
} rki_barrier;

/* Returns when `threads` threads have called it; what each wrote before, all see. */
void rki_barrier_wait(rki_barrier *barrier, unsigned threads);

#endif
