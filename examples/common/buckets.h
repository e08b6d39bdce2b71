/* Sequences in batches of similar length, so that little is padded. They are shuffled, cut into
 * pools of some batches, sorted by length within a pool, cut into batches, and the batches shuffled.
 */
#ifndef COMMON_BUCKETS_H
#define COMMON_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

typedef struct buckets {
    const int64_t *lengths; /* of the caller, by item */
    size_t *order, *starts; /* [items], [count] */
    size_t items, count;    /* count: batches */
    size_t size, next;
    uint64_t random;
} buckets;

/* The items are 0 to `items` - 1; `lengths` has to live as long. OUTCOME_FAILED after a message;
 * buckets_close takes any state. */
int buckets_open(buckets *target, const int64_t *lengths, size_t items, int64_t size, int64_t seed);
void buckets_close(buckets *target);

/* The next epoch: shuffled, or all items in the order of length. */
void buckets_shuffle(buckets *target);
void buckets_sort(buckets *target);

/* The items of the next batch, and how many there are; 0 at the end of the epoch. */
size_t buckets_next(buckets *target, const size_t **items);

#endif
