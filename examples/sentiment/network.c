/* The network of a sentiment model, and its entries in the model's file. See network.h. */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/model.h"

#define PREFIX "sentiment."

static int32_t create_rnn(network *target, const settings *options)
{
    char text[160];
    int is_lstm = strcmp(options->cell, "lstm") == 0;
    int32_t (*create)(rnnkit_model *, const char *, int64_t, int64_t, const char *, rnnkit_rnn **) =
        is_lstm                             ? rnnkit_lstm_create
        : strcmp(options->cell, "gru") == 0 ? rnnkit_gru_create
                                            : rnnkit_elman_create;

    snprintf(text, sizeof text, "layers=%" PRId64 " dropout=%.17g bidirectional=%d%s",
        options->layers, options->layers > 1 ? options->dropout : 0.0, options->bidirectional,
        is_lstm ? " forget_bias=1" : "");
    return create(target->model, "rnn", options->embedding, options->hidden, text, &target->rnn);
}

static int create_layers(network *target, const settings *options)
{
    int64_t words, outputs = options->embedding;

    if (failed(rnnkit_vocab_size(target->vocab, &words, NULL)) ||
        failed(rnnkit_embedding_create(target->model, "embedding", words, options->embedding,
            "sparse=1 scale=0.3", &target->embedding)))
        return OUTCOME_FAILED;
    if (strcmp(options->encoder, "transformer") == 0) {
        if (transformer_create(&target->encoder, target->model, options) != OUTCOME_OK)
            return OUTCOME_FAILED;
    } else if (failed(create_rnn(target, options)) ||
               failed(rnnkit_rnn_widths(target->rnn, &outputs, NULL))) {
        return OUTCOME_FAILED;
    }
    return failed(rnnkit_linear_create(target->model, "linear", outputs, 2, NULL, &target->linear));
}

int network_create(network *target, rnnkit_context *context, const settings *options,
    rnnkit_vocab *vocab, const char labels[2][REVIEW_LABEL_SIZE])
{
    char length[32];

    target->vocab = vocab;
    target->part = (excerpt){options->length, strcmp(options->keep, "first") == 0};
    target->dropout = options->dropout_ends;
    snprintf(target->pooling, sizeof target->pooling, "pooling=%s", options->pooling);
    memcpy(target->labels, labels, sizeof target->labels);
    snprintf(length, sizeof length, "%" PRId64, options->length);
    if (failed(rnnkit_model_create(context, &target->model)) ||
        create_layers(target, options) != OUTCOME_OK ||
        failed(rnnkit_model_set_vocab(target->model, vocab)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "length", length)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "keep", options->keep)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "pooling", options->pooling)) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "negative", labels[0])))
        return OUTCOME_FAILED;
    return failed(rnnkit_model_set_entry(target->model, PREFIX "positive", labels[1]));
}

static int read_entries(network *target)
{
    const char *length = rnnkit_model_entry(target->model, PREFIX "length");
    const char *negative = rnnkit_model_entry(target->model, PREFIX "negative");
    const char *positive = rnnkit_model_entry(target->model, PREFIX "positive");
    const char *pooling = rnnkit_model_entry(target->model, PREFIX "pooling");
    const char *keep = rnnkit_model_entry(target->model, PREFIX "keep");

    if (length == NULL || negative == NULL || positive == NULL || pooling == NULL || keep == NULL)
        return 0;
    if (strlen(negative) >= REVIEW_LABEL_SIZE || strlen(positive) >= REVIEW_LABEL_SIZE) return 0;
    if (strcmp(pooling, "last") != 0 && strcmp(pooling, "mean") != 0 && strcmp(pooling, "max") != 0)
        return 0;
    snprintf(target->pooling, sizeof target->pooling, "pooling=%s", pooling);
    strcpy(target->labels[0], negative);
    strcpy(target->labels[1], positive);
    target->part = (excerpt){strtoll(length, NULL, 10), strcmp(keep, "first") == 0};
    return target->part.length >= 1 && target->part.length <= INT32_MAX;
}

