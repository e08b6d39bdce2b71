/* Files: read by memory map, write by replacing.
 *
 * A written file appears under its name only when it is complete and on disk (temporary file in
 * the same folder, fsync, rename), so that a crash or a full disk leaves the old one, whole.
 * Paths are handed to the system as they are and have no limit but the system's own. Errors are
 * RNNKIT_E_IO with path and system message.
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

/* Regular files alone. Whoever shortens a file while it is mapped harms the process that reads it
 * (SIGBUS), so maps are held no longer than a load takes. */
int32_t rki_map_file(const char *path, rki_mapping *out);
void rki_unmap_file(rki_mapping *mapping);

/* The target of a writer. A name that does not exist is created with the mode that the umask
 * allows. A regular file is replaced; the new one has its mode and, where the process may give it,
 * its owner; one that is protected from writing is an error although its folder would allow it. A
 * symbolic link stays, and what it points to is replaced. A character device (/dev/null, a
 * terminal) is written directly. Everything else is an error. A crash can leave a file `.rnnkit-*`
 * behind. */
typedef struct rki_writer rki_writer;

int32_t rki_writer_open(const rki_memory *memory, const char *path, rki_writer **out);
int32_t rki_writer_write(rki_writer *writer, const void *data, size_t size);

/* Writes over `size` bytes that were written before, from byte `place` on. */
int32_t rki_writer_patch(rki_writer *writer, int64_t place, const void *data, size_t size);

/* Puts the file in place, or on failure removes every trace; frees the writer either way. Fails
 * when a write has failed before. */
int32_t rki_writer_commit(rki_writer *writer);

/* Gives up: nothing is left behind. NULL is fine. */
void rki_writer_abandon(rki_writer *writer);

/* Calls `take` with successive pieces of the file (64 KiB or less) until its end. Pipes and
 * devices are fine. Whatever `take` returns other than RNNKIT_OK, notes included, ends it. */
typedef int32_t (*rki_take_fn)(void *user, const char *piece, size_t size);
int32_t rki_read_pieces(const char *path, rki_take_fn take, void *user);

#endif
