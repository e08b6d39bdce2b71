/* Characters, a byte at a time. See characters.h. */
#include "text/characters.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/utf8.h"

enum { REPLACEMENT = 0xFFFD };

void rki_utf8_init(rki_utf8 *decoder, rki_utf8_policy policy)
{
    *decoder = (rki_utf8){.policy = policy};
}

/* Begins a sequence of two or more bytes; 0 when no sequence begins with `byte`. */
static int begin(rki_utf8 *decoder, unsigned char byte)
{
    decoder->low = 0x80;
    decoder->high = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
        decoder->wanted = 1;
        decoder->code = byte & 0x1F;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        decoder->wanted = 2;
        decoder->code = byte & 0x0F;
        if (byte == 0xE0) decoder->low = 0xA0;  /* else overlong */
        if (byte == 0xED) decoder->high = 0x9F; /* else a surrogate */
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        decoder->wanted = 3;
        decoder->code = byte & 0x07;
        if (byte == 0xF0) decoder->low = 0x90;  /* else overlong */
        if (byte == 0xF4) decoder->high = 0x8F; /* else beyond U+10FFFF */
    } else {
        return 0;
    }
    decoder->begun = 1;
    return 1;
}

/* What a bad sequence comes to: 1 with a replacement, 0 for nothing, or a failure. */
static int32_t bad(rki_utf8 *decoder, int64_t place, const char *why, int32_t *code)
{
    decoder->begun = decoder->wanted = 0;
    if (decoder->policy == RKI_UTF8_STRICT)
        return rki_fail(
            RNNKIT_E_ENCODING, "text is not UTF-8: %s at byte %lld", why, (long long)place);
    *code = REPLACEMENT;
    return decoder->policy == RKI_UTF8_REPLACE;
}

static int32_t bad_byte(rki_utf8 *decoder, unsigned char byte, int32_t *code)
{
    char why[48];
    snprintf(why, sizeof why, "0x%02X begins no character,", byte);
    return bad(decoder, decoder->offset++, why, code);
}

int32_t rki_utf8_take(
    rki_utf8 *decoder, const unsigned char **cursor, const unsigned char *end, int32_t *code)
{
    while (*cursor < end) {
        unsigned char byte = **cursor;
        int32_t given = 0;
        if (decoder->wanted == 0) {
            (*cursor)++;
            if (byte < 0x80) {
                decoder->offset++;
                *code = byte;
                return 1;
            }
            if (begin(decoder, byte))
                decoder->offset++;
            else
                given = bad_byte(decoder, byte, code);
        } else if (byte < decoder->low || byte > decoder->high) {
            /* The byte itself may begin the next character: it is not taken. */
            given =
                bad(decoder, decoder->offset - decoder->begun, "a broken character begins", code);
        } else {
            (*cursor)++;
            decoder->offset++;
            decoder->code = decoder->code << 6 | (byte & 0x3F);
            decoder->low = 0x80;
            decoder->high = 0xBF;
            decoder->begun++;
            if (--decoder->wanted == 0) {
                decoder->begun = 0;
                *code = decoder->code;
                return 1;
            }
        }
        if (given != 0) return given;
    }
    return 0;
}

int32_t rki_utf8_end(rki_utf8 *decoder, int32_t *code)
{
    int32_t given = 0;
    if (decoder->wanted > 0)
        given = bad(decoder, decoder->offset - decoder->begun,
            "the text ends within the character that begins", code);
    rki_utf8_init(decoder, decoder->policy);
    return given;
}

size_t rki_utf8_encode(int32_t code, char out[RKI_UTF8_LONGEST])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

int64_t rki_utf8_count(const char *text, size_t size)
{
    if (rki_utf8_span(text, size) < size) return -1;
    int64_t count = 0;
    for (size_t i = 0; i < size; i++)
        count += (text[i] & 0xC0) != 0x80;
    return count;
}

size_t rki_utf8_whole(const char *text, size_t size)
{
    size_t back = size < RKI_UTF8_LONGEST ? size : RKI_UTF8_LONGEST - 1;
    for (size_t i = 1; i <= back; i++) {
        const unsigned char *start = (const unsigned char *)text + size - i;
        if (*start < 0x80) return size;
        if (*start < 0xC0) continue;
        rki_utf8 decoder;
        rki_utf8_init(&decoder, RKI_UTF8_REPLACE);
        const unsigned char *cursor = start;
        int32_t code;
        int unfinished = rki_utf8_take(&decoder, &cursor, start + i, &code) == 0;
        return unfinished ? size - i : size;
    }
    return size;
}

const char *rki_utf8_show(const char *text, size_t size, char out[RKI_UTF8_SHOWN])
{
    static const char more[] = "...";
    enum { ROOM = RKI_UTF8_SHOWN - sizeof more };
    size_t used = 0, at = 0;
    while (at < size) {
        unsigned char byte = (unsigned char)text[at];
        size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
        int plain = byte > 0x20 && byte != 0x7F && length <= size - at &&
                    rki_utf8_span(text + at, length) == length;
        if (used + 4 > ROOM) break;
        if (plain) {
            memcpy(out + used, text + at, length);
            used += length;
            at += length;
        } else {
            used += (size_t)snprintf(out + used, 5, "\\x%02x", byte);
            at++;
        }
    }
    memcpy(out + used, at < size ? more : "", at < size ? sizeof more : 1);
    return out;
}
