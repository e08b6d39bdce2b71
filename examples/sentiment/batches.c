/* Batches of reviews of similar length. See batches.h. */
#include "batches.h"

#include <stdlib.h>

#include "../common/console.h"

int batches_open(batches *target, const sequences *source, int64_t size, int64_t seed)
{
    size_t longest = 1;

    *target = (batches){.source = source};
    if (buckets_open(&target->order, source->lengths, source->count, size, seed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    for (size_t i = 0; i < source->count; i++)
        if ((size_t)source->lengths[i] > longest) longest = (size_t)source->lengths[i];
    target->ids = malloc(longest * target->order.size * sizeof *target->ids);
    target->lengths = malloc(target->order.size * sizeof *target->lengths);
    target->labels = malloc(target->order.size * sizeof *target->labels);
    if (target->ids == NULL || target->lengths == NULL || target->labels == NULL)
        return fail("out of memory");
    return OUTCOME_OK;
}

void batches_close(batches *target)
{
    buckets_close(&target->order);
    free(target->ids);
    free(target->lengths);
    free(target->labels);
    *target = (batches){0};
}

int batches_next(batches *target, batch *out)
{
    const sequences *source = target->source;
    size_t rows;

    *out = (batch){.ids = target->ids, .lengths = target->lengths, .labels = target->labels};
    rows = buckets_next(&target->order, &out->places);
    out->rows = (int64_t)rows;
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
    return rows > 0;
}
