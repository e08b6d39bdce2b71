/* A 64-bit hash of bytes, to notice damage (not an attacker): XXH64, as the xxHash specification
 * (Collet, "XXH fast digest algorithm", version 0.1.1) defines it. The same on every machine.
 */
#ifndef RKI_BASE_HASH_H
#define RKI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct rki_hash {
    uint64_t seed, total;
    uint64_t lanes[4];
    unsigned char rest[32]; /* total % 32 bytes that fill no stripe yet */
} rki_hash;

void rki_hash_start(rki_hash *hash, uint64_t seed);
void rki_hash_add(rki_hash *hash, const void *bytes, size_t size);
uint64_t rki_hash_value(const rki_hash *hash);

/* The three in one. */
uint64_t rki_hash_bytes(const void *bytes, size_t size, uint64_t seed);

#endif
