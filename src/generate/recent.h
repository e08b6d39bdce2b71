/* The last tokens, for the repetition penalty: a ring of their ids, and how often each is in it. */
#ifndef RKI_GENERATE_RECENT_H
#define RKI_GENERATE_RECENT_H

#include <stdint.h>

#include "base/memory.h"

/* All zero: remembers nothing, and counts is NULL. */
typedef struct rki_recent {
    int32_t *ids; /* [window] */
    int64_t window, used, next;
    int32_t *counts; /* [words] */
} rki_recent;

/* On failure it is as before. */
int32_t rki_recent_init(
    rki_recent *recent, const rki_memory *memory, int64_t window, int64_t words);
void rki_recent_release(rki_recent *recent, const rki_memory *memory);

void rki_recent_add(rki_recent *recent, int32_t id);

#endif
