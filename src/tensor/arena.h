/* Arena: memory that is taken piece by piece and given back all at once.
 *
 * A tape takes its activations, gradients and scratch from one. Clearing keeps the memory: the
 * first steps find out how much is needed, then one block serves every further step, and a steady
 * training step allocates nothing. Pieces are 64-byte aligned; their contents are whatever was
 * there before.
 */
#ifndef RKI_TENSOR_ARENA_H
#define RKI_TENSOR_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* Where an arena's blocks come from: host memory or a device. */
typedef struct rki_arena_source {
    int32_t (*allocate)(void *user, size_t bytes, void **out);
    void (*release)(void *user, void *block);
    void *user;
} rki_arena_source;

typedef struct rki_arena_block rki_arena_block;

typedef struct rki_arena {
    const rki_memory *memory; /* for the list of blocks */
    rki_arena_source source;
    rki_arena_block *newest;
    size_t used; /* within the newest block */
    size_t peak; /* most bytes in use at once since the last clear */
    size_t full; /* bytes of the blocks before the newest */
} rki_arena;

typedef struct rki_arena_mark {
    rki_arena_block *block;
    size_t used;
} rki_arena_mark;

void rki_arena_init(rki_arena *arena, const rki_memory *memory, rki_arena_source source);
void rki_arena_init_host(rki_arena *arena, const rki_memory *memory);

/* Gives every block back. */
void rki_arena_free(rki_arena *arena);

int32_t rki_arena_take(rki_arena *arena, size_t bytes, void **out);

/* Everything taken since the mark is free again; for scratch of one operation. */
rki_arena_mark rki_arena_here(const rki_arena *arena);
void rki_arena_rewind(rki_arena *arena, rki_arena_mark mark);

/* Everything is free again. Several blocks are replaced by one that would have sufficed, at the
 * next take. */
void rki_arena_clear(rki_arena *arena);

#endif
