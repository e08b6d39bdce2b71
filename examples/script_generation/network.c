/* x -> embedding -> dropout -> LSTM -> dropout -> linear -> softmax (Zaremba et al. 2014; with a
 * tied output layer: Press and Wolf 2017).
 */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/console.h"
#include "../common/model.h"

/* As output weights, a table drawn from N(0, 1) would start with wild guesses: a tied one starts
 * with rows of length one. */
static int create_embedding(network *target, const settings *options, int64_t words)
{
    char text[64];

    if (target->tied)
        snprintf(text, sizeof text, "sparse=0 scale=%.9g", 1.0 / sqrt((double)options->embedding));
    else
        snprintf(text, sizeof text, "sparse=%d", options->sparse);
    return failed(rnnkit_embedding_create(
        target->model, "embedding", words, options->embedding, text, &target->embedding));
}

static int create_lstm(network *target, const settings *options)
{
    char text[96];

    snprintf(text, sizeof text, "layers=%" PRId64 " dropout=%.17g", options->layers,
        options->layers > 1 ? options->dropout : 0.0);
    return failed(rnnkit_lstm_create(
        target->model, "lstm", options->embedding, options->hidden, text, &target->lstm));
}

int network_create(network *target, rnnkit_context *context, const settings *options, int64_t words)
{
    int agree = options->embedding == options->hidden;

    if (options->tie_weights == 1 && !agree)
        return fail("--tie-weights: --embedding %" PRId64 " and --hidden %" PRId64
                    " must then be equal",
            options->embedding, options->hidden);
    target->tied = options->tie_weights != 0 && agree;
    target->dropout_ends = options->dropout_ends;
    if (failed(rnnkit_model_create(context, &target->model)) ||
        create_embedding(target, options, words) != OUTCOME_OK ||
        create_lstm(target, options) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_create(target->model, "linear", options->hidden, words,
        target->tied ? "tie=embedding" : NULL, &target->linear));
}

int network_open(network *target, rnnkit_context *context, const char *path, const char *weights)
{
    if (model_open(context, path, weights, &target->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (rnnkit_embedding_find(target->model, "embedding", &target->embedding) < 0 ||
        rnnkit_rnn_find(target->model, "lstm", &target->lstm) < 0 ||
        rnnkit_linear_find(target->model, "linear", &target->linear) < 0 ||
        rnnkit_model_entry(target->model, "script_generation.windows") == NULL)
        return fail(
            "%s is a model of another program: it lacks what script_generation train writes", path);
    return OUTCOME_OK;
}

void network_close(network *target)
{
    rnnkit_linear_destroy(target->linear);
    rnnkit_rnn_destroy(target->lstm);
    rnnkit_embedding_destroy(target->embedding);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

int32_t network_next(rnnkit_batches *batches, batch *out)
{
    int32_t status = rnnkit_batches_next(batches, &out->x, &out->y, &out->steps, &out->rows);

    out->targets = 0;
    if (status != RNNKIT_OK) return status;
    for (int64_t i = 0; i < out->steps * out->rows; i++)
        out->targets += out->y[i] != RNNKIT_IGNORE;
    return status;
}

static int drop(const network *source, rnnkit_tape *tape, rnnkit_tensor **at)
{
    if (source->dropout_ends <= 0) return OUTCOME_OK;
    return failed(rnnkit_dropout_forward(tape, *at, source->dropout_ends, at));
}

int network_loss(network *source, rnnkit_tape *tape, rnnkit_state *state, const batch *from,
    rnnkit_tensor **loss, double *mean)
{
    rnnkit_tensor *at = NULL;

    if (failed(rnnkit_tape_clear(tape)) ||
        failed(rnnkit_embedding_forward(
            source->embedding, tape, from->x, from->steps, from->rows, &at)) ||
        drop(source, tape, &at) != OUTCOME_OK ||
        failed(rnnkit_rnn_forward(source->lstm, tape, at, NULL, state, &at)) ||
        drop(source, tape, &at) != OUTCOME_OK ||
        failed(rnnkit_linear_cross_entropy(
            source->linear, tape, at, from->y, from->steps * from->rows, RNNKIT_IGNORE, loss)))
        return OUTCOME_FAILED;
    return failed(rnnkit_tensor_item(*loss, mean));
}

int64_t network_memory(const network *source, const settings *options, int64_t words)
{
    int64_t values = 0, moments, places, activations;
    int64_t status = rnnkit_model_size(source->model, NULL, &values);
    const char *rule = options->optimizer;

    if (status < 0) return 0;
    moments = strncmp(rule, "adam", 4) == 0 ? 2 : strcmp(rule, "sgd") == 0 ? 0 : 1;
    places = options->batch * options->steps;
    /* Per place and layer: four gates, cell, output, and their gradients; embedding and both
     * dropouts twice; then the largest slice of logits. */
    activations = places * (4 * options->embedding + options->hidden * (11 * options->layers + 4));
    return (values * (2 + moments) + activations + 256 * words) * (int64_t)sizeof(float);
}
