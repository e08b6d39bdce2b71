/* JSON to a tree, strictly: cJSON (RFC 8259), and before it the checks that cJSON leaves out.
 *
 * Refused here: what is not UTF-8; control characters and escaped NULs in strings (a C string would
 * end there); nesting deeper than `depth`; so many values that their tree would fill the memory.
 */
#ifndef RKI_IO_JSON_READ_H
#define RKI_IO_JSON_READ_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/memory.h"

/* *out is to be given to cJSON_Delete. RNNKIT_E_FORMAT says at which byte of `what` ("header"). */
int32_t rki_json_parse(const rki_memory *memory, const char *text, size_t length, int depth,
    const char *what, cJSON **out);

#endif
