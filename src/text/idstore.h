/* Ids in a row: chunks of memory, and beyond the memory that they may use, on disk (spill.h).
 *
 * Ids are appended and, once finished, read by any number of threads at once.
 */
#ifndef RKI_TEXT_IDSTORE_H
#define RKI_TEXT_IDSTORE_H

#include <stdint.h>

#include "base/memory.h"
#include "text/spill.h"

enum { RKI_CHUNK = 64 * 1024 };

typedef struct rki_idstore {
    const rki_memory *memory;
    const char *folder;     /* where the file is made; must live as long as the store */
    int64_t in_memory;      /* most ids that chunks hold */
    int32_t **chunks;       /* the first ids, RKI_CHUNK in each */
    int64_t chunk_capacity; /* of the list */
    int64_t chunk_count;
    rki_spill spill; /* the other ids */
    int64_t count;
} rki_idstore;

/* At most `mebibytes` of ids are held in memory. */
void rki_idstore_init(
    rki_idstore *store, const rki_memory *memory, int64_t mebibytes, const char *folder);

/* Frees everything; the store is then as after rki_idstore_init. */
void rki_idstore_release(rki_idstore *store);

int32_t rki_idstore_add(rki_idstore *store, const int32_t *ids, int64_t count);

/* No more ids come. */
int32_t rki_idstore_finish(rki_idstore *store);

/* Copies ids that are known to be inside a finished store. */
int32_t rki_idstore_copy(const rki_idstore *store, int64_t first, int32_t *ids, int64_t count);

#endif
