/* Files of what a program computed, for another program that computes the same: numbers as they lie
 * in memory. Ends the program with a message when that fails. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdint.h>
#include <stdio.h>

FILE *results_create(const char *folder, const char *name);
void results_add(FILE *file, const float *values, int64_t count);
void results_close(FILE *file);

#endif
