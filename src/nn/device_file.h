/* Values of a device to and from a safetensors file, piece by piece: no whole copy is ever held. */
#ifndef RKI_NN_DEVICE_FILE_H
#define RKI_NN_DEVICE_FILE_H

#include "backend/device.h"
#include "io/safetensors.h"

/* Room for one piece; released with rki_release. Loading allocates it before it changes anything. */
int32_t rki_piece_allocate(const rki_memory *memory, void **piece);

/* The type in which the device's values are written: its own, so that nothing is rounded. */
rki_st_dtype rki_device_file_type(const rki_device *device);

/* Puts `count` values of the device. */
int32_t rki_device_put(const rki_device *device, void *piece, const void *values, int64_t count,
    rki_st_writer *writer);

/* RNNKIT_E_FORMAT unless the entry has a type of floats, RNNKIT_E_SHAPE unless it has that shape;
 * both shapes are named. */
int32_t rki_device_check_entry(const rki_st_entry *entry, const rki_shape *expected);

/* Sets values of the device to those of an entry that has been checked. */
int32_t rki_device_take(
    const rki_device *device, void *piece, const rki_st_entry *entry, void *values);

#endif
