/* How many threads a call may use. See threads.h. */
#include "base/threads.h"

#include <sched.h>
#ifdef _OPENMP
#include <omp.h>
#endif

int64_t rki_threads_resolve(int64_t wanted)
{
#ifdef _OPENMP
    if (wanted > 0) return wanted;
    int64_t most = omp_get_max_threads();
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) < most)
        most = CPU_COUNT(&allowed);
    return most < 1 ? 1 : most;
#else
    (void)wanted;
    return 1;
#endif
}

int rki_threads_now(int64_t threads)
{
#ifdef _OPENMP
    if (omp_in_parallel()) return 1;
    return (int)threads;
#else
    (void)threads;
    return 1;
#endif
}
