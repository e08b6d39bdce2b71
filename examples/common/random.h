/* Random numbers that depend on their seed alone: SplitMix64 (Steele, Lea and Flood 2014). */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* In [0, 1). */
double random_uniform(uint64_t *state);

/* A whole number from 0 to below - 1. */
size_t random_below(uint64_t *state, size_t below);

/* From the standard normal distribution. */
double random_normal(uint64_t *state);

/* Puts the places in an order in which each is as likely as another. */
void random_shuffle(uint64_t *state, size_t *places, size_t count);

#endif
