/* The network of a sentiment model, and its entries in the model's file. See network.h. */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

#define PREFIX "sentiment."

static int create_layers(network *target, const settings *options)
{
    char text[96];
    int64_t words;

    if (failed(rnnkit_vocab_size(target->vocab, &words, NULL)) ||
        failed(rnnkit_embedding_create(target->model, "embedding", words, options->embedding,
            "sparse=1 scale=0.3", &target->embedding)))
        return OUTCOME_FAILED;
    snprintf(text, sizeof text, "layers=%" PRId64 " dropout=%.17g forget_bias=1", options->layers,
        options->layers > 1 ? options->dropout : 0.0);
    if (failed(rnnkit_lstm_create(
            target->model, "rnn", options->embedding, options->hidden, text, &target->rnn)))
        return OUTCOME_FAILED;
    return failed(
        rnnkit_linear_create(target->model, "linear", options->hidden, 2, NULL, &target->linear));
}

int network_create(network *target, rnnkit_context *context, const settings *options,
    rnnkit_vocab *vocab, const char labels[2][REVIEW_LABEL_SIZE])
{
    char length[32];

    target->vocab = vocab;
    target->length = options->length;
    target->dropout = options->dropout_ends;
    memcpy(target->labels, labels, sizeof target->labels);
    snprintf(length, sizeof length, "%" PRId64, options->length);
    if (failed(rnnkit_model_create(context, &target->model)) ||
        create_layers(target, options) != OUTCOME_OK ||
        failed(rnnkit_model_set_vocab(target->model, vocab)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "length", length)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "negative", labels[0])))
        return OUTCOME_FAILED;
    return failed(rnnkit_model_set_entry(target->model, PREFIX "positive", labels[1]));
}

static int read_entries(network *target)
{
    const char *length = rnnkit_model_entry(target->model, PREFIX "length");
    const char *negative = rnnkit_model_entry(target->model, PREFIX "negative");
    const char *positive = rnnkit_model_entry(target->model, PREFIX "positive");

    if (length == NULL || negative == NULL || positive == NULL) return 0;
    if (strlen(negative) >= REVIEW_LABEL_SIZE || strlen(positive) >= REVIEW_LABEL_SIZE) return 0;
    strcpy(target->labels[0], negative);
    strcpy(target->labels[1], positive);
    target->length = strtoll(length, NULL, 10);
    return target->length >= 1 && target->length <= INT32_MAX;
}

/* Layers of another program's model may have the same names: their sizes have to fit together. */
static int find_layers(network *target)
{
    int64_t words, width, inputs, hidden, wanted, outputs, known;

    return rnnkit_embedding_find(target->model, "embedding", &target->embedding) >= 0 &&
           rnnkit_rnn_find(target->model, "rnn", &target->rnn) >= 0 &&
           rnnkit_linear_find(target->model, "linear", &target->linear) >= 0 &&
           rnnkit_model_vocab(target->model, &target->vocab) >= 0 &&
           rnnkit_embedding_size(target->embedding, &words, &width) >= 0 &&
           rnnkit_rnn_size(target->rnn, &inputs, &hidden, NULL) >= 0 &&
           rnnkit_linear_size(target->linear, &wanted, &outputs) >= 0 &&
           rnnkit_vocab_size(target->vocab, &known, NULL) >= 0 && known == words &&
           width == inputs && hidden == wanted && outputs == 2;
}

int network_open(network *target, rnnkit_context *context, const char *path)
{
    if (failed(rnnkit_model_open(context, path, &target->model))) return OUTCOME_FAILED;
    if (find_layers(target) && read_entries(target)) return OUTCOME_OK;
    return fail("%s is a model of another program: it lacks what sentiment train writes", path);
}

void network_close(network *target)
{
    rnnkit_vocab_destroy(target->vocab);
    rnnkit_linear_destroy(target->linear);
    rnnkit_rnn_destroy(target->rnn);
    rnnkit_embedding_destroy(target->embedding);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

static int drop(const network *source, rnnkit_tape *tape, rnnkit_tensor **at)
{
    if (source->dropout <= 0) return OUTCOME_OK;
    return failed(rnnkit_dropout_forward(tape, *at, source->dropout, at));
}

/* What the recurrent layers say at every step: [steps][rows][hidden]. */
static int run(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **out)
{
    if (failed(rnnkit_tape_clear(tape)) ||
        failed(rnnkit_embedding_forward(
            source->embedding, tape, from->ids, from->steps, from->rows, out)) ||
        drop(source, tape, out) != OUTCOME_OK ||
        failed(rnnkit_rnn_forward(source->rnn, tape, *out, from->lengths, NULL, out)))
        return OUTCOME_FAILED;
    return drop(source, tape, out);
}

/* Only a review's last step has a target: the others are ignored, and cost nothing. */
int network_loss(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **loss)
{
    int64_t count = from->steps * from->rows;
    int32_t *targets = malloc((size_t)count * sizeof *targets);
    rnnkit_tensor *at = NULL;
    int outcome;

    if (targets == NULL) return fail("out of memory");
    for (int64_t i = 0; i < count; i++)
        targets[i] = RNNKIT_IGNORE;
    for (int64_t b = 0; b < from->rows; b++)
        targets[(from->lengths[b] - 1) * from->rows + b] = from->labels[b];
    outcome = run(source, tape, from, &at);
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_linear_cross_entropy(
            source->linear, tape, at, targets, count, RNNKIT_IGNORE, loss));
    free(targets);
    return outcome;
}

int network_predict(network *source, rnnkit_tape *tape, const batch *from, double *probabilities)
{
    int64_t count = from->steps * from->rows;
    float *logits = malloc((size_t)count * 2 * sizeof *logits);
    rnnkit_tensor *at = NULL;
    int outcome;

    if (logits == NULL) return fail("out of memory");
    outcome = run(source, tape, from, &at);
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_linear_forward(source->linear, tape, at, &at)) ||
                          failed(rnnkit_tensor_read(at, logits, count * 2))
                      ? OUTCOME_FAILED
                      : OUTCOME_OK;
    for (int64_t b = 0; b < from->rows && outcome == OUTCOME_OK; b++) {
        const float *pair = logits + ((from->lengths[b] - 1) * from->rows + b) * 2;

        probabilities[b] = 1 / (1 + exp((double)pair[0] - (double)pair[1]));
    }
    free(logits);
    return outcome;
}
