/* Weights to their formats and back, in plain C. See formats.h. */
#include "backend/formats.h"

#include <math.h>
#include <string.h>

enum { MOST = 127, HALF = 16 };

size_t rki_format_bytes(rki_format format, int64_t rows, int64_t columns)
{
    int64_t group = rki_format_group(format);
    if (rki_format_packed(format))
        return (size_t)((rows + group - 1) / group * columns) * RKI_FORMAT_LINE;
    return rki_format_header(format, rows) + (size_t)rows * rki_format_row(format, columns);
}

/* The upper half of a float, rounded to nearest even; a NaN stays one. */
static uint32_t round_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) return bits >> HALF | 0x40u;
    return (bits + 0x7FFFu + (bits >> HALF & 1u)) >> HALF;
}

static float widen_half(uint32_t half)
{
    uint32_t bits = half << HALF;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void pack_half(int64_t columns, const float *values, uint32_t *pairs)
{
    for (int64_t c = 0; c < columns; c += 2) {
        uint32_t second = c + 1 < columns ? round_half(values[c + 1]) : 0;
        pairs[c / 2] = round_half(values[c]) | second << HALF;
    }
}

/* Returns the scale. */
static float pack_bytes(int64_t columns, const float *values, int8_t *bytes)
{
    const double whole = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds, to nearest even */
    float most = 0.0f;
    for (int64_t c = 0; c < columns; c++) {
        if (!isfinite(values[c])) return NAN; /* the bytes are zeros, and NaN * 0 is NaN */
        if (fabsf(values[c]) > most) most = fabsf(values[c]);
    }
    float scale = most / (float)MOST;
    if (scale == 0.0f) return 0.0f;
    if (isinf(scale * (float)MOST)) scale = nextafterf(scale, 0.0f);
    for (int64_t c = 0; c < columns; c++) {
        double q = (double)values[c] / (double)scale + whole - whole;
        bytes[c] = (int8_t)(q > MOST ? MOST : q < -MOST ? -MOST : q);
    }
    return scale;
}

/* The first number of four bytes of a row, or that of which it has a half; those behind it stand
 * RKI_GROUP apart. */
static int64_t packed_row(rki_format format, int64_t columns, int64_t row)
{
    return row / rki_format_group(format) * RKI_GROUP * columns + row % RKI_GROUP;
}

/* A column of RKI_GROUP rows at a time: what is written is whole lines. */
static void pack_groups(
    int64_t columns, int64_t first, int64_t count, const float *values, float *block)
{
    for (int64_t r = first; r < first + count;) {
        int64_t rows = RKI_GROUP - r % RKI_GROUP;
        if (rows > first + count - r) rows = first + count - r;
        const float *from = values + (r - first) * columns;
        float *to = block + packed_row(RKI_PACKED, columns, r);
        for (int64_t c = 0; c < columns; c++)
            for (int64_t i = 0; i < rows; i++)
                to[c * RKI_GROUP + i] = from[i * columns + c];
        r += rows;
    }
}

/* The half that holds column 0 of a row. Threads may write the two halves of a number at once. */
static int64_t packed_half(int64_t columns, int64_t row)
{
    return 2 * packed_row(RKI_PACKED_BF16, columns, row) + row / RKI_GROUP % 2;
}

static void pack_halves(
    int64_t columns, int64_t first, int64_t count, const float *values, uint16_t *block)
{
    for (int64_t r = first; r < first + count; r++, values += columns) {
        uint16_t *to = block + packed_half(columns, r);
        for (int64_t c = 0; c < columns; c++)
            to[c * 2 * RKI_GROUP] = (uint16_t)round_half(values[c]);
    }
}

void rki_format_pack_rows(rki_format format, int64_t rows, int64_t columns, int64_t first,
    int64_t count, const float *values, void *block)
{
    if (format == RKI_PACKED) {
        pack_groups(columns, first, count, values, block);
        return;
    }
    if (format == RKI_PACKED_BF16) {
        pack_halves(columns, first, count, values, block);
        return;
    }
    char *begin = (char *)block + rki_format_header(format, rows);
    size_t step = rki_format_row(format, columns);
    for (int64_t r = first; r < first + count; r++, values += columns) {
        void *row = begin + (size_t)r * step;
        if (format == RKI_BF16)
            pack_half(columns, values, row);
        else
            ((float *)block)[r] = pack_bytes(columns, values, row);
    }
}

void rki_format_pack(
    rki_format format, int64_t rows, int64_t columns, const float *values, void *block)
{
    memset(block, 0, rki_format_bytes(format, rows, columns));
    rki_format_pack_rows(format, rows, columns, 0, rows, values, block);
}

void rki_format_unpack(
    rki_format format, int64_t rows, int64_t columns, int64_t row, const void *block, float *values)
{
    if (format == RKI_PACKED) {
        const float *packed = (const float *)block + packed_row(format, columns, row);
        for (int64_t c = 0; c < columns; c++)
            values[c] = packed[c * RKI_GROUP];
        return;
    }
    if (format == RKI_PACKED_BF16) {
        const uint16_t *packed = (const uint16_t *)block + packed_half(columns, row);
        for (int64_t c = 0; c < columns; c++)
            values[c] = widen_half(packed[c * 2 * RKI_GROUP]);
        return;
    }
    const void *from = (const char *)block + rki_format_header(format, rows) +
                       (size_t)row * rki_format_row(format, columns);
    if (format == RKI_BF16) {
        const uint32_t *pairs = from;
        for (int64_t c = 0; c < columns; c++)
            values[c] = widen_half(c % 2 ? pairs[c / 2] >> HALF : pairs[c / 2] & 0xFFFFu);
        return;
    }
    const int8_t *bytes = from;
    float scale = ((const float *)block)[row];
    for (int64_t c = 0; c < columns; c++)
        values[c] = scale * (float)bytes[c];
}
