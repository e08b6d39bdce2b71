/* Ids on disk: what a token stream holds beyond the memory that it may use.
 *
 * A temporary file that has no name any more, so that it goes with the process whatever happens.
 * It is written through a buffer and read with pread, which any number of threads may do at once;
 * a disk that fails gives a status (a memory map would give a signal).
 */
#ifndef RKI_TEXT_SPILL_H
#define RKI_TEXT_SPILL_H

#include <stdint.h>

#include "base/memory.h"

typedef struct rki_spill {
    int file;         /* -1: nothing was spilled */
    int64_t written;  /* ids in the file */
    int32_t *buffer;  /* ids on their way there */
    int64_t buffered; /* how many */
} rki_spill;

void rki_spill_init(rki_spill *spill);
void rki_spill_release(rki_spill *spill, const rki_memory *memory);

/* Appends an id; `folder` is where the file is made when there is none yet. */
int32_t rki_spill_add(rki_spill *spill, const rki_memory *memory, const char *folder, int32_t id);

/* Everything is in the file; frees the buffer. */
int32_t rki_spill_finish(rki_spill *spill, const rki_memory *memory);

/* Reads ids first to first + count - 1 of those appended. */
int32_t rki_spill_read(const rki_spill *spill, int64_t first, int32_t *ids, int64_t count);

#endif
