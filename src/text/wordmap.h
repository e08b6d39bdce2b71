/* A hash map from words (any bytes, any length) to their places 0, 1, 2, ... with a count each.
 *
 * Words stand in one block, each followed by a NUL, in the order in which they came. The table is
 * open-addressed with linear probing, at most half full, its size a power of two. All is zero in
 * an empty map. After a failed call the map is as it was.
 */
#ifndef RKI_TEXT_WORDMAP_H
#define RKI_TEXT_WORDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef struct rki_word {
    int64_t start;  /* in `bytes` */
    int64_t length; /* without the NUL */
    int64_t count;
} rki_word;

typedef struct rki_wordslot {
    uint32_t hash;
    int32_t place; /* counted from 1; 0: free */
} rki_wordslot;

typedef struct rki_wordmap {
    const rki_memory *memory;
    char *bytes;
    int64_t bytes_capacity, bytes_used;
    rki_word *words;
    int64_t words_capacity;
    int32_t size;
    rki_wordslot *slots;
    int64_t slot_count;
} rki_wordmap;

void rki_wordmap_init(rki_wordmap *map, const rki_memory *memory);
void rki_wordmap_release(rki_wordmap *map);

/* The word's place, or -1. */
int32_t rki_wordmap_find(const rki_wordmap *map, const char *word, size_t length);

/* *place of the word, which is added with count 0 when it is new. */
int32_t rki_wordmap_add(rki_wordmap *map, const char *word, size_t length, int32_t *place);

/* The word at a place, followed by a NUL. */
const char *rki_wordmap_bytes(const rki_wordmap *map, int32_t place);

#endif
