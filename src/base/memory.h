/* Memory: every host allocation of the library goes through the context's hook.
 *
 * Sizes are count * size, checked for overflow; a failure is RNNKIT_E_MEMORY with a message that
 * names what was being allocated. Blocks are 64-byte aligned, so vectors may be loaded whole.
 */
#ifndef RKI_BASE_MEMORY_H
#define RKI_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "rnnkit/context.h"

enum { RKI_ALIGNMENT = 64 };

typedef struct rki_memory {
    rnnkit_allocate_fn allocate;
    rnnkit_release_fn release;
    void *user;
} rki_memory;

/* The C library's aligned allocator. */
rki_memory rki_default_memory(void);

/* *out = zeroed block of count * size bytes; count 0 gives a valid block of one byte. */
int32_t rki_allocate(
    const rki_memory *memory, int64_t count, size_t size, const char *what, void **out);

/* NULL is fine. */
void rki_release(const rki_memory *memory, void *block);

/* Makes room for `needed` elements, keeping the first `used`; grows by half at least.
 * On failure *block and *capacity are as they were. */
int32_t rki_grow(const rki_memory *memory, void **block, int64_t *capacity, int64_t used,
    int64_t needed, size_t size, const char *what);

/* Copies `length` bytes and adds a NUL; length -1 means strlen(text). */
int32_t rki_copy_text(const rki_memory *memory, const char *text, int64_t length, char **out);

/* *out = a * b, or RNNKIT_E_SHAPE when that exceeds int64 or either is negative. */
int32_t rki_multiply(int64_t a, int64_t b, int64_t *out);

#endif
