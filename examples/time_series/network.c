/* The network of a time series. See network.h. */
#include "network.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../common/console.h"

static int32_t create_rnn(network *target, const settings *options, int64_t columns)
{
    char text[96];
    int32_t (*create)(rnnkit_model *, const char *, int64_t, int64_t, const char *, rnnkit_rnn **) =
        strcmp(options->cell, "lstm") == 0  ? rnnkit_lstm_create
        : strcmp(options->cell, "gru") == 0 ? rnnkit_gru_create
                                            : rnnkit_elman_create;

    snprintf(text, sizeof text, "layers=%" PRId64 " dropout=%.17g", options->layers,
        options->layers > 1 ? options->dropout : 0.0);
    return create(target->model, "rnn", columns, options->hidden, text, &target->rnn);
}

int network_create(
    network *target, rnnkit_context *context, const settings *options, int64_t columns)
{
    target->columns = columns;
    if (failed(rnnkit_model_create(context, &target->model)) ||
        failed(create_rnn(target, options, columns)))
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_create(
        target->model, "linear", options->hidden, columns, NULL, &target->linear));
}

int network_find(network *target, const char *path, int64_t columns)
{
    int64_t inputs = 0, outputs = 0, given = 0, wanted = 0;

    if (rnnkit_rnn_find(target->model, "rnn", &target->rnn) < 0 ||
        rnnkit_linear_find(target->model, "linear", &target->linear) < 0 ||
        rnnkit_rnn_size(target->rnn, &inputs, NULL, NULL) < 0 ||
        rnnkit_rnn_widths(target->rnn, &given, NULL) < 0 ||
        rnnkit_linear_size(target->linear, &wanted, &outputs) < 0 || inputs != columns ||
        outputs != columns || wanted != given)
        return fail("%s is no model of a series of %" PRId64 " columns", path, columns);
    target->columns = columns;
    return OUTCOME_OK;
}

void network_close(network *target)
{
    rnnkit_linear_destroy(target->linear);
    rnnkit_rnn_destroy(target->rnn);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

int network_run(network *source, rnnkit_tape *tape, rnnkit_state *state, const float *rows,
    int64_t steps, int64_t batch, rnnkit_tensor **changes)
{
    const int64_t dims[3] = {steps, batch, source->columns};
    rnnkit_tensor *at = NULL;

    if (failed(rnnkit_tape_clear(tape)) || failed(rnnkit_tape_input(tape, rows, dims, 3, &at)) ||
        failed(rnnkit_rnn_forward(source->rnn, tape, at, NULL, state, &at)))
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_forward(source->linear, tape, at, changes));
}

/* One row: what follows it. */
static int follow(
    network *source, rnnkit_tape *tape, rnnkit_state *state, const float *row, float *next)
{
    rnnkit_tensor *changes;

    if (network_run(source, tape, state, row, 1, 1, &changes) != OUTCOME_OK ||
        failed(rnnkit_tensor_read(changes, next, source->columns)))
        return OUTCOME_FAILED;
    for (int64_t c = 0; c < source->columns; c++)
        next[c] += row[c];
    return OUTCOME_OK;
}

int network_continue(network *source, rnnkit_tape *tape, rnnkit_state *state, const float *rows,
    int64_t count, int64_t horizon, float *out)
{
    for (int64_t t = 0; t < count + horizon - 1; t++) {
        const float *row = t < count ? rows + t * source->columns : out + (t - 1) * source->columns;

        if (follow(source, tape, state, row, out + t * source->columns) != OUTCOME_OK)
            return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}
