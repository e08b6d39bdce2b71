/* The checksum of what a safetensors file says, however it is laid out.
 *
 * It is the sum, modulo 2^64, of one XXH64 per tensor and per text (but not the checksum's own), so
 * it does not depend on their order:
 *   tensor: XXH64(data), seeded with XXH64(name, NUL, dtype's name, NUL, each dimension as 8 bytes
 *           little-endian), seeded with 1
 *   text:   XXH64(value), seeded with XXH64(key), seeded with 2
 * It is written as 16 hexadecimal digits. A program that copies a file tensor by tensor keeps it
 * valid; one that changes a value does not.
 */
#ifndef RKI_IO_SAFETENSORS_CHECKSUM_H
#define RKI_IO_SAFETENSORS_CHECKSUM_H

#include "base/hash.h"
#include "io/safetensors.h"

enum { RKI_ST_CHECKSUM_DIGITS = 16 };

/* Starts the hash of a tensor; its data follow with rki_hash_add. */
void rki_st_hash_tensor(
    rki_hash *hash, const char *name, rki_st_dtype dtype, const int64_t *dims, int64_t rank);

uint64_t rki_st_hash_text(const char *key, const char *value);

/* Fills RKI_ST_CHECKSUM_DIGITS digits and a NUL. */
void rki_st_checksum_text(uint64_t checksum, char text[RKI_ST_CHECKSUM_DIGITS + 1]);

#endif
