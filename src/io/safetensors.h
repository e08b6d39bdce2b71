/* safetensors files: named arrays and a few texts.
 *
 * Format (huggingface/safetensors, README, "Format"): 8 bytes, the header's length N, unsigned and
 * little-endian; N bytes of JSON in UTF-8 that start with '{' and may end in spaces; the data to
 * the end of the file. The JSON object maps each name to {"dtype", "shape", "data_offsets": [begin,
 * end]}, offsets counted from the start of the data, and "__metadata__" to an object of texts.
 * No name twice, no overlap, no hole, values little-endian and row-major, N at most 100,000,000.
 *
 * The reader checks all of that before it gives out anything; whatever it does not allow is
 * RNNKIT_E_FORMAT with a message that names the file, the place, what came and what was expected.
 * The writer gives the same bytes for the same content, on every machine and in every locale.
 */
#ifndef RKI_IO_SAFETENSORS_H
#define RKI_IO_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "tensor/tensor.h"

/* Every type that the format defines. Those that cannot be read here can be listed and passed
 * over. */
typedef enum rki_st_dtype {
    RKI_ST_BOOL,
    RKI_ST_F4,
    RKI_ST_F6_E2M3,
    RKI_ST_F6_E3M2,
    RKI_ST_U8,
    RKI_ST_I8,
    RKI_ST_F8_E5M2,
    RKI_ST_F8_E4M3,
    RKI_ST_F8_E8M0,
    RKI_ST_F8_E4M3FNUZ,
    RKI_ST_F8_E5M2FNUZ,
    RKI_ST_I16,
    RKI_ST_U16,
    RKI_ST_F16,
    RKI_ST_BF16,
    RKI_ST_I32,
    RKI_ST_U32,
    RKI_ST_F32,
    RKI_ST_C64,
    RKI_ST_F64,
    RKI_ST_I64,
    RKI_ST_U64,
    RKI_ST_DTYPE_COUNT
} rki_st_dtype;

/* "F32" */
const char *rki_st_dtype_name(rki_st_dtype dtype);

/* How many bits an element has. */
int64_t rki_st_dtype_bits(rki_st_dtype dtype);

/* A name or text from a file as a message may show it: shortened, control characters as '?'. */
enum { RKI_ST_SHOWN = 128 };
const char *rki_st_shown(const char *text, char buffer[RKI_ST_SHOWN]);

/* Reading. Everything given out belongs to the open file. */

typedef struct rki_st rki_st;

typedef struct rki_st_entry {
    const char *name; /* UTF-8, ends with NUL; may be empty */
    rki_st_dtype dtype;
    int64_t rank; /* any; see rki_st_entry_shape */
    const int64_t *dims;
    int64_t count;             /* elements */
    const unsigned char *data; /* at no particular alignment */
    size_t bytes;
} rki_st_entry;

typedef struct rki_st_text {
    const char *key;
    const char *value;
} rki_st_text;

/* Maps the file. */
int32_t rki_st_open_file(const rki_memory *memory, const char *path, rki_st **out);

/* The bytes must stay as they are until rki_st_close. */
int32_t rki_st_open_memory(const rki_memory *memory, const void *bytes, size_t size, rki_st **out);

/* NULL is fine. */
void rki_st_close(rki_st *st);

/* Tensors, in the order of the header; NULL behind the last, or when there is none of that name. */
int64_t rki_st_count(const rki_st *st);
const rki_st_entry *rki_st_entry_at(const rki_st *st, int64_t index);
const rki_st_entry *rki_st_find(const rki_st *st, const char *name);

/* Texts of "__metadata__", by key ascending (bytes); NULL behind the last, or without such a key.
 */
int64_t rki_st_metadata_count(const rki_st *st);
const rki_st_text *rki_st_metadata_at(const rki_st *st, int64_t index);
const char *rki_st_metadata(const rki_st *st, const char *key);

/* The entry's shape as the library's own; RNNKIT_E_FORMAT when the library has no such shape (no or
 * too many dimensions, one of size 0). */
int32_t rki_st_entry_shape(const rki_st_entry *entry, rki_shape *out);

/* "[6, 4]", whatever the rank; cut off where it is longer. */
enum { RKI_ST_SHAPE_TEXT = 128 };
const char *rki_st_shape_text(const rki_st_entry *entry, char buffer[RKI_ST_SHAPE_TEXT]);

/* Copies entry->count values, converted from F32, F16, BF16 or F64; RNNKIT_E_FORMAT for another
 * type, and nothing is written. F64 rounds to nearest, and beyond float32 to infinity. */
int32_t rki_st_read_float32(const rki_st_entry *entry, float *out);
int32_t rki_st_read_float64(const rki_st_entry *entry, double *out);

/* The same for I64 alone. */
int32_t rki_st_read_int64(const rki_st_entry *entry, int64_t *out);

/* RNNKIT_E_FORMAT unless the first two of these can read the entry. */
int32_t rki_st_check_floats(const rki_st_entry *entry);

/* Elements first to first + count - 1 of an entry, as one of rank 1 without its own dims; not for
 * types with less than a byte. */
rki_st_entry rki_st_entry_part(const rki_st_entry *entry, int64_t first, int64_t count);

/* Compares the content with the checksum that the text of that key holds (safetensors_checksum.h);
 * a file without one is fine. */
int32_t rki_st_check(const rki_st *st, const char *key);

/* Writing: add texts and tensors, open, put the tensors' values in the order of declaration, in
 * pieces of any size, commit. Texts are written by key ascending. */

typedef struct rki_st_writer rki_st_writer;

int32_t rki_st_writer_create(const rki_memory *memory, rki_st_writer **out);

/* RNNKIT_E_ARGUMENT when key or value is not UTF-8. */
int32_t rki_st_writer_add_text(rki_st_writer *writer, const char *key, const char *value);

/* Adds a text whose value is the content's checksum, for rki_st_check. Once at most. */
int32_t rki_st_writer_add_checksum(rki_st_writer *writer, const char *key);

/* U8, F32, F64 or I64, from wide to narrow, so that every tensor stands at a multiple of its
 * element's size. RNNKIT_E_ARGUMENT when the name is not UTF-8. */
int32_t rki_st_writer_add_tensor(
    rki_st_writer *writer, const char *name, rki_st_dtype dtype, const int64_t *dims, int64_t rank);

/* Opens the file (base/file.h) and writes the header. RNNKIT_E_ARGUMENT for a name or key that was
 * added twice; RNNKIT_E_SHAPE when the header would be longer than the format allows. */
int32_t rki_st_writer_open(rki_st_writer *writer, const char *path);

/* The next `count` elements of the tensor whose turn it is: bytes, float, double or int64_t. */
int32_t rki_st_writer_put(rki_st_writer *writer, const void *values, int64_t count);

/* Puts the file in place; on failure the old one is as it was. */
int32_t rki_st_writer_commit(rki_st_writer *writer);

/* Frees the writer; a file that was not committed leaves no trace. NULL is fine. */
void rki_st_writer_destroy(rki_st_writer *writer);

#endif
