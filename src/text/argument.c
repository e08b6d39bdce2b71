/* Checks of arguments. See argument.h. */
#include "text/argument.h"

#include <string.h>

#include "base/object.h"

int32_t rki_check_text(const char *text, int64_t length, const char *argument, size_t *size)
{
    RKI_TRY(rki_check_pointer(text, argument));
    if (length < -1 || (uint64_t)(length + 1) > PTRDIFF_MAX)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "length is %lld, expected the bytes of %s, or -1 when it ends with NUL",
            (long long)length, argument);
    *size = length < 0 ? strlen(text) : (size_t)length;
    return RNNKIT_OK;
}

int32_t rki_check_room(const void *array, int64_t capacity, const char *argument)
{
    if (capacity < 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "capacity is %lld, below 0", (long long)capacity);
    if (capacity > 0 && array == NULL)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "%s is NULL but capacity is %lld", argument, (long long)capacity);
    return RNNKIT_OK;
}

int32_t rki_check_capacity(int64_t capacity, int64_t needed, const char *unit)
{
    if (capacity < needed)
        return rki_fail(RNNKIT_E_TOO_SMALL, "the buffer holds %lld %s, %lld are needed",
            (long long)capacity, unit, (long long)needed);
    return RNNKIT_OK;
}

const char *rki_path_end(const char *path)
{
    enum { SHOWN = 200 };
    size_t length = strlen(path);
    if (length <= SHOWN) return path;
    path += length - SHOWN;
    while ((*path & 0xC0) == 0x80)
        path++;
    return path;
}