/* What reads vectors of `width`; *given: what it says is so wide. */
static int find_encoder(network *target, int64_t width, int64_t *given)
{
    int64_t inputs;

    *given = width;
    if (rnnkit_rnn_find(target->model, "rnn", &target->rnn) < 0)
        return transformer_find(&target->encoder, target->model, width, target->part.length);
    return rnnkit_rnn_size(target->rnn, &inputs, NULL, NULL) >= 0 && inputs == width &&
           rnnkit_rnn_widths(target->rnn, given, NULL) >= 0;
}

/* Layers of another program's model may have the same names: their sizes have to fit together. */
static int find_layers(network *target)
{
    int64_t words, width, given, wanted, outputs, known;

    return rnnkit_embedding_find(target->model, "embedding", &target->embedding) >= 0 &&
           rnnkit_linear_find(target->model, "linear", &target->linear) >= 0 &&
           rnnkit_model_vocab(target->model, &target->vocab) >= 0 &&
           rnnkit_embedding_size(target->embedding, &words, &width) >= 0 &&
           find_encoder(target, width, &given) &&
           rnnkit_linear_size(target->linear, &wanted, &outputs) >= 0 &&
           rnnkit_vocab_size(target->vocab, &known, NULL) >= 0 && known == words &&
           given == wanted && outputs == 2;
}

int network_open(network *target, rnnkit_context *context, const char *path, const char *weights)
{
    if (model_open(context, path, weights, &target->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (read_entries(target) && find_layers(target)) return OUTCOME_OK;
    return fail("%s is a model of another program: it lacks what sentiment train writes", path);
}

void network_close(network *target)
{
    rnnkit_vocab_destroy(target->vocab);
    rnnkit_linear_destroy(target->linear);
    rnnkit_rnn_destroy(target->rnn);
    transformer_close(&target->encoder);
    rnnkit_embedding_destroy(target->embedding);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

static int drop(const network *source, rnnkit_tape *tape, rnnkit_tensor **at)
{
    if (source->dropout <= 0) return OUTCOME_OK;
    return failed(rnnkit_dropout_forward(tape, *at, source->dropout, at));
}

/* A vector for each review, [rows][outputs], out of those of its words. */
static int encode(const network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor *x,
    rnnkit_tensor **out)
{
    if (source->rnn == NULL) return transformer_run(&source->encoder, tape, from, x, out);
    return failed(rnnkit_rnn_forward(source->rnn, tape, x, from->lengths, NULL, &x)) ||
                   failed(
                       rnnkit_rnn_pool(source->rnn, tape, x, from->lengths, source->pooling, out))
               ? OUTCOME_FAILED
               : OUTCOME_OK;
}

static int run(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **out)
{
    if (failed(rnnkit_embedding_forward(
            source->embedding, tape, from->ids, from->steps, from->rows, out)) ||
        drop(source, tape, out) != OUTCOME_OK ||
        encode(source, tape, from, *out, out) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return drop(source, tape, out);
}

int network_loss(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **loss)
{
    rnnkit_tensor *at = NULL;

    if (run(source, tape, from, &at) != OUTCOME_OK) return OUTCOME_FAILED;
    return failed(rnnkit_linear_cross_entropy(
        source->linear, tape, at, from->labels, from->rows, RNNKIT_IGNORE, loss));
}

int network_predict(network *source, rnnkit_tape *tape, const batch *from, double *probabilities)
{
    float *logits = malloc((size_t)from->rows * 2 * sizeof *logits);
    rnnkit_tensor *at = NULL;
    int outcome;

    if (logits == NULL) return fail("out of memory");
    outcome = failed(rnnkit_tape_clear(tape));
    if (outcome == OUTCOME_OK) outcome = run(source, tape, from, &at);
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_linear_forward(source->linear, tape, at, &at)) ||
                          failed(rnnkit_tensor_read(at, logits, from->rows * 2))
                      ? OUTCOME_FAILED
                      : OUTCOME_OK;
    for (int64_t b = 0; b < from->rows && outcome == OUTCOME_OK; b++)
        probabilities[b] = 1 / (1 + exp((double)logits[2 * b] - (double)logits[2 * b + 1]));
    free(logits);
    return outcome;
}
