/* Memory: the hook, checked sizes, growth. See memory.h. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Weights and activations are walked in long strides, where each small page costs a look-up of its
 * own: large blocks ask for huge pages, which Linux gives to those who ask. */
static void *default_allocate(size_t bytes, size_t alignment, void *user)
{
    enum { HUGE_PAGE = 2 << 20, LEAST = 2 * HUGE_PAGE };
    (void)user;
    void *block = NULL;
#ifdef MADV_HUGEPAGE
    if (bytes >= LEAST) {
        if (posix_memalign(&block, HUGE_PAGE, bytes) != 0) return NULL;
        madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: may fail */
        return block;
    }
#endif
    return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}

static void default_release(void *block, void *user)
{
    (void)user;
    free(block);
}

rki_memory rki_default_memory(void)
{
    return (rki_memory){default_allocate, default_release, NULL};
}

int32_t rki_allocate(
    const rki_memory *memory, int64_t count, size_t size, const char *what, void **out)
{
    size_t bytes;
    if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) ||
        bytes > (size_t)PTRDIFF_MAX - RKI_ALIGNMENT)
        return rki_fail(RNNKIT_E_MEMORY,
            "%s: %lld elements of %zu bytes are more than an address can hold", what,
            (long long)count, size);
    if (bytes == 0) bytes = 1;
    void *block = memory->allocate(bytes, RKI_ALIGNMENT, memory->user);
    if (block == NULL)
        return rki_fail(RNNKIT_E_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
    memset(block, 0, bytes);
    *out = block;
    return RNNKIT_OK;
}

void rki_release(const rki_memory *memory, void *block)
{
    if (block != NULL) memory->release(block, memory->user);
}

int32_t rki_grow(const rki_memory *memory, void **block, int64_t *capacity, int64_t used,
    int64_t needed, size_t size, const char *what)
{
    if (needed <= *capacity) return RNNKIT_OK;
    int64_t wanted = *capacity + *capacity / 2;
    if (wanted < needed) wanted = needed;
    if (wanted < 16) wanted = 16;
    void *larger = NULL;
    RKI_TRY(rki_allocate(memory, wanted, size, what, &larger));
    if (used > 0) memcpy(larger, *block, (size_t)used * size);
    rki_release(memory, *block);
    *block = larger;
    *capacity = wanted;
    return RNNKIT_OK;
}

int32_t rki_copy_text(const rki_memory *memory, const char *text, int64_t length, char **out)
{
    size_t bytes = length < 0 ? strlen(text) : (size_t)length;
    void *block = NULL;
    RKI_TRY(rki_allocate(memory, (int64_t)bytes + 1, 1, "a text", &block));
    memcpy(block, text, bytes);
    *out = block;
    return RNNKIT_OK;
}

int32_t rki_multiply(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, out))
        return rki_fail(
            RNNKIT_E_SHAPE, "%lld * %lld elements are too many", (long long)a, (long long)b);
    return RNNKIT_OK;
}
