/* Checksum of a safetensors file's content. See safetensors_checksum.h. */
#include "io/safetensors_checksum.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/status.h"

void rki_st_hash_tensor(
    rki_hash *hash, const char *name, rki_st_dtype dtype, const int64_t *dims, int64_t rank)
{
    const char *type = rki_st_dtype_name(dtype);
    rki_hash description;
    rki_hash_start(&description, 1);
    rki_hash_add(&description, name, strlen(name) + 1);
    rki_hash_add(&description, type, strlen(type) + 1);
    for (int64_t i = 0; i < rank; i++) {
        unsigned char bytes[8];
        rki_store64(bytes, (uint64_t)dims[i]);
        rki_hash_add(&description, bytes, sizeof bytes);
    }
    rki_hash_start(hash, rki_hash_value(&description));
}

uint64_t rki_st_hash_text(const char *key, const char *value)
{
    return rki_hash_bytes(value, strlen(value), rki_hash_bytes(key, strlen(key), 2));
}

void rki_st_checksum_text(uint64_t checksum, char text[RKI_ST_CHECKSUM_DIGITS + 1])
{
    snprintf(text, RKI_ST_CHECKSUM_DIGITS + 1, "%016llx", (unsigned long long)checksum);
}

int32_t rki_st_check(const rki_st *st, const char *key)
{
    char text[RKI_ST_CHECKSUM_DIGITS + 1], shown[RKI_ST_SHOWN];
    uint64_t sum = 0;
    const rki_st_text *item;
    const rki_st_entry *entry;
    const char *expected = rki_st_metadata(st, key);
    if (expected == NULL) return RNNKIT_OK;
    for (int64_t i = 0; (item = rki_st_metadata_at(st, i)) != NULL; i++)
        if (strcmp(item->key, key) != 0) sum += rki_st_hash_text(item->key, item->value);
    for (int64_t i = 0; (entry = rki_st_entry_at(st, i)) != NULL; i++) {
        rki_hash hash;
        rki_st_hash_tensor(&hash, entry->name, entry->dtype, entry->dims, entry->rank);
        rki_hash_add(&hash, entry->data, entry->bytes);
        sum += rki_hash_value(&hash);
    }
    rki_st_checksum_text(sum, text);
    if (strcmp(text, expected) == 0) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_FORMAT,
        "the content's checksum is %s, but metadata \"%s\" says %s: the file is damaged, or "
        "another program changed it and kept that entry",
        text, key, rki_st_shown(expected, shown));
}
