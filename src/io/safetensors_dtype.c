/* What reader and writer of safetensors share: the types of the format, and names in messages. */
#include <string.h>

#include "io/safetensors.h"

static const struct {
    const char *name;
    int64_t bits;
} dtypes[RKI_ST_DTYPE_COUNT] = {
    [RKI_ST_BOOL] = {"BOOL", 8},
    [RKI_ST_F4] = {"F4", 4},
    [RKI_ST_F6_E2M3] = {"F6_E2M3", 6},
    [RKI_ST_F6_E3M2] = {"F6_E3M2", 6},
    [RKI_ST_U8] = {"U8", 8},
    [RKI_ST_I8] = {"I8", 8},
    [RKI_ST_F8_E5M2] = {"F8_E5M2", 8},
    [RKI_ST_F8_E4M3] = {"F8_E4M3", 8},
    [RKI_ST_F8_E8M0] = {"F8_E8M0", 8},
    [RKI_ST_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8},
    [RKI_ST_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8},
    [RKI_ST_I16] = {"I16", 16},
    [RKI_ST_U16] = {"U16", 16},
    [RKI_ST_F16] = {"F16", 16},
    [RKI_ST_BF16] = {"BF16", 16},
    [RKI_ST_I32] = {"I32", 32},
    [RKI_ST_U32] = {"U32", 32},
    [RKI_ST_F32] = {"F32", 32},
    [RKI_ST_C64] = {"C64", 64},
    [RKI_ST_F64] = {"F64", 64},
    [RKI_ST_I64] = {"I64", 64},
    [RKI_ST_U64] = {"U64", 64},
};

const char *rki_st_dtype_name(rki_st_dtype dtype)
{
    return dtypes[dtype].name;
}

int64_t rki_st_dtype_bits(rki_st_dtype dtype)
{
    return dtypes[dtype].bits;
}

const char *rki_st_shown(const char *text, char buffer[RKI_ST_SHOWN])
{
    size_t length = strlen(text);
    size_t room = RKI_ST_SHOWN - sizeof "...";
    size_t kept = length;
    if (length > room) {
        kept = room;
        while (kept > 0 && (text[kept] & 0xC0) == 0x80)
            kept--;
    }
    for (size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)text[i];
        buffer[i] = byte < 0x20 || byte == 0x7F ? '?' : text[i];
    }
    memcpy(buffer + kept, "...", sizeof "...");
    if (kept == length) buffer[kept] = '\0';
    return buffer;
}
