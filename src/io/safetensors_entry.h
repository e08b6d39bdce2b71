/* One tensor of a safetensors header. */
#ifndef RKI_IO_SAFETENSORS_ENTRY_H
#define RKI_IO_SAFETENSORS_ENTRY_H

#include <cjson/cJSON.h>

#include "io/safetensors.h"

/* Reads {"dtype", "shape", "data_offsets"} of the tensor item->string into *entry, which is zeroed;
 * other fields are passed over. Its place must be within the data, its size that of its shape.
 * `dims` has room for the shape. */
int32_t rki_st_parse_entry(const cJSON *item, const unsigned char *data, size_t data_size,
    int64_t *dims, rki_st_entry *entry);

#endif
