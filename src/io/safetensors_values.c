/* Values of safetensors: shapes, and conversion from the file's types to ours (safetensors.h).
 *
 * Bytes are put together by shifts, so host byte order and alignment do not matter. F16 is IEEE
 * 754-2019 binary16, BF16 the upper half of binary32; both fit binary32 exactly.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/status.h"
#include "io/safetensors.h"

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* 1 sign bit, 5 of exponent (bias 15), 10 of fraction. */
static float float_of_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 1023u;
    if (exponent == 31) return float_of_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent != 0) return float_of_bits(sign | (exponent + 112u) << 23 | fraction << 13);
    float value = (float)fraction * 0x1p-24f; /* zero, or subnormal: exact */
    return sign != 0 ? -value : value;
}

static int32_t fail_type(const rki_st_entry *entry, const char *expected)
{
    char shown[RKI_ST_SHOWN];
    return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\" has dtype %s; expected %s",
        rki_st_shown(entry->name, shown), rki_st_dtype_name(entry->dtype), expected);
}

static const char float_types[] = "F32, F16, BF16 or F64";

int32_t rki_st_check_floats(const rki_st_entry *entry)
{
    rki_st_dtype dtype = entry->dtype;
    int floats =
        dtype == RKI_ST_F32 || dtype == RKI_ST_F16 || dtype == RKI_ST_BF16 || dtype == RKI_ST_F64;
    return floats ? RNNKIT_OK : fail_type(entry, float_types);
}

rki_st_entry rki_st_entry_part(const rki_st_entry *entry, int64_t first, int64_t count)
{
    int64_t size = rki_st_dtype_bits(entry->dtype) / 8;
    rki_st_entry part = *entry;
    part.rank = 1;
    part.dims = NULL;
    part.count = count;
    part.data = entry->data + first * size;
    part.bytes = (size_t)(count * size);
    return part;
}

int32_t rki_st_read_float32(const rki_st_entry *entry, float *out)
{
    const unsigned char *data = entry->data;
    int64_t count = entry->count;
    switch (entry->dtype) {
    case RKI_ST_F32:
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_bits(rki_load32(data + 4 * i));
        return RNNKIT_OK;
    case RKI_ST_F16:
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_half(rki_load16(data + 2 * i));
        return RNNKIT_OK;
    case RKI_ST_BF16:
        for (int64_t i = 0; i < count; i++)
            out[i] = float_of_bits(rki_load16(data + 2 * i) << 16);
        return RNNKIT_OK;
    case RKI_ST_F64:
        for (int64_t i = 0; i < count; i++)
            out[i] = (float)double_of_bits(rki_load64(data + 8 * i));
        return RNNKIT_OK;
    default: return fail_type(entry, float_types);
    }
}

int32_t rki_st_read_float64(const rki_st_entry *entry, double *out)
{
    const unsigned char *data = entry->data;
    int64_t count = entry->count;
    switch (entry->dtype) {
    case RKI_ST_F32:
        for (int64_t i = 0; i < count; i++)
            out[i] = (double)float_of_bits(rki_load32(data + 4 * i));
        return RNNKIT_OK;
    case RKI_ST_F16:
        for (int64_t i = 0; i < count; i++)
            out[i] = (double)float_of_half(rki_load16(data + 2 * i));
        return RNNKIT_OK;
    case RKI_ST_BF16:
        for (int64_t i = 0; i < count; i++)
            out[i] = (double)float_of_bits(rki_load16(data + 2 * i) << 16);
        return RNNKIT_OK;
    case RKI_ST_F64:
        for (int64_t i = 0; i < count; i++)
            out[i] = double_of_bits(rki_load64(data + 8 * i));
        return RNNKIT_OK;
    default: return fail_type(entry, float_types);
    }
}

int32_t rki_st_read_int64(const rki_st_entry *entry, int64_t *out)
{
    if (entry->dtype != RKI_ST_I64) return fail_type(entry, "I64");
    for (int64_t i = 0; i < entry->count; i++) {
        uint64_t bits = rki_load64(entry->data + 8 * i);
        memcpy(&out[i], &bits, sizeof bits);
    }
    return RNNKIT_OK;
}

const char *rki_st_shape_text(const rki_st_entry *entry, char buffer[RKI_ST_SHAPE_TEXT])
{
    size_t used = 1;
    memcpy(buffer, "[", 2);
    for (int64_t i = 0; i < entry->rank; i++) {
        /* A size has 16 digits at most, since it is below 2^53. */
        if (used + sizeof ", 9007199254740991, ...]" > RKI_ST_SHAPE_TEXT) {
            memcpy(buffer + used, ", ...", sizeof ", ...");
            used += strlen(", ...");
            break;
        }
        used += (size_t)snprintf(buffer + used, RKI_ST_SHAPE_TEXT - used, "%s%lld",
            i == 0 ? "" : ", ", (long long)entry->dims[i]);
    }
    memcpy(buffer + used, "]", 2);
    return buffer;
}

int32_t rki_st_entry_shape(const rki_st_entry *entry, rki_shape *out)
{
    char shown[RKI_ST_SHOWN], shape[RKI_ST_SHAPE_TEXT];
    if (rki_shape_make(entry->dims, entry->rank, out) == RNNKIT_OK) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_FORMAT,
        "tensor \"%s\" has shape %s; expected 1 to %d dimensions of at least 1",
        rki_st_shown(entry->name, shown), rki_st_shape_text(entry, shape), RKI_RANK);
}
