/* What an attention has learnt: parameters, projections, their gradients. See attention.h. */
#include <math.h>
#include <stdio.h>

#include "nn/attention.h"
#include "nn/columns.h"

enum { SUFFIX_SIZE = 64 };

/* Parameters. */

static int has_layer(const rki_attention_settings *settings)
{
    return settings->score == RKI_ATTENTION_ADDITIVE || settings->score == RKI_ATTENTION_CONCAT;
}

static int32_t check_settings(const rki_attention_weights *weights)
{
    const rki_attention_settings *settings = &weights->settings;
    int direct =
        settings->score == RKI_ATTENTION_DOT || settings->score == RKI_ATTENTION_SCALED_DOT;
    if (direct && weights->query_width != weights->key_width)
        return rki_fail(RNNKIT_E_SHAPE,
            "queries are %lld wide and keys %lld, but a dot product needs equal widths "
            "(score=general compares others)",
            (long long)weights->query_width, (long long)weights->key_width);
    if (!has_layer(settings) && (settings->width != 0 || settings->bias))
        return rki_fail(RNNKIT_E_OPTION, "option %s belongs to score=additive and concat alone",
            settings->width != 0 ? "width" : "bias");
    return RNNKIT_OK;
}

static int32_t add_as(rki_role role, rnnkit_model *model, const char *layer, const char *prefix,
    const char *what, const int64_t *dims, int64_t rank, int64_t columns, rki_parameter **out)
{
    char suffix[SUFFIX_SIZE];
    snprintf(suffix, sizeof suffix, "%s%s", prefix, what);
    rki_parameter_wish wish = {.layer = layer,
        .suffix = suffix,
        .dims = dims,
        .rank = rank,
        .role = role,
        .initial = RKI_INITIAL_UNIFORM,
        .scale = 1 / sqrt((double)columns)};
    return rki_model_add_parameter(model, &wish, out);
}

/* A weight [rows][columns], or with `rank` 1 a bias [rows] of a layer with so many columns. */
static int32_t add(rnnkit_model *model, const char *layer, const char *prefix, const char *what,
    int64_t rows, int64_t columns, int64_t rank, rki_parameter **out)
{
    const int64_t dims[2] = {rows, columns};
    rki_role role = rank == 2 ? RKI_ROLE_FACTOR : RKI_ROLE_OTHER;
    return add_as(role, model, layer, prefix, what, dims, rank, columns, out);
}

/* v of the scores: no product reads it, the attention does. */
static int32_t add_score(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *w)
{
    const int64_t dims[2] = {1, w->width};
    return add_as(
        RKI_ROLE_OTHER, model, layer, prefix, "score.weight", dims, 2, w->width, &w->score);
}

static int32_t build_additive(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *w)
{
    RKI_TRY(add(model, layer, prefix, "query.weight", w->width, w->query_width, 2, &w->query));
    RKI_TRY(add(model, layer, prefix, "key.weight", w->width, w->key_width, 2, &w->key));
    if (w->settings.bias)
        RKI_TRY(add(model, layer, prefix, "key.bias", w->width, w->key_width, 1, &w->bias));
    return add_score(model, layer, prefix, w);
}

static int32_t build_concat(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *w)
{
    int64_t both;
    if (__builtin_add_overflow(w->query_width, w->key_width, &both))
        return rki_fail(RNNKIT_E_SHAPE, "query_width + key_width is too large");
    RKI_TRY(add(model, layer, prefix, "concat.weight", w->width, both, 2, &w->key));
    w->query = w->key;
    if (w->settings.bias)
        RKI_TRY(add(model, layer, prefix, "concat.bias", w->width, both, 1, &w->bias));
    return add_score(model, layer, prefix, w);
}

/* What positions are predicted with (Luong 2015, equation 9). */
static int32_t build_window(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *w)
{
    if (w->settings.window == 0) return RNNKIT_OK;
    RKI_TRY(
        add(model, layer, prefix, "position.weight", w->width, w->query_width, 2, &w->position));
    return add(model, layer, prefix, "center.weight", 1, w->width, 2, &w->center);
}

static int32_t build_score(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *weights)
{
    switch ((rki_attention_score)weights->settings.score) {
    case RKI_ATTENTION_ADDITIVE: return build_additive(model, layer, prefix, weights);
    case RKI_ATTENTION_CONCAT: return build_concat(model, layer, prefix, weights);
    case RKI_ATTENTION_GENERAL:
        return add(model, layer, prefix, "key.weight", weights->query_width, weights->key_width, 2,
            &weights->key);
    case RKI_ATTENTION_DOT:
    case RKI_ATTENTION_SCALED_DOT: break;
    }
    return RNNKIT_OK;
}

int32_t rki_attention_build(
    rnnkit_model *model, const char *layer, const char *prefix, rki_attention_weights *weights)
{
    RKI_TRY(check_settings(weights));
    weights->width = weights->settings.width > 0 ? weights->settings.width : weights->query_width;
    RKI_TRY(build_score(model, layer, prefix, weights));
    return build_window(model, layer, prefix, weights);
}

/* Projections. */

static rki_columns query_columns(const rki_attention_weights *w)
{
    return (rki_columns){w->query, 0, w->query_width};
}

static rki_columns key_columns(const rki_attention_weights *w)
{
    int64_t first = w->settings.score == RKI_ATTENTION_CONCAT ? w->query_width : 0;
    return (rki_columns){w->key, first, w->key_width};
}

