/* Whole numbers from and to little-endian bytes, at any alignment, on any host. Compilers make one
 * load or store of each. */
#ifndef RKI_BASE_BYTES_H
#define RKI_BASE_BYTES_H

#include <stdint.h>

static inline uint32_t rki_load16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static inline uint32_t rki_load32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint64_t rki_load64(const unsigned char *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

static inline void rki_store32(unsigned char *bytes, uint32_t value)
{
    bytes[0] = (unsigned char)value;
    bytes[1] = (unsigned char)(value >> 8);
    bytes[2] = (unsigned char)(value >> 16);
    bytes[3] = (unsigned char)(value >> 24);
}

static inline void rki_store64(unsigned char *bytes, uint64_t value)
{
    rki_store32(bytes, (uint32_t)value);
    rki_store32(bytes + 4, (uint32_t)(value >> 32));
}

#endif
