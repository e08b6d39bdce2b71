/* Arena. See arena.h. */
#include "tensor/arena.h"

struct rki_arena_block {
    rki_arena_block *older;
    char *data;
    size_t size;
};

enum { SMALLEST_BLOCK = 1 << 16 };

static int32_t host_allocate(void *user, size_t bytes, void **out)
{
    return rki_allocate(user, (int64_t)bytes, 1, "an arena block", out);
}

static void host_release(void *user, void *block)
{
    rki_release(user, block);
}

void rki_arena_init(rki_arena *arena, const rki_memory *memory, rki_arena_source source)
{
    *arena = (rki_arena){.memory = memory, .source = source};
}

void rki_arena_init_host(rki_arena *arena, const rki_memory *memory)
{
    /* The functions above only read through the pointer. */
    rki_arena_source source = {host_allocate, host_release, (void *)(uintptr_t)memory};
    rki_arena_init(arena, memory, source);
}

static void drop_newest(rki_arena *arena)
{
    rki_arena_block *block = arena->newest;
    arena->newest = block->older;
    arena->source.release(arena->source.user, block->data);
    rki_release(arena->memory, block);
}

void rki_arena_free(rki_arena *arena)
{
    while (arena->newest != NULL)
        drop_newest(arena);
    arena->used = arena->full = 0;
}

static int32_t add_block(rki_arena *arena, size_t at_least)
{
    size_t size = arena->newest == NULL ? arena->peak : arena->newest->size;
    if (size < at_least) size = at_least;
    if (size < SMALLEST_BLOCK) size = SMALLEST_BLOCK;
    void *block, *data;
    RKI_TRY(rki_allocate(arena->memory, 1, sizeof(rki_arena_block), "an arena", &block));
    int32_t status = arena->source.allocate(arena->source.user, size, &data);
    if (status < 0) {
        rki_release(arena->memory, block);
        return status;
    }
    *(rki_arena_block *)block = (rki_arena_block){arena->newest, data, size};
    if (arena->newest != NULL) arena->full += arena->newest->size;
    arena->newest = block;
    arena->used = 0;
    return RNNKIT_OK;
}

int32_t rki_arena_take(rki_arena *arena, size_t bytes, void **out)
{
    if (bytes > (size_t)PTRDIFF_MAX - RKI_ALIGNMENT)
        return rki_fail(RNNKIT_E_MEMORY, "out of memory: %zu bytes for a tape", bytes);
    size_t wanted = (bytes + RKI_ALIGNMENT - 1) / RKI_ALIGNMENT * RKI_ALIGNMENT;
    if (arena->newest == NULL || arena->newest->size - arena->used < wanted)
        RKI_TRY(add_block(arena, wanted));
    *out = arena->newest->data + arena->used;
    arena->used += wanted;
    if (arena->full + arena->used > arena->peak) arena->peak = arena->full + arena->used;
    return RNNKIT_OK;
}

rki_arena_mark rki_arena_here(const rki_arena *arena)
{
    return (rki_arena_mark){arena->newest, arena->used};
}

void rki_arena_rewind(rki_arena *arena, rki_arena_mark mark)
{
    /* A block that was added since the mark stays until the clear: dropping it here would make
     * the next operation allocate again. It is simply empty now. */
    arena->used = arena->newest == mark.block ? mark.used : 0;
}

void rki_arena_clear(rki_arena *arena)
{
    if (arena->newest != NULL && arena->newest->older != NULL)
        while (arena->newest != NULL)
            drop_newest(arena);
    arena->used = arena->full = 0;
}
