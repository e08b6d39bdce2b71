/* An allocator that fails on purpose. See failing_memory.h. */
#include "failing_memory.h"

#include <stdlib.h>

void *failing_allocate(size_t bytes, size_t alignment, void *user)
{
    failing_memory *memory = user;
    void *block = NULL;
    memory->calls++;
    memory->bytes += (int64_t)bytes;
    if (memory->calls == memory->fail_at) return NULL;
    if (posix_memalign(&block, alignment, bytes) != 0) return NULL;
    memory->alive++;
    return block;
}

void failing_release(void *block, void *user)
{
    failing_memory *memory = user;
    memory->alive--;
    free(block);
}
