/* Bucketing: an order for batches of items of similar length, so that little is padded. Items are
 * shuffled, cut into pools of some batches, sorted by length within a pool, cut into batches, and
 * the batches shuffled. The order depends on the seed and the number of shuffles alone.
 */
#ifndef COMMON_BUCKETS_H
#define COMMON_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

typedef struct buckets {
    const int32_t *lengths; /* [items], the caller's: what is sorted by; at least 0 */
    size_t items, size;     /* size: items of a full batch */
    size_t *order, *starts; /* starts: [count], of each batch in `order` */
    size_t count, next;     /* batches */
    uint64_t random;
} buckets;

int buckets_open(buckets *target, const int32_t *lengths, size_t items, int64_t size, int64_t seed);
void buckets_close(buckets *target);

/* The next epoch: shuffled, or all in the order of length. */
void buckets_shuffle(buckets *target);
void buckets_sort(buckets *target);

/* Goes to where an earlier run stopped: after so many shuffles, before batch `next`. 0 when there is
 * no such place. */
int buckets_resume(buckets *target, double shuffles, double next);

/* The places of the next batch's items; returns how many, 0 at the end of the epoch. */
size_t buckets_next(buckets *target, const size_t **places);

#endif
