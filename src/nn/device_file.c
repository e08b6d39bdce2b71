/* Values of a device to and from a file. See device_file.h. */
#include "nn/device_file.h"

#include <string.h>

enum { PIECE = 64 * 1024 }; /* elements */

int32_t rki_piece_allocate(const rki_memory *memory, void **piece)
{
    return rki_allocate(memory, PIECE, sizeof(double), "a piece of a file", piece);
}

rki_st_dtype rki_device_file_type(const rki_device *device)
{
    return device->dtype == RKI_FLOAT64 ? RKI_ST_F64 : RKI_ST_F32;
}

static int64_t piece_size(int64_t left)
{
    return left < PIECE ? left : PIECE;
}

int32_t rki_device_put(
    const rki_device *device, void *piece, const void *values, int64_t count, rki_st_writer *writer)
{
    const char *next = values;
    while (count > 0) {
        int64_t size = piece_size(count);
        size_t bytes = rki_device_bytes(device, size);
        RKI_TRY(device->ops->download(device->self, piece, next, bytes));
        RKI_TRY(rki_st_writer_put(writer, piece, size));
        next += bytes;
        count -= size;
    }
    return RNNKIT_OK;
}

int32_t rki_device_check_entry(const rki_st_entry *entry, const rki_shape *expected)
{
    char shown[RKI_ST_SHOWN], found[RKI_ST_SHAPE_TEXT], wanted[RKI_SHAPE_TEXT];
    RKI_TRY(rki_st_check_floats(entry));
    if (entry->rank == expected->rank &&
        memcmp(entry->dims, expected->dims, (size_t)entry->rank * sizeof *entry->dims) == 0)
        return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "tensor \"%s\" has shape %s in the file, expected %s",
        rki_st_shown(entry->name, shown), rki_st_shape_text(entry, found),
        rki_shape_text(expected, wanted));
}

int32_t rki_device_take(
    const rki_device *device, void *piece, const rki_st_entry *entry, void *values)
{
    char *next = values;
    for (int64_t first = 0; first < entry->count; first += PIECE) {
        rki_st_entry part = rki_st_entry_part(entry, first, piece_size(entry->count - first));
        if (device->dtype == RKI_FLOAT64)
            RKI_TRY(rki_st_read_float64(&part, piece));
        else
            RKI_TRY(rki_st_read_float32(&part, piece));
        size_t bytes = rki_device_bytes(device, part.count);
        RKI_TRY(device->ops->upload(device->self, next, piece, bytes));
        next += bytes;
    }
    return RNNKIT_OK;
}
