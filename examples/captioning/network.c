/* See network.h. */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/model.h"

static const char scale_name[] = "scale", scale_weight[] = "scale.weight";

static int create_layers(network *target, const settings *options)
{
    int64_t words;
    char text[80];

    snprintf(text, sizeof text, "style=bahdanau start=%" PRId64 " output=%" PRId64, target->width,
        options->hidden);
    if (failed(rnnkit_vocab_size(target->vocab, &words, NULL)) ||
        failed(rnnkit_linear_create(
            target->model, "places", target->width, options->memory, NULL, &target->places)) ||
        failed(rnnkit_embedding_create(target->model, "positions", target->position_count,
            options->memory, "scale=0.1", &target->positions)) ||
        failed(rnnkit_embedding_create(
            target->model, "words", words, options->embedding, "scale=0.3", &target->words)) ||
        failed(rnnkit_decoder_create(target->model, "decoder", options->embedding, options->hidden,
            options->memory, text, &target->decoder)))
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_create(
        target->model, "output", options->hidden, words, NULL, &target->output));
}

/* The scale is no layer: it only travels as one. */
static int keep_scale(network *target)
{
    rnnkit_embedding *table;

    if (failed(rnnkit_embedding_create(
            target->model, scale_name, 2, target->width, "frozen=1", &table)))
        return OUTCOME_FAILED;
    rnnkit_embedding_destroy(table);
    return failed(rnnkit_model_parameter_write(
        target->model, scale_weight, target->scale, 2 * target->width));
}

int network_create(network *target, rnnkit_context *context, const settings *options,
    const gallery *pictures, rnnkit_vocab *vocab, float *scale)
{
    *target = (network){.vocab = vocab,
        .position_count = pictures->positions,
        .width = pictures->width,
        .scale = scale,
        .dropout = options->dropout};
    if (failed(rnnkit_model_create(context, &target->model)) ||
        create_layers(target, options) != OUTCOME_OK || keep_scale(target) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_model_set_vocab(target->model, vocab));
}

/* From the file itself, since the model may hold its weights in fewer bits. 0 when there is none of
 * that size, or a deviation that nothing can be divided by. */
static int read_scale(network *target, rnnkit_context *context, const char *path)
{
    rnnkit_arrays *file = NULL;
    float *scale = malloc(2 * (size_t)target->width * sizeof *scale);
    int good = scale != NULL && rnnkit_arrays_open(context, path, &file) >= 0 &&
               rnnkit_arrays_read(file, scale_weight, 0, scale, 2 * target->width) >= 0;

    rnnkit_arrays_destroy(file);
    target->scale = scale;
    for (int64_t k = 0; k < target->width && good; k++)
        good = isfinite(scale[k]) && isfinite(scale[target->width + k]) &&
               scale[target->width + k] > 0;
    return good;
}

/* Layers of another program's model may have the same names: their sizes have to fit together. */
static int find_layers(network *target)
{
    int64_t places, embedding, words, inputs, memory, wide, start, output, given, known;

    return rnnkit_linear_find(target->model, "places", &target->places) >= 0 &&
           rnnkit_embedding_find(target->model, "positions", &target->positions) >= 0 &&
           rnnkit_embedding_find(target->model, "words", &target->words) >= 0 &&
           rnnkit_decoder_find(target->model, "decoder", &target->decoder) >= 0 &&
           rnnkit_linear_find(target->model, "output", &target->output) >= 0 &&
           rnnkit_model_vocab(target->model, &target->vocab) >= 0 &&
           rnnkit_linear_size(target->places, &target->width, &places) >= 0 &&
           rnnkit_embedding_size(target->positions, &target->position_count, &wide) >= 0 &&
           rnnkit_embedding_size(target->words, &words, &embedding) >= 0 &&
           rnnkit_decoder_size(target->decoder, &inputs, &memory, &start, &output) >= 0 &&
           rnnkit_linear_size(target->output, &given, NULL) >= 0 &&
           rnnkit_vocab_size(target->vocab, &known, NULL) >= 0 && known == words &&
           places == wide && places == memory && embedding == inputs && start == target->width &&
           output == given;
}

