/* Sentence pairs as ids of words, and batches of them. See pairs.h. */
#include "pairs.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

static int reserve(sentences *target, size_t more)
{
    size_t room = target->room * 2 + more + 65536;
    int32_t *larger;

    if (target->used + more <= target->room) return OUTCOME_OK;
    larger = realloc(target->ids, room * sizeof *larger);
    if (larger == NULL) return fail("out of memory");
    target->ids = larger;
    target->room = room;
    return OUTCOME_OK;
}

/* Puts the line's ids behind those that count; a line has at most a word for each byte. */
static int encode_line(
    sentences *target, const rnnkit_vocab *vocab, const line *one, int64_t *count)
{
    if (reserve(target, (size_t)one->length + 1) != OUTCOME_OK) return OUTCOME_FAILED;
    return failed(rnnkit_vocab_encode(vocab, one->text, one->length, target->ids + target->used,
        (int64_t)(target->room - target->used), count));
}

static void keep_line(sentences *target, size_t place, int64_t count)
{
    target->starts[place] = target->used;
    target->lengths[place] = (int32_t)count;
    for (int64_t k = 0; k < count; k++)
        target->unknown += target->ids[target->used + (size_t)k] == RNNKIT_UNK;
    target->used += (size_t)count;
}

/* Pairs are alike when their sources, then their targets, are of like length: both are below
 * 2^12. */
static int encode_pair(pairs *target, rnnkit_vocab *const vocabs[SIDES], const corpus *source,
    size_t place, int64_t longest)
{
    int64_t counts[SIDES];

    for (int side = 0; side < SIDES; side++)
        if (encode_line(&target->sides[side], vocabs[side], &source->lines[side][place],
                &counts[side]) != OUTCOME_OK)
            return OUTCOME_FAILED;
    if (counts[SOURCE] == 0 && counts[TARGET] == 0) return OUTCOME_OK;
    for (int side = 0; side < SIDES; side++)
        if (counts[side] == 0)
            return fail("%s: line %zu is empty, but that of %s is not", source->names[side],
                place + 1, source->names[!side]);
    if (counts[SOURCE] > longest || counts[TARGET] > longest) {
        target->too_long++;
        return OUTCOME_OK;
    }
    for (int side = 0; side < SIDES; side++)
        keep_line(&target->sides[side], target->count, counts[side]);
    target->keys[target->count] = (int32_t)(counts[SOURCE] << 12 | counts[TARGET]);
    target->lines[target->count++] = place;
    return OUTCOME_OK;
}

int pairs_encode(pairs *target, rnnkit_vocab *const vocabs[SIDES], const corpus *source,
    const size_t *chosen, size_t count, int64_t longest)
{
    *target = (pairs){0};
    target->keys = malloc((count + 1) * sizeof *target->keys);
    target->lines = malloc((count + 1) * sizeof *target->lines);
    if (target->keys == NULL || target->lines == NULL) return fail("out of memory");
    for (int side = 0; side < SIDES; side++) {
        sentences *to = &target->sides[side];

        to->starts = malloc((count + 1) * sizeof *to->starts);
        to->lengths = malloc((count + 1) * sizeof *to->lengths);
        if (to->starts == NULL || to->lengths == NULL) return fail("out of memory");
    }
    for (size_t i = 0; i < count; i++)
        if (encode_pair(target, vocabs, source, chosen != NULL ? chosen[i] : i, longest) !=
            OUTCOME_OK)
            return OUTCOME_FAILED;
    return OUTCOME_OK;
}

void pairs_free(pairs *target)
{
    for (int side = 0; side < SIDES; side++) {
        free(target->sides[side].ids);
        free(target->sides[side].starts);
        free(target->sides[side].lengths);
    }
    free(target->keys);
    free(target->lines);
    *target = (pairs){0};
}

static size_t longest_of(const pairs *from, int side)
{
    int32_t longest = 0;

    for (size_t i = 0; i < from->count; i++)
        if (from->sides[side].lengths[i] > longest) longest = from->sides[side].lengths[i];
    return (size_t)longest;
}

int batches_open(batches *target, const pairs *from, int64_t size, int64_t seed)
{
    size_t source = longest_of(from, SOURCE), written = longest_of(from, TARGET) + 1;

    *target = (batches){.from = from};
    if (buckets_open(&target->order, from->keys, from->count, size, seed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    target->source = malloc(source * target->order.size * sizeof *target->source);
    target->lengths = malloc(target->order.size * sizeof *target->lengths);
    target->read = malloc(written * target->order.size * sizeof *target->read);
    target->write = malloc(written * target->order.size * sizeof *target->write);
    if (target->source == NULL || target->lengths == NULL || target->read == NULL ||
        target->write == NULL)
        return fail("out of memory");
    return OUTCOME_OK;
}

void batches_close(batches *target)
{
    buckets_close(&target->order);
    free(target->source);
    free(target->lengths);
    free(target->read);
    free(target->write);
    *target = (batches){0};
}

static void fill_source(batches *target, const batch *out, size_t row)
{
    const sentences *from = &target->from->sides[SOURCE];
    const int32_t *ids = from->ids + from->starts[out->places[row]];
    int32_t length = from->lengths[out->places[row]];

    target->lengths[row] = length;
    for (int64_t t = 0; t < out->source_steps; t++)
        target->source[t * out->rows + (int64_t)row] = t < length ? ids[t] : RNNKIT_PAD;
}

static void fill_target(batches *target, batch *out, size_t row)
{
    const sentences *from = &target->from->sides[TARGET];
    const int32_t *ids = from->ids + from->starts[out->places[row]];
    int32_t length = from->lengths[out->places[row]];

    for (int64_t t = 0; t < out->target_steps; t++) {
        int64_t at = t * out->rows + (int64_t)row;

        target->read[at] = t == 0 ? BOS : t <= length ? ids[t - 1] : RNNKIT_PAD;
        target->write[at] = t < length ? ids[t] : t == length ? EOS : RNNKIT_IGNORE;
    }
    out->words += length + 1;
}

int batches_next(batches *target, batch *out)
{
    const sentences *sides = target->from->sides;

    *out = (batch){.source = target->source,
        .lengths = target->lengths,
        .read = target->read,
        .write = target->write};
    out->rows = (int64_t)buckets_next(&target->order, &out->places);
    for (int64_t b = 0; b < out->rows; b++) {
        size_t place = out->places[b];

        if (sides[SOURCE].lengths[place] > out->source_steps)
            out->source_steps = sides[SOURCE].lengths[place];
        if (sides[TARGET].lengths[place] + 1 > out->target_steps)
            out->target_steps = sides[TARGET].lengths[place] + 1;
    }
    for (int64_t b = 0; b < out->rows; b++) {
        fill_source(target, out, (size_t)b);
        fill_target(target, out, (size_t)b);
    }
    return out->rows > 0;
}
