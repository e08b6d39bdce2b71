/** @file
 * Arrays in files: numbers that another program computed, such as the features of images.
 *
 * The file is safetensors (docs/file-format.md): named arrays of any shape, and texts under keys. A
 * model's file is one too, so its parameters can be looked at without its layers. Parts are read as
 * they are needed, so the file may be larger than memory.
 */
#ifndef RNNKIT_ARRAYS_H
#define RNNKIT_ARRAYS_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Opens a file and checks it; the values stay where they are.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_arrays_destroy. The file is mapped until
 *   then: it may be replaced or removed, but nobody may shorten it.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_FORMAT (damaged, or no
 *   safetensors file), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: safetensors format (huggingface/safetensors, README).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_arrays_open(
    rnnkit_context *context, const char *path, rnnkit_arrays **out);

/** Closes the file; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle, and the names and texts it gave, are invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_arrays_destroy(rnnkit_arrays *arrays);

/** The name of array `index`, counted from 0 in the order of the file; NULL behind the last.
 *
 * Arrays: none.
 * Ownership: the text lives as long as the handle.
 * Errors: none; NULL for a bad handle.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_arrays_name(const rnnkit_arrays *arrays, int64_t index);

/** The text that the file has under a key of its metadata; NULL when there is none.
 *
 * Arrays: none.
 * Ownership: the text lives as long as the handle.
 * Errors: none; NULL for a bad handle.
 * Threads: shared.
 * Since: 0.1.
 * Source: safetensors format (`__metadata__`).
 */
RNNKIT_API const char *rnnkit_arrays_entry(const rnnkit_arrays *arrays, const char *key);

/** The sizes of an array. Unlike a tensor it may have any number of dimensions, and a size may be 0.
 *
 * Arrays: dims: room for `capacity` sizes; *rank: how many there are.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_NOT_FOUND; RNNKIT_E_TOO_SMALL when
 *   capacity < rank, and *rank is set all the same.
 * Threads: shared.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_arrays_shape(
    const rnnkit_arrays *arrays, const char *name, int64_t *dims, int64_t capacity, int64_t *rank);

/** Reads a part of an array: its elements `first` to first + count - 1, row-major, converted from
 * F32, F16, BF16 or F64.
 *
 * Arrays: values: `count` floats.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (NULL); RNNKIT_E_NOT_FOUND; RNNKIT_E_SHAPE when the
 *   array has no such elements; RNNKIT_E_FORMAT when they are of another type.
 * Threads: shared.
 * Since: 0.1.
 * Source: safetensors format.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_arrays_read(
    const rnnkit_arrays *arrays, const char *name, int64_t first, float *values, int64_t count);

RNNKIT_END

#endif
