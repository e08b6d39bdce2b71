/* Results that go to a caller's buffer. See give.h. */
#include "base/give.h"

#include <string.h>

int32_t rki_give_bytes(
    const void *bytes, size_t size, char *buffer, int64_t capacity, int64_t *needed)
{
    if (needed == NULL) return rki_fail(RNNKIT_E_ARGUMENT, "needed is NULL");
    if (capacity < 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "capacity is %lld, below 0", (long long)capacity);
    if (capacity > 0 && buffer == NULL)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "buffer is NULL but capacity is %lld", (long long)capacity);
    *needed = (int64_t)size;
    if ((uint64_t)capacity < size)
        return rki_fail(RNNKIT_E_TOO_SMALL, "buffer holds %lld bytes, %zu are needed",
            (long long)capacity, size);
    if (size > 0) memcpy(buffer, bytes, size);
    return RNNKIT_OK;
}

int32_t rki_give_text(const char *text, char *buffer, int64_t capacity, int64_t *needed)
{
    return rki_give_bytes(text, strlen(text) + 1, buffer, capacity, needed);
}
