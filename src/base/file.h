/* Files: read by memory map, write by replacing.
 *
 * A written file appears under its name only when it is complete and on disk (temporary file in
 * the same folder, fsync, rename), so that a crash or a full disk leaves the old one, whole.
 * Paths are UTF-8 and of any length. Errors are RNNKIT_E_IO with path and system message.
 */
#ifndef RKI_BASE_FILE_H
#define RKI_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef struct rki_mapping {
    const unsigned char *data; /* NULL when the file is empty */
    size_t size;
} rki_mapping;

int32_t rki_map_file(const char *path, rki_mapping *out);
void rki_unmap_file(rki_mapping *mapping);

typedef struct rki_writer rki_writer;

int32_t rki_writer_open(const rki_memory *memory, const char *path, rki_writer **out);
int32_t rki_writer_write(rki_writer *writer, const void *data, size_t size);

/* Puts the file in place, or on failure removes every trace; frees the writer either way. */
int32_t rki_writer_commit(rki_writer *writer);

/* Gives up: nothing is left behind. NULL is fine. */
void rki_writer_abandon(rki_writer *writer);

/* Calls `take` with successive pieces of the file (64 KiB or less) until its end. */
typedef int32_t (*rki_take_fn)(void *user, const char *piece, size_t size);
int32_t rki_read_pieces(const char *path, rki_take_fn take, void *user);

#endif
