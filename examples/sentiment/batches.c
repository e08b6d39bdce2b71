/* Bucketing: reviews are shuffled, cut into pools of some batches, sorted by length within a pool,
 * cut into batches, and the batches shuffled. See batches.h.
 */
#include "batches.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

enum { POOL = 50 }; /* batches */

size_t batches_draw(uint64_t *random, size_t below)
{
    uint64_t z = *random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % below);
}

/* Fisher and Yates 1938, in Durstenfeld's form. */
static void shuffle(size_t *places, size_t count, uint64_t *random)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = batches_draw(random, i), kept = places[i - 1];

        places[i - 1] = places[other];
        places[other] = kept;
    }
}

/* Stable, by counting: equal lengths stay in the order that they came in. */
static void sort_by_length(const sequences *source, size_t *places, size_t count, size_t *room)
{
    size_t *from = places, *to = room;

    for (int shift = 0; shift < 32; shift += 8) {
        size_t starts[257] = {0};

        for (size_t i = 0; i < count; i++)
            starts[((source->lengths[from[i]] >> shift) & 255) + 1]++;
        for (int k = 0; k < 256; k++)
            starts[k + 1] += starts[k];
        for (size_t i = 0; i < count; i++)
            to[starts[(source->lengths[from[i]] >> shift) & 255]++] = from[i];
        size_t *other = from;
        from = to;
        to = other;
    }
}

int batches_open(batches *target, const sequences *source, int64_t size, int64_t seed)
{
    size_t count = source->count, longest = 1;

    *target = (batches){.source = source, .size = size, .random = (uint64_t)seed};
    for (size_t i = 0; i < count; i++)
        if ((size_t)source->lengths[i] > longest) longest = (size_t)source->lengths[i];
    if ((size_t)size > count) target->size = (int64_t)count;
    target->count = (count + (size_t)target->size - 1) / (size_t)target->size;
    target->order = malloc(2 * count * sizeof *target->order);
    target->starts = malloc(target->count * sizeof *target->starts);
    target->ids = malloc(longest * (size_t)target->size * sizeof *target->ids);
    target->lengths = malloc((size_t)target->size * sizeof *target->lengths);
    target->labels = malloc((size_t)target->size * sizeof *target->labels);
    if (target->order == NULL || target->starts == NULL || target->ids == NULL ||
        target->lengths == NULL || target->labels == NULL)
        return fail("out of memory");
    for (size_t i = 0; i < count; i++)
        target->order[i] = i;
    return OUTCOME_OK;
}

void batches_close(batches *target)
{
    free(target->order);
    free(target->starts);
    free(target->ids);
    free(target->lengths);
    free(target->labels);
    *target = (batches){0};
}

static void cut(batches *target)
{
    for (size_t i = 0; i < target->count; i++)
        target->starts[i] = i * (size_t)target->size;
    target->next = 0;
}

void batches_shuffle(batches *target)
{
    size_t count = target->source->count, pool = POOL * (size_t)target->size;

    shuffle(target->order, count, &target->random);
    for (size_t at = 0; at < count; at += pool)
        sort_by_length(target->source, target->order + at, count - at < pool ? count - at : pool,
            target->order + count);
    cut(target);
    shuffle(target->starts, target->count, &target->random);
}

void batches_sort(batches *target)
{
    size_t count = target->source->count;

    for (size_t i = 0; i < count; i++)
        target->order[i] = i;
    sort_by_length(target->source, target->order, count, target->order + count);
    cut(target);
}

int batches_next(batches *target, batch *out)
{
    const sequences *source = target->source;
    size_t first, rows;

    if (target->next == target->count) return 0;
    first = target->starts[target->next++];
    rows =
        source->count - first < (size_t)target->size ? source->count - first : (size_t)target->size;
    *out = (batch){.rows = (int64_t)rows,
        .ids = target->ids,
        .lengths = target->lengths,
        .labels = target->labels,
        .places = target->order + first};
    for (size_t b = 0; b < rows; b++) {
        target->lengths[b] = source->lengths[out->places[b]];
        target->labels[b] = source->labels[out->places[b]];
        if (target->lengths[b] > out->steps) out->steps = target->lengths[b];
    }
    for (size_t b = 0; b < rows; b++) {
        const int32_t *ids = source->ids + source->starts[out->places[b]];

        for (int64_t t = 0; t < out->steps; t++)
            target->ids[(size_t)t * rows + b] = t < target->lengths[b] ? ids[t] : RNNKIT_PAD;
    }
    return 1;
}
