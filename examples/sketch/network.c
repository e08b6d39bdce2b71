/* See network.h. */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/model.h"

static const char scale_key[] = "sketch.scale";

int network_create(network *target, rnnkit_context *context, const settings *options, double scale)
{
    char text[120];

    *target = (network){.mixtures = options->mixtures,
        .width = mixture_width(options->mixtures),
        .scale = scale,
        .dropout = options->dropout};
    snprintf(text, sizeof text, "layers=%" PRId64 " dropout=%.17g forget_bias=1", options->layers,
        options->layers > 1 ? options->dropout : 0.0);
    if (failed(rnnkit_model_create(context, &target->model)) ||
        failed(rnnkit_lstm_create(
            target->model, "lstm", NETWORK_INPUTS, options->hidden, text, &target->lstm)) ||
        failed(rnnkit_linear_create(
            target->model, "output", options->hidden, target->width, NULL, &target->output)))
        return OUTCOME_FAILED;
    snprintf(text, sizeof text, "%.17g", scale);
    return failed(rnnkit_model_set_entry(target->model, scale_key, text));
}

/* Layers of another program's model may have the same names: their sizes have to fit together. */
static int find_layers(network *target)
{
    const char *text = rnnkit_model_entry(target->model, scale_key);
    int64_t inputs, given, wanted;
    char *end;

    if (text == NULL || rnnkit_rnn_find(target->model, "lstm", &target->lstm) < 0 ||
        rnnkit_linear_find(target->model, "output", &target->output) < 0 ||
        rnnkit_rnn_size(target->lstm, &inputs, NULL, NULL) < 0 ||
        rnnkit_rnn_widths(target->lstm, &given, NULL) < 0 ||
        rnnkit_linear_size(target->output, &wanted, &target->width) < 0)
        return 0;
    target->mixtures = (target->width - PENS) / 6;
    target->scale = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(target->scale) && target->scale > 0 &&
           inputs == NETWORK_INPUTS && given == wanted && target->mixtures >= 1 &&
           target->mixtures <= MIXTURE_MOST && mixture_width(target->mixtures) == target->width;
}

int network_open(network *target, rnnkit_context *context, const char *path, const char *weights)
{
    if (model_open(context, path, weights, &target->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (find_layers(target)) return OUTCOME_OK;
    return fail("%s is a model of another program: it lacks what sketch train writes", path);
}

void network_close(network *target)
{
    rnnkit_linear_destroy(target->output);
    rnnkit_rnn_destroy(target->lstm);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

void network_input(const pen_point *before, float input[NETWORK_INPUTS])
{
    static const pen_point beginning = {0, 0, PEN_DOWN};

    if (before == NULL) before = &beginning;
    input[0] = before->dx;
    input[1] = before->dy;
    for (int pen = 0; pen < PENS; pen++)
        input[2 + pen] = (float)(before->pen == pen);
}

int network_run(network *source, rnnkit_tape *tape, const float *inputs, const int32_t *lengths,
    rnnkit_state *state, int64_t steps, int64_t batch, rnnkit_tensor **out)
{
    const int64_t dims[3] = {steps, batch, NETWORK_INPUTS};
    rnnkit_tensor *at;

    if (failed(rnnkit_tape_input(tape, inputs, dims, 3, &at)) ||
        failed(rnnkit_rnn_forward(source->lstm, tape, at, lengths, state, &at)) ||
        (source->dropout > 0 && failed(rnnkit_dropout_forward(tape, at, source->dropout, &at))))
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_forward(source->output, tape, at, out));
}
