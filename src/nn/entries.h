/* Texts by key: what a model carries for its caller. Few, so a list is searched from its start. */
#ifndef RKI_NN_ENTRIES_H
#define RKI_NN_ENTRIES_H

#include "base/memory.h"

typedef struct rki_text_entry {
    char *key, *value;
} rki_text_entry;

typedef struct rki_entries {
    rki_text_entry *items;
    int64_t count, capacity;
} rki_entries;

/* Copies both; a key that exists gets the new value, value NULL removes it. On failure the entries
 * are as they were. */
int32_t rki_entries_set(
    const rki_memory *memory, rki_entries *entries, const char *key, const char *value);

/* The value; NULL when there is none of that key. */
const char *rki_entries_find(const rki_entries *entries, const char *key);

void rki_entries_release(const rki_memory *memory, rki_entries *entries);

#endif
