/* What the machine says: processors, the clock, a seed. */
#ifndef COMMON_SYSTEM_H
#define COMMON_SYSTEM_H

#include <stdint.h>

/* The processors that this process may use. */
int64_t system_processors(void);

/* Seconds on a clock that only goes forward. */
double system_clock(void);

/* A seed from the time of day, below 2^31. */
int64_t system_seed(void);

#endif
