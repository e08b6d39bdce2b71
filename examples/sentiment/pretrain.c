/* Word vectors as the start of the embedding: skip-gram on the reviews themselves, or from a file.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "network.h"

enum { WORD_SIZE = 4096 };

/* Gives the table's row of each word that has a vector, scaled so that all of them together have
 * the deviation that the table started with. */
static void copy_rows(
    float *table, const float *vectors, const int32_t *from, int64_t words, int64_t width)
{
    double square = 0, count = 0, scale;

    for (int64_t w = 0; w < words; w++)
        for (int64_t j = 0; j < width && from[w] >= 0; j++) {
            double value = (double)vectors[from[w] * width + j];

            square += value * value;
            count++;
        }
    scale = square > 0 ? 0.3 / sqrt(square / count) : 1;
    for (int64_t w = 0; w < words; w++)
        for (int64_t j = 0; j < width && from[w] >= 0; j++)
            table[w * width + j] = (float)(scale * (double)vectors[from[w] * width + j]);
}

/* from[w]: the vector of word w, or -1. */
static int match(const network *target, const rnnkit_vectors *vectors, int64_t words, int32_t *from,
    int64_t *known)
{
    char word[WORD_SIZE];

    for (int64_t w = 0; w < words; w++) {
        int64_t needed;

        from[w] = -1;
        if (w == RNNKIT_PAD || w == RNNKIT_UNK) continue;
        if (rnnkit_vocab_word(target->vocab, (int32_t)w, word, sizeof word, &needed, NULL) < 0)
            continue;
        if (rnnkit_vectors_find(vectors, word, -1, &from[w]) < 0)
            from[w] = -1;
        else
            ++*known;
    }
    return OUTCOME_OK;
}

static int read_all(const rnnkit_vectors *vectors, int64_t count, float *values)
{
    int32_t *ids = malloc((size_t)count * sizeof *ids);
    int outcome;

    if (ids == NULL) return fail("out of memory");
    for (int64_t i = 0; i < count; i++)
        ids[i] = (int32_t)i;
    outcome = failed(rnnkit_vectors_read(vectors, ids, count, values));
    free(ids);
    return outcome;
}

static int use_vectors(network *target, const rnnkit_vectors *vectors, int64_t *known)
{
    int64_t words, width, count, dimension;
    float *table, *values;
    int32_t *from;
    int outcome = OUTCOME_FAILED;

    if (failed(rnnkit_embedding_size(target->embedding, &words, &width)) ||
        failed(rnnkit_vectors_size(vectors, &count, &dimension)))
        return OUTCOME_FAILED;
    if (dimension != width)
        return fail("the vectors have %" PRId64 " numbers; --embedding %" PRId64 " fits them",
            dimension, dimension);
    table = malloc((size_t)(words * width) * sizeof *table);
    values = malloc((size_t)(count * width) * sizeof *values);
    from = malloc((size_t)words * sizeof *from);
    if (table == NULL || values == NULL || from == NULL)
        fail("out of memory");
    else if (!failed(rnnkit_model_parameter_read(
                 target->model, "embedding.weight", table, words * width)) &&
             read_all(vectors, count, values) == OUTCOME_OK)
        outcome = match(target, vectors, words, from, known);
    if (outcome == OUTCOME_OK) {
        copy_rows(table, values, from, words, width);
        outcome = failed(
            rnnkit_model_parameter_write(target->model, "embedding.weight", table, words * width));
    }
    free(table);
    free(values);
    free(from);
    return outcome;
}

static int train(
    rnnkit_word2vec *word2vec, const reviews *source, const size_t *chosen, size_t count)
{
    int32_t status = RNNKIT_OK;

    for (size_t i = 0; i < count; i++) {
        const review *one = &source->items[chosen[i]];

        if (failed(rnnkit_word2vec_push(word2vec, one->text, one->length)) ||
            failed(rnnkit_word2vec_push(word2vec, "\n", 1)))
            return OUTCOME_FAILED;
    }
    while (status == RNNKIT_OK) {
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        status = rnnkit_word2vec_step(word2vec);
    }
    return failed(status);
}

int pretrain_reviews(network *target, const settings *options, const reviews *source,
    const size_t *chosen, size_t count)
{
    rnnkit_word2vec *word2vec = NULL;
    rnnkit_vectors *vectors = NULL;
    char text[128];
    int64_t known = 0;
    int outcome = OUTCOME_FAILED;

    snprintf(text, sizeof text, "dimension=%" PRId64 " epochs=%" PRId64 " deterministic=1",
        options->embedding, options->pretrain);
    if (!failed(rnnkit_word2vec_create(target->vocab, text, &word2vec)))
        outcome = train(word2vec, source, chosen, count);
    if (outcome == OUTCOME_OK) outcome = failed(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
    if (outcome == OUTCOME_OK) outcome = use_vectors(target, vectors, &known);
    rnnkit_vectors_destroy(vectors);
    rnnkit_word2vec_destroy(word2vec);
    return outcome;
}

int pretrain_file(network *target, rnnkit_context *context, const char *path, int64_t *known)
{
    rnnkit_vectors *vectors;
    int outcome;

    if (failed(rnnkit_vectors_open(context, path, NULL, &vectors))) return OUTCOME_FAILED;
    outcome = use_vectors(target, vectors, known);
    rnnkit_vectors_destroy(vectors);
    return outcome;
}
