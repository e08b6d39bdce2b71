/* What a run learns from: reads the texts, holds some pairs out unless others are given to measure
 * the model on, and makes the network for the words that are left.
 */
#include <stdlib.h>

#include "../common/console.h"
#include "../common/random.h"
#include "train.h"

/* Draws the lines that are held out: `places` has first those to learn from, then the others. */
static size_t split(const corpus *text, const settings *options, size_t *places)
{
    uint64_t random = (uint64_t)options->seed;
    size_t wanted = (size_t)((double)text->count * options->valid + 0.5);
    size_t learn = 0, held = text->count;

    if (wanted == 0) wanted = 1;
    for (size_t i = 0; i < text->count; i++) {
        if (random_below(&random, text->count - i) < wanted) {
            wanted--;
            places[--held] = i;
        } else {
            places[learn++] = i;
        }
    }
    return learn;
}

static int check_counts(const trainer *run, const corpus *text)
{
    if (run->train.count == 0)
        return fail("%s: %s", text->names[SOURCE],
            run->train.too_long > 0 ? "all pairs are longer than --max-length"
                                    : "too few pairs to learn from and to measure on");
    if (run->valid.count == 0) return fail("no pair is left to measure the model on");
    return OUTCOME_OK;
}

/* Vocabularies and network come from what is learned from alone. */
static int encode(
    trainer *run, const corpus *text, const corpus *valid, const size_t *places, size_t learn)
{
    int64_t longest = run->options->max_length;
    int outcome = network_read_words(&run->net, run->context, run->options, text, places, learn);

    if (outcome == OUTCOME_OK)
        outcome = pairs_encode(&run->train, run->net.vocabs, text, places, learn, longest);
    if (outcome == OUTCOME_OK && valid != NULL)
        outcome = pairs_encode(&run->valid, run->net.vocabs, valid, NULL, valid->count, longest);
    if (outcome == OUTCOME_OK && valid == NULL)
        outcome = pairs_encode(
            &run->valid, run->net.vocabs, text, places + learn, text->count - learn, longest);
    if (outcome == OUTCOME_OK) outcome = check_counts(run, text);
    if (outcome != OUTCOME_OK) return outcome;
    return network_create(&run->net, run->context, run->options);
}

static int read_texts(trainer *run, corpus *text, corpus *valid)
{
    const settings *options = run->options;
    int given = options->valid_source[0] != '\0';
    size_t *places, learn;
    int outcome;

    if (given != (options->valid_target[0] != '\0'))
        return fail("--valid-source and --valid-target go together");
    if (corpus_read(text, options->source, options->target) != OUTCOME_OK ||
        (given && corpus_read(valid, options->valid_source, options->valid_target) != OUTCOME_OK))
        return OUTCOME_FAILED;
    places = malloc(text->count * sizeof *places);
    if (places == NULL) return fail("out of memory");
    learn = text->count;
    if (given)
        for (size_t i = 0; i < learn; i++)
            places[i] = i;
    else
        learn = split(text, options, places);
    if (learn == 0)
        outcome = fail("%s: one pair is too few: some have to be held out", text->names[SOURCE]);
    else
        outcome = encode(run, text, given ? valid : NULL, places, learn);
    free(places);
    return outcome;
}

int train_read(trainer *run)
{
    corpus text = {0}, valid = {0};
    int outcome = read_texts(run, &text, &valid);

    corpus_free(&text);
    corpus_free(&valid);
    return outcome;
}
