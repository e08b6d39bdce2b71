/* JSON as text. See json_text.h. */
#include "io/json_text.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"

enum { PIECE = 512 };

int32_t rki_json_raw(rki_json_text *json, const char *text, size_t length)
{
    if ((uint64_t)json->used + length > (uint64_t)json->limit)
        return rki_fail(RNNKIT_E_SHAPE, "names and texts take more than the %lld bytes of a header",
            (long long)json->limit);
    void *block = json->data;
    RKI_TRY(rki_grow(json->memory, &block, &json->capacity, json->used,
        json->used + (int64_t)length, 1, "JSON text"));
    json->data = block;
    memcpy(json->data + json->used, text, length);
    json->used += (int64_t)length;
    return RNNKIT_OK;
}

int32_t rki_json_mark(rki_json_text *json, const char *text)
{
    return rki_json_raw(json, text, strlen(text));
}

int32_t rki_json_integer(rki_json_text *json, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    return rki_json_mark(json, digits);
}

int32_t rki_json_string(rki_json_text *json, const char *text)
{
    char piece[PIECE];
    size_t used = 0;
    piece[used++] = '"';
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (used + sizeof "\\u0000" > sizeof piece) {
            RKI_TRY(rki_json_raw(json, piece, used));
            used = 0;
        }
        if (byte == '"' || byte == '\\') {
            piece[used++] = '\\';
            piece[used++] = *text;
        } else if (byte == '\n') {
            piece[used++] = '\\';
            piece[used++] = 'n';
        } else if (byte < 0x20) {
            used += (size_t)snprintf(piece + used, sizeof piece - used, "\\u%04x", byte);
        } else {
            piece[used++] = *text;
        }
    }
    piece[used++] = '"';
    return rki_json_raw(json, piece, used);
}
