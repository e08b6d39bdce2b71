/* XXH64. See hash.h. Stripes of 32 bytes feed four lanes; the end is mixed in by 8, 4 and 1. */
#include "base/hash.h"

#include <string.h>

#include "base/bytes.h"

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu,
                      prime3 = 0x165667B19E3779F9u, prime4 = 0x85EBCA77C2B2AE63u,
                      prime5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t mix(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * prime2, 31) * prime1;
}

static void take_stripe(rki_hash *hash, const unsigned char *stripe)
{
    for (int i = 0; i < 4; i++)
        hash->lanes[i] = mix(hash->lanes[i], rki_load64(stripe + 8 * i));
}

void rki_hash_start(rki_hash *hash, uint64_t seed)
{
    memset(hash, 0, sizeof *hash);
    hash->seed = seed;
    hash->lanes[0] = seed + prime1 + prime2;
    hash->lanes[1] = seed + prime2;
    hash->lanes[2] = seed;
    hash->lanes[3] = seed - prime1;
}

void rki_hash_add(rki_hash *hash, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    size_t kept = hash->total % sizeof hash->rest;
    hash->total += size;
    if (kept > 0) {
        size_t wanted = sizeof hash->rest - kept;
        if (wanted > size) wanted = size;
        if (wanted > 0) memcpy(hash->rest + kept, next, wanted);
        if (kept + wanted < sizeof hash->rest) return;
        take_stripe(hash, hash->rest);
        next += wanted;
        size -= wanted;
    }
    for (; size >= sizeof hash->rest; size -= sizeof hash->rest, next += sizeof hash->rest)
        take_stripe(hash, next);
    if (size > 0) memcpy(hash->rest, next, size);
}

uint64_t rki_hash_value(const rki_hash *hash)
{
    uint64_t value = hash->seed + prime5;
    if (hash->total >= sizeof hash->rest) {
        static const int turns[4] = {1, 7, 12, 18};
        value = 0;
        for (int i = 0; i < 4; i++)
            value += rotate(hash->lanes[i], turns[i]);
        for (int i = 0; i < 4; i++)
            value = (value ^ mix(0, hash->lanes[i])) * prime1 + prime4;
    }
    value += hash->total;
    const unsigned char *next = hash->rest;
    size_t left = hash->total % sizeof hash->rest;
    for (; left >= 8; left -= 8, next += 8)
        value = rotate(value ^ mix(0, rki_load64(next)), 27) * prime1 + prime4;
    if (left >= 4) {
        value = rotate(value ^ rki_load32(next) * prime1, 23) * prime2 + prime3;
        left -= 4;
        next += 4;
    }
    for (; left > 0; left--, next++)
        value = rotate(value ^ *next * prime5, 11) * prime1;
    value = (value ^ value >> 33) * prime2;
    value = (value ^ value >> 29) * prime3;
    return value ^ value >> 32;
}

uint64_t rki_hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
    rki_hash hash;
    rki_hash_start(&hash, seed);
    rki_hash_add(&hash, bytes, size);
    return rki_hash_value(&hash);
}
