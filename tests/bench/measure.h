/* Timing, and the two limits of a machine that timings are held against: a core's rate of
 * multiply-adds and its speed of reading and writing memory. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "cpu/isa.h"

typedef struct timing {
    double least, median; /* seconds of one run */
    int runs;
} timing;

/* Time on the wall, or of the processor: on a machine that others use as well, the latter leaves out
 * what they took. It is right for one thread alone. */
void measure_processor_time(void);

/* Runs `run` for about `seconds`, but at least five times, after one run that does not count. */
timing measure(void (*run)(void *user), void *user, double seconds);

/* Floating-point operations a second of one core, multiply and add counted apart, with the vectors
 * of an instruction set. */
double measure_peak(rki_isa isa);

/* Bytes a second of one core: y += x over arrays much larger than the caches. */
double measure_memory(void);

#endif
