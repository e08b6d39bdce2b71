/* Texts by key. See entries.h. */
#include "nn/entries.h"

#include <string.h>

static rki_text_entry *find(const rki_entries *entries, const char *key)
{
    for (int64_t i = 0; i < entries->count; i++)
        if (strcmp(entries->items[i].key, key) == 0) return &entries->items[i];
    return NULL;
}

static void remove_entry(const rki_memory *memory, rki_entries *entries, rki_text_entry *item)
{
    rki_text_entry *last = &entries->items[entries->count - 1];
    rki_release(memory, item->key);
    rki_release(memory, item->value);
    memmove(item, item + 1, (size_t)(last - item) * sizeof *item);
    entries->count--;
}

static int32_t add_entry(
    const rki_memory *memory, rki_entries *entries, const char *key, const char *value)
{
    rki_text_entry added;
    void *block = entries->items;
    RKI_TRY(rki_grow(memory, &block, &entries->capacity, entries->count, entries->count + 1,
        sizeof *entries->items, "entries of a model"));
    entries->items = block;
    RKI_TRY(rki_copy_text(memory, key, -1, &added.key));
    int32_t status = rki_copy_text(memory, value, -1, &added.value);
    if (status < 0) {
        rki_release(memory, added.key);
        return status;
    }
    entries->items[entries->count++] = added;
    return RNNKIT_OK;
}

int32_t rki_entries_set(
    const rki_memory *memory, rki_entries *entries, const char *key, const char *value)
{
    rki_text_entry *item = find(entries, key);
    if (value == NULL) {
        if (item != NULL) remove_entry(memory, entries, item);
        return RNNKIT_OK;
    }
    if (item == NULL) return add_entry(memory, entries, key, value);
    char *copy;
    RKI_TRY(rki_copy_text(memory, value, -1, &copy));
    rki_release(memory, item->value);
    item->value = copy;
    return RNNKIT_OK;
}

const char *rki_entries_find(const rki_entries *entries, const char *key)
{
    const rki_text_entry *item = find(entries, key);
    return item == NULL ? NULL : item->value;
}

void rki_entries_release(const rki_memory *memory, rki_entries *entries)
{
    for (int64_t i = 0; i < entries->count; i++) {
        rki_release(memory, entries->items[i].key);
        rki_release(memory, entries->items[i].value);
    }
    rki_release(memory, entries->items);
    *entries = (rki_entries){NULL, 0, 0};
}
