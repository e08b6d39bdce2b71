/* See batches.h. */
#include "batches.h"

#include <stdlib.h>

#include "../common/console.h"
#include "network.h"

static int choose(batches *target, const captions *source, const unsigned char *part, int which)
{
    target->chosen = malloc((source->count + 1) * sizeof *target->chosen);
    target->lengths = malloc((source->count + 1) * sizeof *target->lengths);
    if (target->chosen == NULL || target->lengths == NULL) return fail("out of memory");
    for (size_t i = 0; i < source->count; i++) {
        const caption *one = &source->items[i];

        if (part[one->picture] != which) continue;
        target->lengths[target->count] = (int32_t)one->count;
        target->chosen[target->count++] = one;
    }
    return OUTCOME_OK;
}

int batches_open(batches *target, const captions *source, const unsigned char *part, int which,
    int64_t size, int64_t seed)
{
    size_t longest = 0, room;

    *target = (batches){0};
    if (choose(target, source, part, which) != OUTCOME_OK ||
        buckets_open(&target->parts, target->lengths, target->count, size, seed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    for (size_t i = 0; i < target->count; i++)
        if ((size_t)target->lengths[i] > longest) longest = (size_t)target->lengths[i];
    room = (longest + 1) * target->parts.size;
    target->inputs = malloc(room * sizeof *target->inputs);
    target->targets = malloc(room * sizeof *target->targets);
    target->pictures = malloc(target->parts.size * sizeof *target->pictures);
    if (target->inputs == NULL || target->targets == NULL || target->pictures == NULL)
        return fail("out of memory");
    return OUTCOME_OK;
}

void batches_close(batches *target)
{
    buckets_close(&target->parts);
    free(target->chosen);
    free(target->lengths);
    free(target->inputs);
    free(target->targets);
    free(target->pictures);
    *target = (batches){0};
}

/* Row b: <bos> and the words, and the words and <eos>. */
static void fill(const batches *target, const batch *out, int64_t b, const caption *one)
{
    for (int64_t t = 0; t < out->steps; t++) {
        int64_t place = t * out->rows + b;

        target->inputs[place] = RNNKIT_PAD;
        target->targets[place] = RNNKIT_IGNORE;
        if (t == 0) target->inputs[place] = NETWORK_BOS;
        if (t > 0 && t <= one->count) target->inputs[place] = one->ids[t - 1];
        if (t < one->count) target->targets[place] = one->ids[t];
        if (t == one->count) target->targets[place] = NETWORK_EOS;
    }
}

int batches_next(batches *target, batch *out)
{
    const size_t *items = NULL;
    size_t rows = buckets_next(&target->parts, &items);

    *out = (batch){.rows = (int64_t)rows,
        .inputs = target->inputs,
        .targets = target->targets,
        .pictures = target->pictures};
    for (size_t b = 0; b < rows; b++) {
        const caption *one = target->chosen[items[b]];

        target->pictures[b] = one->picture;
        out->words += one->count + 1;
        if (one->count + 1 > out->steps) out->steps = one->count + 1;
    }
    for (size_t b = 0; b < rows; b++)
        fill(target, out, (int64_t)b, target->chosen[items[b]]);
    return rows > 0;
}
