/* The arithmetic of cutting a range into blocks. */
#ifndef RKI_CPU_BLOCKS_H
#define RKI_CPU_BLOCKS_H

#include <stdint.h>

static inline int64_t rki_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many blocks of `size` hold `count`. */
static inline int64_t rki_blocks(int64_t count, int64_t size)
{
    return (count + size - 1) / size;
}

#endif
