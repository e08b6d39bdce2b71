/* UTF-8 checks. See utf8.h. */
#include "base/utf8.h"

#include <utf8proc.h>

size_t rki_utf8_span(const char *text, size_t length)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    size_t place = 0;
    while (place < length) {
        utf8proc_int32_t character;
        if (bytes[place] < 0x80) {
            place++;
            continue;
        }
        /* No character is longer than 4 bytes, so a longer text need not fit the argument. */
        size_t rest = length - place < 4 ? length - place : 4;
        utf8proc_ssize_t size = utf8proc_iterate(bytes + place, (utf8proc_ssize_t)rest, &character);
        if (size <= 0) return place;
        place += (size_t)size;
    }
    return length;
}
