/* Reviews as ids of words. See encode.h. */
#include "encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

static int push_reviews(
    rnnkit_vocab *vocab, const reviews *source, const size_t *chosen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const review *one = &source->items[chosen[i]];

        if (failed(rnnkit_vocab_push(vocab, one->text, one->length)) ||
            failed(rnnkit_vocab_push(vocab, "\n", 1)))
            return OUTCOME_FAILED;
    }
    return failed(rnnkit_vocab_finish(vocab));
}

int encode_vocab(rnnkit_context *context, const settings *options, const reviews *source,
    const size_t *chosen, size_t count, rnnkit_vocab **out)
{
    rnnkit_tokenizer *tokenizer;
    char text[80];
    int outcome;

    if (failed(rnnkit_tokenizer_create(
            context, "unit=word punctuation=tokens lowercase=1 invalid=replace", &tokenizer)))
        return OUTCOME_FAILED;
    snprintf(text, sizeof text, "min_count=%" PRId64 " max_size=%" PRId64, options->min_count,
        options->max_words);
    outcome = failed(rnnkit_vocab_create(tokenizer, text, out));
    rnnkit_tokenizer_destroy(tokenizer);
    return outcome == OUTCOME_OK ? push_reviews(*out, source, chosen, count) : outcome;
}

/* Room that grows: a review has at most a token for each byte. */
typedef struct buffer {
    int32_t *ids;
    int64_t room;
} buffer;

static int encode_one(buffer *to, const rnnkit_vocab *vocab, const review *one, int64_t *count)
{
    if (to->room < one->length + 1) {
        int64_t room = one->length * 2 + 4096;
        int32_t *larger = realloc(to->ids, (size_t)room * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        to->ids = larger;
        to->room = room;
    }
    return failed(rnnkit_vocab_encode(vocab, one->text, one->length, to->ids, to->room, count));
}

static int append(sequences *target, size_t *room, size_t *used, const int32_t *ids, int64_t count)
{
    if (*used + (size_t)count > *room) {
        size_t wanted = *room * 2 + (size_t)count + 65536;
        int32_t *larger = realloc(target->ids, wanted * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        target->ids = larger;
        *room = wanted;
    }
    memcpy(target->ids + *used, ids, (size_t)count * sizeof *ids);
    *used += (size_t)count;
    return OUTCOME_OK;
}

static int fill(sequences *target, const rnnkit_vocab *vocab, excerpt part, const reviews *source,
    const size_t *chosen, buffer *work)
{
    size_t room = 0, used = 0;

    for (size_t i = 0; i < target->count; i++) {
        const review *one = &source->items[chosen != NULL ? chosen[i] : i];
        int64_t count, kept, skip;

        if (encode_one(work, vocab, one, &count) != OUTCOME_OK) return OUTCOME_FAILED;
        if (count == 0) work->ids[count++] = RNNKIT_UNK;
        kept = count < part.length ? count : part.length;
        skip = part.first ? 0 : count - kept;
        target->starts[i] = used;
        target->lengths[i] = (int32_t)kept;
        target->labels[i] = one->label;
        for (int64_t k = skip; k < skip + kept; k++)
            target->unknown += work->ids[k] == RNNKIT_UNK;
        target->words += kept;
        if (append(target, &room, &used, work->ids + skip, kept) != OUTCOME_OK)
            return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

int encode_reviews(sequences *target, const rnnkit_vocab *vocab, excerpt part,
    const reviews *source, const size_t *chosen, size_t count)
{
    buffer work = {0};
    int outcome;

    *target = (sequences){.count = count};
    target->starts = malloc((count + 1) * sizeof *target->starts);
    target->lengths = malloc((count + 1) * sizeof *target->lengths);
    target->labels = malloc((count + 1) * sizeof *target->labels);
    if (target->starts == NULL || target->lengths == NULL || target->labels == NULL)
        return fail("out of memory");
    outcome = fill(target, vocab, part, source, chosen, &work);
    free(work.ids);
    return outcome;
}

void encode_free(sequences *target)
{
    free(target->ids);
    free(target->starts);
    free(target->lengths);
    free(target->labels);
    *target = (sequences){0};
}
