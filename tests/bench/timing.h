/* Times something that can be run again and again. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

typedef struct timing {
    double least, median, p99,
        p999; /* seconds of one run; of 100 and of 1,000 runs one is slower */
    int runs;
} timing;

/* Time on the wall, or of the processor: on a machine that others use as well, the latter leaves out
 * what they took. It is right for one thread alone. The environment's BENCH_CLOCK=cpu says the same. */
void timing_of_processor(void);

/* Runs `run` for about `seconds`, but at least three times, after five runs that do not count, or
 * fewer where they would take longer than that. */
timing timing_take(void (*run)(void *user), void *user, double seconds);

#endif
