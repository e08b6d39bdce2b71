/* JSON to a tree. See json_read.h. */
#include "io/json_read.h"

#include <string.h>

#include "base/status.h"
#include "base/utf8.h"

enum { VALUE_LIMIT = 1 << 22 }; /* cJSON takes 64 bytes and more for each */

/* Goes over the string that starts behind the quotation mark at *place, to the mark at its end. */
static int32_t scan_string(const char *text, size_t length, const char *what, size_t *place)
{
    size_t start = *place;
    for (size_t i = start + 1; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '"') {
            *place = i;
            return RNNKIT_OK;
        }
        if (byte < 0x20)
            return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: control character 0x%02x in a string",
                what, i, byte);
        if (byte != '\\') continue;
        if (length - i > 5 && memcmp(text + i, "\\u0000", 6) == 0)
            return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: a string must not contain NUL", what, i);
        i++; /* what is escaped is no closing mark */
    }
    return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: a string that never ends", what, start);
}

static int32_t scan(const char *text, size_t length, int depth_limit, const char *what)
{
    int depth = 0, values = 0;
    size_t whole = rki_utf8_span(text, length);
    if (whole != length) return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: not UTF-8", what, whole);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '"') RKI_TRY(scan_string(text, length, what, &i));
        if (c == '\0') return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: NUL", what, i);
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        if (c == ',' || c == '{' || c == '[') values++;
        if (depth > depth_limit)
            return rki_fail(
                RNNKIT_E_FORMAT, "%s byte %zu: nested more than %d deep", what, i, depth_limit);
        if (values > VALUE_LIMIT)
            return rki_fail(
                RNNKIT_E_FORMAT, "%s byte %zu: more than %d values", what, i, VALUE_LIMIT);
    }
    return RNNKIT_OK;
}

int32_t rki_json_parse(const rki_memory *memory, const char *text, size_t length, int depth,
    const char *what, cJSON **out)
{
    RKI_TRY(scan(text, length, depth, what));
    /* Releases of cJSON before 1.7.19 may look one byte behind the length they are given, so the
     * text gets a NUL there. */
    char *copy;
    RKI_TRY(rki_copy_text(memory, text, (int64_t)length, &copy));
    const char *end = copy;
    cJSON *root = cJSON_ParseWithLengthOpts(copy, length + 1, &end, 1);
    size_t place = (size_t)(end - copy);
    rki_release(memory, copy);
    if (root == NULL)
        return rki_fail(RNNKIT_E_FORMAT, "%s byte %zu: not JSON (or memory ran out)", what, place);
    *out = root;
    return RNNKIT_OK;
}
