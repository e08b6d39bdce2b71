/* The nearest of several names: what a message offers when a name was mistyped. */
#ifndef RKI_BASE_NEAREST_H
#define RKI_BASE_NEAREST_H

#include <stddef.h>

typedef struct rki_nearest {
    const char *wanted;
    size_t length;
    const char *best; /* NULL while no name is near enough */
    int distance;
} rki_nearest;

rki_nearest rki_nearest_start(const char *wanted, size_t length);
void rki_nearest_offer(rki_nearest *nearest, const char *name);

#endif
