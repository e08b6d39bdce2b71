/* Threads: how many workers a call may use, without touching the host's OpenMP settings. */
#ifndef RKI_BASE_THREADS_H
#define RKI_BASE_THREADS_H

#include <stdint.h>

/* `wanted` 0 means all that this process may run on. Never below 1. */
int64_t rki_threads_resolve(int64_t wanted);

/* `threads`, or 1 when the caller already runs inside an OpenMP parallel region. */
int rki_threads_now(int64_t threads);

#endif
