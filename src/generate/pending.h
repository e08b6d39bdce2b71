/* Text between the model and the caller: what is certain may be taken; the rest waits, because it
 * may be the start of a stop text or because its last character is not whole.
 *
 * Stop texts are looked for byte by byte in what was added since the last rki_pending_release_all:
 * the first to be complete ends the text, the longest where several are complete at once. So where
 * the tokens' borders are makes no difference.
 *
 * Bytes that are not UTF-8 (a model of bytes may write such) go through as they are.
 */
#ifndef RKI_GENERATE_PENDING_H
#define RKI_GENERATE_PENDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef struct rki_pending {
    const rki_memory *memory;
    int64_t piece; /* the most that is added between two calls of rki_pending_settle */
    char *bytes;
    int64_t capacity, used;
    int64_t certain;  /* bytes that may be taken; no stop text begins before */
    int64_t searched; /* bytes in which no stop text ends */
    char *stops;      /* each followed by a NUL */
    int64_t stops_capacity, stops_used;
    int64_t longest; /* the longest stop text's bytes */
} rki_pending;

/* As long as what is certain is taken between two pieces, no more memory is needed. */
int32_t rki_pending_init(rki_pending *pending, const rki_memory *memory, int64_t piece);
void rki_pending_free(rki_pending *pending);

/* A stop text, well-formed UTF-8. On failure nothing has changed. */
int32_t rki_pending_add_stop(rki_pending *pending, const char *text);

/* Makes room for one more piece. */
int32_t rki_pending_reserve(rki_pending *pending);

/* A rki_sink_fn that cannot fail: adds to the rki_pending at `user`, where room was reserved. */
int32_t rki_pending_add(void *user, const char *bytes, size_t size);

/* After a piece: finds out what has become certain. 1 when a stop text is complete: it and all that
 * follows it are gone, what stood before it is certain. */
int rki_pending_settle(rki_pending *pending);

/* Nothing more will come that belongs to it: everything is certain. */
void rki_pending_release_all(rki_pending *pending);

/* Drops what is certain, which was taken. */
void rki_pending_taken(rki_pending *pending);

#endif
