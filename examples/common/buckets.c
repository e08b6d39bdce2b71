/* Batches of items of similar length. See buckets.h. */
#include "buckets.h"

#include <stdlib.h>

#include "console.h"
#include "random.h"

enum { POOL = 50 }; /* batches */

/* Stable, by counting: equal lengths stay in the order that they came in. */
static void sort_by_length(const int32_t *lengths, size_t *places, size_t count, size_t *room)
{
    size_t *from = places, *to = room;

    for (int shift = 0; shift < 32; shift += 8) {
        size_t starts[257] = {0};

        for (size_t i = 0; i < count; i++)
            starts[((lengths[from[i]] >> shift) & 255) + 1]++;
        for (int k = 0; k < 256; k++)
            starts[k + 1] += starts[k];
        for (size_t i = 0; i < count; i++)
            to[starts[(lengths[from[i]] >> shift) & 255]++] = from[i];
        size_t *other = from;
        from = to;
        to = other;
    }
}

int buckets_open(buckets *target, const int32_t *lengths, size_t items, int64_t size, int64_t seed)
{
    *target = (buckets){
        .lengths = lengths, .items = items, .size = (size_t)size, .random = (uint64_t)seed};
    if (target->size > items) target->size = items > 0 ? items : 1;
    target->count = (items + target->size - 1) / target->size;
    target->order = malloc((2 * items + 1) * sizeof *target->order);
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

static void cut(buckets *target)
{
    for (size_t i = 0; i < target->count; i++)
        target->starts[i] = i * target->size;
    target->next = 0;
}

void buckets_shuffle(buckets *target)
{
    size_t pool = POOL * target->size;

    random_shuffle(&target->random, target->order, target->items);
    for (size_t at = 0; at < target->items; at += pool)
        sort_by_length(target->lengths, target->order + at,
            target->items - at < pool ? target->items - at : pool, target->order + target->items);
    cut(target);
    random_shuffle(&target->random, target->starts, target->count);
}

void buckets_sort(buckets *target)
{
    for (size_t i = 0; i < target->items; i++)
        target->order[i] = i;
    sort_by_length(target->lengths, target->order, target->items, target->order + target->items);
    cut(target);
}

int buckets_resume(buckets *target, double shuffles, double next)
{
    if (!(shuffles >= 0 && shuffles < 1e9 && next >= 0 && next <= (double)target->count)) return 0;
    for (double done = 0; done < shuffles; done++)
        buckets_shuffle(target);
    target->next = (size_t)next;
    return 1;
}

size_t buckets_next(buckets *target, const size_t **places)
{
    size_t first;

    if (target->next == target->count) return 0;
    first = target->starts[target->next++];
    *places = target->order + first;
    return target->items - first < target->size ? target->items - first : target->size;
}
