/* The limits of a machine that timings are held against: a core's rate of multiply-adds and its
 * speed of reading and writing memory. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

#include "cpu/isa.h"

/* Floating-point operations a second of one core, multiply and add counted apart, with the vectors
 * of an instruction set. */
double measure_peak(rki_isa isa);

/* Bytes a second of one core: y += x over arrays much larger than the caches. */
double measure_memory(void);

/* Bytes a second of one core that reads an array of that size again and again, from whichever cache
 * holds it. */
double measure_reading(rki_isa isa, int64_t bytes);

#endif
