/* Processors, the clock, a seed. See system.h. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "system.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

int64_t system_processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    return sysconf(_SC_NPROCESSORS_ONLN) > 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
}

double system_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int64_t system_seed(void)
{
    struct timespec now;
    uint64_t mixed;

    clock_gettime(CLOCK_REALTIME, &now);
    mixed = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec + (uint64_t)getpid();
    return (int64_t)((mixed * UINT64_C(0x9E3779B97F4A7C15)) >> 33);
}
