/* Results that go to a caller's buffer: (capacity, needed), the same everywhere. */
#ifndef RKI_BASE_GIVE_H
#define RKI_BASE_GIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Sets *needed to size and copies `size` bytes, or says RNNKIT_E_TOO_SMALL and copies nothing. */
int32_t rki_give_bytes(
    const void *bytes, size_t size, char *buffer, int64_t capacity, int64_t *needed);

/* The same for a text with its NUL. */
int32_t rki_give_text(const char *text, char *buffer, int64_t capacity, int64_t *needed);

#endif
