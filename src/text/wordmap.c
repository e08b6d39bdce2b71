/* Hash map from words to places. See wordmap.h. */
#include "text/wordmap.h"

#include <string.h>

enum { LEAST_SLOTS = 1024 };

/* Eight bytes at a time, mixed by multiplication and shift as in MurmurHash3's finaliser. On words,
 * which are short, counting is a third faster with it than with base/hash.h. */
static uint32_t hash_of(const char *word, size_t length)
{
    uint64_t hash = 0x9E3779B97F4A7C15u ^ length;
    for (; length >= 8; word += 8, length -= 8) {
        uint64_t part;
        memcpy(&part, word, 8);
        hash = (hash ^ part) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < length; i++)
        rest = rest << 8 | (unsigned char)word[i];
    hash = (hash ^ rest) * 0xC4CEB9FE1A85EC53u;
    hash ^= hash >> 29;
    hash *= 0xFF51AFD7ED558CCDu;
    return (uint32_t)(hash >> 32);
}

void rki_wordmap_init(rki_wordmap *map, const rki_memory *memory)
{
    *map = (rki_wordmap){.memory = memory};
}

void rki_wordmap_release(rki_wordmap *map)
{
    if (map->memory == NULL) return;
    rki_release(map->memory, map->bytes);
    rki_release(map->memory, map->words);
    rki_release(map->memory, map->slots);
    *map = (rki_wordmap){.memory = map->memory};
}

const char *rki_wordmap_bytes(const rki_wordmap *map, int32_t place)
{
    return map->bytes + map->words[place].start;
}

/* The slot that holds the word, or the free one where it belongs. */
static rki_wordslot *slot_of(const rki_wordmap *map, const char *word, size_t length, uint32_t hash)
{
    uint64_t mask = (uint64_t)map->slot_count - 1;
    for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
        rki_wordslot *slot = &map->slots[i];
        if (slot->place == 0) return slot;
        if (slot->hash != hash) continue;
        const rki_word *found = &map->words[slot->place - 1];
        if ((size_t)found->length == length && memcmp(map->bytes + found->start, word, length) == 0)
            return slot;
    }
}

int32_t rki_wordmap_find(const rki_wordmap *map, const char *word, size_t length)
{
    if (map->slot_count == 0) return -1;
    return slot_of(map, word, length, hash_of(word, length))->place - 1;
}

static int32_t grow_slots(rki_wordmap *map)
{
    if (map->size < map->slot_count / 2) return RNNKIT_OK;
    int64_t count = map->slot_count == 0 ? LEAST_SLOTS : map->slot_count * 2;
    void *block;
    RKI_TRY(rki_allocate(map->memory, count, sizeof(rki_wordslot), "a word table", &block));
    rki_wordslot *slots = block;
    uint64_t mask = (uint64_t)count - 1;
    for (int64_t i = 0; i < map->slot_count; i++) {
        rki_wordslot slot = map->slots[i];
        if (slot.place == 0) continue;
        uint64_t to = slot.hash & mask;
        while (slots[to].place != 0)
            to = (to + 1) & mask;
        slots[to] = slot;
    }
    rki_release(map->memory, map->slots);
    map->slots = slots;
    map->slot_count = count;
    return RNNKIT_OK;
}

/* Room for one more word; what it got stays if a later part fails. */
static int32_t make_room(rki_wordmap *map, size_t length)
{
    if (map->size == INT32_MAX)
        return rki_fail(RNNKIT_E_SHAPE, "more than %d different tokens", INT32_MAX);
    RKI_TRY(grow_slots(map));
    void *block = map->words;
    RKI_TRY(rki_grow(map->memory, &block, &map->words_capacity, map->size, (int64_t)map->size + 1,
        sizeof(rki_word), "a word list"));
    map->words = block;
    block = map->bytes;
    RKI_TRY(rki_grow(map->memory, &block, &map->bytes_capacity, map->bytes_used,
        map->bytes_used + (int64_t)length + 1, 1, "the words"));
    map->bytes = block;
    return RNNKIT_OK;
}

int32_t rki_wordmap_add(rki_wordmap *map, const char *word, size_t length, int32_t *place)
{
    uint32_t hash = hash_of(word, length);
    if (map->slot_count > 0) {
        *place = slot_of(map, word, length, hash)->place - 1;
        if (*place >= 0) return RNNKIT_OK;
    }
    RKI_TRY(make_room(map, length));
    map->words[map->size] = (rki_word){map->bytes_used, (int64_t)length, 0};
    memcpy(map->bytes + map->bytes_used, word, length);
    map->bytes[map->bytes_used + (int64_t)length] = '\0';
    map->bytes_used += (int64_t)length + 1;
    *place = map->size++;
    *slot_of(map, word, length, hash) = (rki_wordslot){hash, map->size};
    return RNNKIT_OK;
}
