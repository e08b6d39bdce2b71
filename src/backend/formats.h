/* Formats: how a weight is held for inference, where its memory counts more than its last bits or
 * its place in memory more than its shape.
 *
 * A weight W of [rows][columns] is one block, with rows that end in zeros up to whole cache lines:
 *   RKI_BF16  [rows][stride] of bfloat16, the upper half of a float, rounded to nearest even. Two
 *             columns share a uint32_t, the first of them in its low half.
 *   RKI_INT8  float scales [rows], up to a whole cache line, and then int8 [rows][stride]:
 *             W[r][c] = scales[r] q[r][c], q from -127 to 127, scales[r] = max over c |W[r][c]| / 127
 *   RKI_PACKED  float [groups][columns][RKI_GROUP], a group being RKI_GROUP rows that a product takes
 *             side by side; zeros behind the last row. Nothing is rounded: a product gives the bits
 *             that it gives with the weight as it was.
 *   RKI_PACKED_BF16  the same of bfloat16, in groups of 2 RKI_GROUP rows: element i of a column's
 *             line is a uint32_t with row i in its low half, which is first in memory (little
 *             endian), and row RKI_GROUP + i in its high one. A product gives the bits that it
 *             gives with the rounded weight.
 * RKI_BF16 is for rows that are looked up, RKI_PACKED_BF16 for products; the others serve both.
 * A row that holds a NaN or an infinity is NaN as a whole in RKI_INT8.
 */
#ifndef RKI_BACKEND_FORMATS_H
#define RKI_BACKEND_FORMATS_H

#include <stddef.h>
#include <stdint.h>

typedef enum rki_format {
    RKI_PLAIN, /* elements of the device's dtype, without gaps */
    RKI_BF16,
    RKI_INT8,
    RKI_PACKED,
    RKI_PACKED_BF16
} rki_format;

enum {
    RKI_FORMAT_LINE = 64, /* bytes of a cache line: rows are whole ones */
    RKI_GROUP = 16        /* numbers of four bytes in it: a column's of a group */
};

static inline int rki_format_packed(rki_format format)
{
    return format == RKI_PACKED || format == RKI_PACKED_BF16;
}

/* Rows of a group; 1 where each row is for itself. */
static inline int64_t rki_format_group(rki_format format)
{
    return rki_format_packed(format) ? RKI_GROUP * (format == RKI_PACKED ? 1 : 2) : 1;
}

/* What a weight is held in that products alone read. */
static inline rki_format rki_format_of_products(rki_format format)
{
    return format == RKI_BF16 ? RKI_PACKED_BF16 : format;
}

/* The next three are for RKI_BF16 and RKI_INT8, where W is rows one behind the other. */

/* Elements from one row to the next. */
static inline int64_t rki_format_stride(rki_format format, int64_t columns)
{
    int64_t line = RKI_FORMAT_LINE / (format == RKI_BF16 ? 2 : 1);
    return (columns + line - 1) / line * line;
}

/* Bytes before the first row: the scales. */
static inline size_t rki_format_header(rki_format format, int64_t rows)
{
    size_t line = RKI_FORMAT_LINE;
    return format == RKI_INT8 ? ((size_t)rows * sizeof(float) + line - 1) / line * line : 0;
}

/* Bytes of a row. */
static inline size_t rki_format_row(rki_format format, int64_t columns)
{
    return (size_t)rki_format_stride(format, columns) * (format == RKI_BF16 ? 2 : 1);
}

/* Floats from the first column to `column`, of a plain weight or a packed one. */
static inline int64_t rki_format_column(rki_format format, int64_t column)
{
    return column * (rki_format_packed(format) ? RKI_GROUP : 1);
}

/* Bytes of the whole block; the caller has seen that a group of rows more in double fits into a
 * size_t. */
size_t rki_format_bytes(rki_format format, int64_t rows, int64_t columns);

/* Brings values [rows][columns] into a block. Host memory, 64-byte aligned. */
void rki_format_pack(
    rki_format format, int64_t rows, int64_t columns, const float *values, void *block);

/* The same for rows first .. first + count - 1 alone, of values [count][columns], into a block that
 * was zeros. Threads may pack different rows at once. */
void rki_format_pack_rows(rki_format format, int64_t rows, int64_t columns, int64_t first,
    int64_t count, const float *values, void *block);

/* One row of a block as floats. */
void rki_format_unpack(rki_format format, int64_t rows, int64_t columns, int64_t row,
    const void *block, float *values);

#endif