int32_t rki_attention_query(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *room, const void **out)
{
    *out = weights->query ? room : x;
    if (weights->query == NULL) return RNNKIT_OK;
    return rki_columns_product(tape, query_columns(weights), rows, x, NULL, 0, room);
}

int32_t rki_attention_key(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *room, const void **out)
{
    *out = weights->key ? room : x;
    if (weights->key == NULL) return RNNKIT_OK;
    return rki_columns_product(tape, key_columns(weights), rows, x, weights->bias, 0, room);
}

int32_t rki_attention_query_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, int accumulate, void *dx)
{
    return rki_columns_back(tape, query_columns(weights), rows, d, accumulate, dx);
}

int32_t rki_attention_key_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, int accumulate, void *dx)
{
    return rki_columns_back(tape, key_columns(weights), rows, d, accumulate, dx);
}

int32_t rki_attention_query_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *x)
{
    if (weights->query == NULL) return RNNKIT_OK;
    return rki_columns_learn(tape, model, query_columns(weights), rows, d, x);
}

int32_t rki_attention_key_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *x)
{
    if (weights->key == NULL) return RNNKIT_OK;
    RKI_TRY(rki_columns_learn(tape, model, key_columns(weights), rows, d, x));
    return rki_bias_learn(tape, model, weights->bias, rows, d);
}

int32_t rki_attention_score_gradient(
    rnnkit_model *model, const rki_attention_weights *weights, void **out)
{
    *out = NULL;
    if (weights->score == NULL) return RNNKIT_OK;
    rki_parameter_touch_everything(weights->score);
    return rki_model_gradient(model, weights->score, out);
}

/* Windows. */

static rki_columns position_columns(const rki_attention_weights *w)
{
    return (rki_columns){w->position, 0, w->query_width};
}

static rki_columns center_columns(const rki_attention_weights *w)
{
    return (rki_columns){w->center, 0, w->width};
}

int32_t rki_attention_center(rnnkit_tape *tape, const rki_attention_weights *weights, int64_t rows,
    const void *x, void *position, void *centers)
{
    const rki_device *device = tape->device;
    if (weights->center == NULL) return RNNKIT_OK;
    RKI_TRY(rki_columns_product(tape, position_columns(weights), rows, x, NULL, 0, position));
    RKI_TRY(device->ops->tanh(device->self, rows * weights->width, position, position));
    return rki_columns_product(tape, center_columns(weights), rows, position, NULL, 0, centers);
}

int32_t rki_attention_center_input(rnnkit_tape *tape, const rki_attention_weights *weights,
    int64_t rows, const void *d, const void *position, void *dposition, void *dx)
{
    const rki_device *device = tape->device;
    if (weights->center == NULL) return RNNKIT_OK;
    RKI_TRY(rki_columns_back(tape, center_columns(weights), rows, d, 0, dposition));
    RKI_TRY(device->ops->tanh_backward(
        device->self, rows * weights->width, position, dposition, dposition));
    if (dx == NULL) return RNNKIT_OK;
    return rki_columns_back(tape, position_columns(weights), rows, dposition, 1, dx);
}

int32_t rki_attention_center_learn(rnnkit_tape *tape, rnnkit_model *model,
    const rki_attention_weights *weights, int64_t rows, const void *d, const void *dposition,
    const void *position, const void *x)
{
    if (weights->center == NULL) return RNNKIT_OK;
    RKI_TRY(rki_columns_learn(tape, model, center_columns(weights), rows, d, position));
    return rki_columns_learn(tape, model, position_columns(weights), rows, dposition, x);
}

/* The operation. */

rki_attention rki_attention_call(const rki_attention_weights *weights, int64_t queries,
    int64_t positions, int64_t batch, int64_t value_width)
{
    int scaled = weights->settings.score == RKI_ATTENTION_SCALED_DOT;
    return (rki_attention){
        .score = has_layer(&weights->settings) ? RKI_SCORE_ADDITIVE : RKI_SCORE_DOT,
        .queries = queries,
        .positions = positions,
        .batch = batch,
        .heads = 1,
        .width = weights->width,
        .value_width = value_width,
        .scale = scaled ? 1 / sqrt((double)weights->key_width) : 1,
        .ldq = weights->width,
        .ldkeys = weights->width,
        .ldvalues = value_width,
        .v = weights->score ? weights->score->value : NULL,
        .window = weights->settings.window};
}

int32_t rki_attention_run_source(rnnkit_tape *tape, rki_attention_source call)
{
    const rki_device *device = tape->device;
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    size_t bytes = device->ops->attention_source_scratch(device->self, &call.attention);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    int32_t status = device->ops->attention_source(device->self, &call);
    rki_arena_rewind(&tape->device_arena, mark);
    return status;
}

int32_t rki_attention_lengths(rnnkit_tape *tape, const int32_t *lengths, int64_t batch,
    int64_t positions, const int32_t **out)
{
    void *block;
    *out = NULL;
    if (lengths == NULL) return RNNKIT_OK;
    for (int64_t b = 0; b < batch; b++)
        if (lengths[b] < 1 || lengths[b] > positions)
            return rki_fail(RNNKIT_E_ARGUMENT, "lengths[%lld] is %d, expected 1 to %lld",
                (long long)b, (int)lengths[b], (long long)positions);
    RKI_TRY(rki_tape_host(tape, batch, sizeof *lengths, &block));
    int32_t *copy = block;
    for (int64_t b = 0; b < batch; b++)
        copy[b] = lengths[b];
    *out = copy;
    return RNNKIT_OK;
}
