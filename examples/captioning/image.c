/* See image.h. */
#include "image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/console.h"
#include "../common/input.h"

/* By the bytes that files of the kind start with; NULL when it is none that a browser shows. */
static const char *type_of(const char *bytes, size_t length)
{
    if (length > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return "image/png";
    if (length > 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0) return "image/jpeg";
    if (length > 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return "image/webp";
    if (length > 5 && strlen(bytes) == length && strstr(bytes, "<svg") != NULL)
        return "image/svg+xml";
    return NULL;
}

/* Base 64 (RFC 4648). */
static char *encode(const char *type, const char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc(strlen(type) + 16 + (length + 2) / 3 * 4), *to;

    if (text == NULL) return NULL;
    to = text + sprintf(text, "data:%s;base64,", type);
    for (size_t i = 0; i < length; i += 3) {
        unsigned word = 0;
        size_t count = length - i < 3 ? length - i : 3;

        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < count ? (unsigned char)bytes[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *to++ = k <= count ? digits[word >> (18 - 6 * k) & 63] : '=';
    }
    *to = '\0';
    return text;
}

static int read_file(const char *path, char **uri)
{
    char *bytes;
    size_t length;
    const char *type;

    if (input_read(path, &bytes, &length) != OUTCOME_OK) return OUTCOME_FAILED;
    type = type_of(bytes, length);
    *uri = type != NULL ? encode(type, bytes, length) : NULL;
    free(bytes);
    if (type == NULL) return fail("%s is no SVG, PNG, JPEG or WebP picture", path);
    return *uri == NULL ? fail("out of memory") : OUTCOME_OK;
}

int image_read(const char *folder, const char *name, char **uri)
{
    static const char *const endings[] = {"", ".svg", ".png", ".jpg", ".jpeg", ".webp"};
    size_t size = strlen(folder) + strlen(name) + sizeof "/.jpeg";
    char *path = malloc(size);
    int outcome = OUTCOME_FAILED, found = 0;

    *uri = NULL;
    if (path == NULL) return fail("out of memory");
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !found; i++) {
        snprintf(path, size, "%s/%s%s", folder, name, endings[i]);
        found = access(path, F_OK) == 0;
        if (found) outcome = read_file(path, uri);
    }
    free(path);
    return found ? outcome
                 : fail("--pictures: %s has no file '%s', nor with .svg, .png, .jpg, .jpeg or "
                        ".webp behind",
                       folder, name);
}
