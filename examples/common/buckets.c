/* See buckets.h. */
#include "buckets.h"

#include <stdlib.h>

#include "console.h"
#include "random.h"

enum { POOL = 50 }; /* batches */

int buckets_open(buckets *target, const int64_t *lengths, size_t items, int64_t size, int64_t seed)
{
    *target = (buckets){
        .lengths = lengths, .items = items, .size = (size_t)size, .random = (uint64_t)seed};
    if (target->size > items) target->size = items > 0 ? items : 1;
    target->count = (items + target->size - 1) / target->size;
    target->order = malloc((items + 1) * sizeof *target->order);
    target->starts = malloc((target->count + 1) * sizeof *target->starts);
    if (target->order == NULL || target->starts == NULL) return fail("out of memory");
    for (size_t i = 0; i < items; i++)
        target->order[i] = i;
    return OUTCOME_OK;
}

void buckets_close(buckets *target)
{
    free(target->order);
    free(target->starts);
    *target = (buckets){0};
}

static void swap(size_t *a, size_t *b)
{
    size_t kept = *a;

    *a = *b;
    *b = kept;
}

/* Equal lengths go by item, so that the order is the same everywhere. */
static int is_behind(const int64_t *lengths, size_t a, size_t b)
{
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a > b;
}

static void sink(const int64_t *lengths, size_t *heap, size_t at, size_t count)
{
    for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && is_behind(lengths, heap[child + 1], heap[child])) child++;
        if (!is_behind(lengths, heap[child], heap[at])) return;
        swap(&heap[child], &heap[at]);
    }
}

/* Heap sort (Williams 1964). */
static void sort(const int64_t *lengths, size_t *items, size_t count)
{
    for (size_t at = count / 2; at-- > 0;)
        sink(lengths, items, at, count);
    for (size_t left = count; left > 1; left--) {
        swap(&items[0], &items[left - 1]);
        sink(lengths, items, 0, left - 1);
    }
}

static void cut(buckets *target, size_t pool)
{
    for (size_t at = 0; at < target->items; at += pool)
        sort(target->lengths, target->order + at,
            target->items - at < pool ? target->items - at : pool);
    for (size_t i = 0; i < target->count; i++)
        target->starts[i] = i * target->size;
    target->next = 0;
}

void buckets_shuffle(buckets *target)
{
    random_shuffle(&target->random, target->order, target->items);
    cut(target, POOL * target->size);
    random_shuffle(&target->random, target->starts, target->count);
}

void buckets_sort(buckets *target)
{
    cut(target, target->items + 1);
}

size_t buckets_next(buckets *target, const size_t **items)
{
    size_t first;

    if (target->next == target->count) return 0;
    first = target->starts[target->next++];
    *items = target->order + first;
    return target->items - first < target->size ? target->items - first : target->size;
}