int network_open(network *target, rnnkit_context *context, const char *path, const char *weights)
{
    if (model_open(context, path, weights, &target->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (find_layers(target) && read_scale(target, context, path)) return OUTCOME_OK;
    return fail("%s is a model of another program: it lacks what captioning train writes", path);
}

int network_check(const network *source, const char *path, const gallery *pictures)
{
    if (source->width == pictures->width && source->position_count == pictures->positions)
        return OUTCOME_OK;
    return fail("%s has %" PRId64 " positions of %" PRId64 " numbers, but %s was trained with "
                "%" PRId64 " of %" PRId64,
        pictures->path, pictures->positions, pictures->width, path, source->position_count,
        source->width);
}

void network_close(network *target)
{
    rnnkit_vocab_destroy(target->vocab);
    rnnkit_linear_destroy(target->output);
    rnnkit_decoder_destroy(target->decoder);
    rnnkit_embedding_destroy(target->words);
    rnnkit_embedding_destroy(target->positions);
    rnnkit_linear_destroy(target->places);
    rnnkit_model_destroy(target->model);
    free(target->scale);
    *target = (network){0};
}

int view_room_make(view_room *target, const gallery *pictures, int64_t batch)
{
    size_t one = (size_t)(pictures->positions * pictures->width);

    target->picture = malloc(one * sizeof *target->picture);
    target->features = malloc(one * (size_t)batch * sizeof *target->features);
    target->means = malloc((size_t)(batch * pictures->width) * sizeof *target->means);
    target->positions = malloc((size_t)(pictures->positions * batch) * sizeof *target->positions);
    if (target->picture == NULL || target->features == NULL || target->means == NULL ||
        target->positions == NULL)
        return fail("out of memory");
    return OUTCOME_OK;
}

void view_room_free(view_room *target)
{
    free(target->picture);
    free(target->features);
    free(target->means);
    free(target->positions);
    *target = (view_room){0};
}

/* Row b of features [positions][count][width] and means [count][width]. */
static void fill(const network *source, int64_t b, int64_t count, view_room *room)
{
    int64_t width = source->width;
    const float *centre = source->scale, *deviation = centre + width;
    float *mean = room->means + b * width;

    memset(mean, 0, (size_t)width * sizeof *mean);
    for (int64_t p = 0; p < source->position_count; p++) {
        const float *from = room->picture + p * width;
        float *to = room->features + (p * count + b) * width;

        for (int64_t k = 0; k < width; k++) {
            to[k] = (from[k] - centre[k]) / deviation[k];
            mean[k] += to[k] / (float)source->position_count;
        }
        room->positions[p * count + b] = (int32_t)p;
    }
}

static int drop(const network *source, rnnkit_tape *tape, rnnkit_tensor **at)
{
    if (source->dropout <= 0) return OUTCOME_OK;
    return failed(rnnkit_dropout_forward(tape, *at, source->dropout, at));
}

int network_see(network *source, rnnkit_tape *tape, const gallery *pictures, const int64_t *which,
    int64_t count, view_room *room, view *out)
{
    const int64_t dims[3] = {source->position_count, count, source->width};
    rnnkit_tensor *where;

    for (int64_t b = 0; b < count; b++) {
        if (gallery_read(pictures, which[b], room->picture) != OUTCOME_OK) return OUTCOME_FAILED;
        fill(source, b, count, room);
    }
    if (failed(rnnkit_tape_input(tape, room->features, dims, 3, &out->memory)) ||
        failed(rnnkit_tape_input(tape, room->means, dims + 1, 2, &out->start)) ||
        failed(rnnkit_linear_forward(source->places, tape, out->memory, &out->memory)) ||
        failed(rnnkit_relu_forward(tape, out->memory, &out->memory)) ||
        failed(rnnkit_embedding_forward(
            source->positions, tape, room->positions, source->position_count, count, &where)) ||
        failed(rnnkit_add_forward(tape, out->memory, where, &out->memory)))
        return OUTCOME_FAILED;
    return drop(source, tape, &out->memory);
}

int network_loss(network *source, rnnkit_tape *tape, const view *seen, const int32_t *inputs,
    const int32_t *targets, int64_t steps, int64_t batch, rnnkit_tensor **loss)
{
    rnnkit_tensor *at;

    if (failed(rnnkit_embedding_forward(source->words, tape, inputs, steps, batch, &at)) ||
        drop(source, tape, &at) != OUTCOME_OK ||
        failed(rnnkit_decoder_forward(
            source->decoder, tape, at, seen->memory, NULL, seen->start, &at, NULL)) ||
        drop(source, tape, &at) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_cross_entropy(
        source->output, tape, at, targets, steps * batch, RNNKIT_IGNORE, loss));
}
