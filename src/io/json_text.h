/* JSON as text, in a buffer that grows (RFC 8259): only what our files write: punctuation, strings,
 * whole numbers. The same bytes in every locale. Reading is cJSON's.
 */
#ifndef RKI_IO_JSON_TEXT_H
#define RKI_IO_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef struct rki_json_text {
    const rki_memory *memory;
    int64_t limit; /* bytes; more are RNNKIT_E_SHAPE */
    char *data;    /* release with rki_release */
    int64_t used, capacity;
} rki_json_text;

/* Appends as it stands: punctuation, or JSON that exists already. */
int32_t rki_json_raw(rki_json_text *json, const char *text, size_t length);
int32_t rki_json_mark(rki_json_text *json, const char *text);

/* Appends a string in quotation marks: the text must be UTF-8. */
int32_t rki_json_string(rki_json_text *json, const char *text);

int32_t rki_json_integer(rki_json_text *json, int64_t value);

#endif
