/* Times something that can be run again and again. See timing.h. */
#include "timing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_RUNS = 5, LEAST_RUNS = 3, MOST_RUNS = 200000 };

static clockid_t used_clock = CLOCK_MONOTONIC;

void timing_of_processor(void)
{
    used_clock = CLOCK_PROCESS_CPUTIME_ID;
}

static void ask_environment(void)
{
    const char *clock = getenv("BENCH_CLOCK");
    if (clock != NULL && strcmp(clock, "cpu") == 0) timing_of_processor();
}

static double now(void)
{
    struct timespec t;
    clock_gettime(used_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void warm(void (*run)(void *user), void *user, double seconds)
{
    double start = now();
    for (int n = 0; n < WARM_RUNS && (n == 0 || now() - start < seconds); n++)
        run(user);
}

timing timing_take(void (*run)(void *user), void *user, double seconds)
{
    static double times[MOST_RUNS];
    int runs = 0;
    ask_environment();
    warm(run, user, seconds);
    double start = now(), last = start;
    while (runs < MOST_RUNS && (runs < LEAST_RUNS || last - start < seconds)) {
        run(user);
        double end = now();
        times[runs++] = end - last;
        last = end;
    }
    qsort(times, (size_t)runs, sizeof times[0], compare);
    return (timing){times[0], times[runs / 2], times[runs - 1 - runs / 100],
        times[runs - 1 - runs / 1000], runs};
}
