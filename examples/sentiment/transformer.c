/* A Transformer's encoder. See transformer.h. */
#include "transformer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"

enum { NAME_SIZE = 64 };

/* The name of a layer in block i; good until the next call. */
static const char *name_of(int64_t i, const char *layer)
{
    static char name[NAME_SIZE];

    snprintf(name, sizeof name, "encoder.layers.%" PRId64 ".%s", i, layer);
    return name;
}

static int create_block(transformer *target, rnnkit_model *model, const settings *options)
{
    int64_t i = target->count++, width = options->embedding, inner = options->hidden;
    transformer_block *block = &target->blocks[i];

    return failed(rnnkit_multihead_create(
               model, name_of(i, "self_attn"), width, options->heads, NULL, &block->attention)) ||
                   failed(rnnkit_linear_create(
                       model, name_of(i, "linear1"), width, inner, NULL, &block->up)) ||
                   failed(rnnkit_linear_create(
                       model, name_of(i, "linear2"), inner, width, NULL, &block->down)) ||
                   failed(rnnkit_norm_create(
                       model, name_of(i, "norm1"), width, NULL, &block->norms[0])) ||
                   failed(rnnkit_norm_create(
                       model, name_of(i, "norm2"), width, NULL, &block->norms[1]))
               ? OUTCOME_FAILED
               : OUTCOME_OK;
}

int transformer_create(transformer *target, rnnkit_model *model, const settings *options)
{
    target->dropout = options->dropout;
    if (options->embedding % options->heads != 0)
        return fail("--embedding %" PRId64 " is no multiple of --heads %" PRId64,
            options->embedding, options->heads);
    if (failed(rnnkit_embedding_create(
            model, "places", options->length, options->embedding, "scale=0.1", &target->places)))
        return OUTCOME_FAILED;
    while (target->count < options->layers)
        if (create_block(target, model, options) != OUTCOME_OK) return OUTCOME_FAILED;
    return failed(rnnkit_attention_create(
        model, "gather", 1, options->embedding, "width=64", &target->gather));
}

/* 1 when block i is there, and its widths fit. */
static int find_block(transformer_block *block, rnnkit_model *model, int64_t i, int64_t width)
{
    int64_t wide, inner, given, back;

    return rnnkit_multihead_find(model, name_of(i, "self_attn"), &block->attention) >= 0 &&
           rnnkit_linear_find(model, name_of(i, "linear1"), &block->up) >= 0 &&
           rnnkit_linear_find(model, name_of(i, "linear2"), &block->down) >= 0 &&
           rnnkit_norm_find(model, name_of(i, "norm1"), &block->norms[0]) >= 0 &&
           rnnkit_norm_find(model, name_of(i, "norm2"), &block->norms[1]) >= 0 &&
           rnnkit_linear_size(block->up, &wide, &inner) >= 0 &&
           rnnkit_linear_size(block->down, &given, &back) >= 0 && wide == width && back == width &&
           inner == given;
}

int transformer_find(transformer *target, rnnkit_model *model, int64_t width, int64_t longest)
{
    int64_t places, wide, query, keys;

    if (rnnkit_embedding_find(model, "places", &target->places) < 0 ||
        rnnkit_attention_find(model, "gather", &target->gather) < 0 ||
        rnnkit_embedding_size(target->places, &places, &wide) < 0 ||
        rnnkit_attention_size(target->gather, &query, &keys, NULL) < 0)
        return 0;
    while (target->count < TRANSFORMER_MOST_BLOCKS &&
           find_block(&target->blocks[target->count], model, target->count, width))
        target->count++;
    return target->count > 0 && places >= longest && wide == width && query == 1 && keys == width;
}

void transformer_close(transformer *target)
{
    for (int64_t i = 0; i < TRANSFORMER_MOST_BLOCKS; i++) {
        transformer_block *block = &target->blocks[i];

        rnnkit_multihead_destroy(block->attention);
        rnnkit_linear_destroy(block->up);
        rnnkit_linear_destroy(block->down);
        rnnkit_norm_destroy(block->norms[0]);
        rnnkit_norm_destroy(block->norms[1]);
    }
    rnnkit_embedding_destroy(target->places);
    rnnkit_attention_destroy(target->gather);
    *target = (transformer){0};
}

static int add_places(
    const transformer *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **x)
{
    int64_t count = from->steps * from->rows;
    int32_t *ids = malloc((size_t)count * sizeof *ids);
    rnnkit_tensor *places = NULL;
    int outcome = OUTCOME_OK;

    if (ids == NULL) return fail("out of memory");
    for (int64_t i = 0; i < count; i++)
        ids[i] = (int32_t)(i / from->rows);
    if (failed(rnnkit_embedding_forward(
            source->places, tape, ids, from->steps, from->rows, &places)) ||
        failed(rnnkit_add_forward(tape, *x, places, x)))
        outcome = OUTCOME_FAILED;
    free(ids);
    return outcome;
}

/* *x = norm(*x + dropout(y)) */
static int settle(const transformer *source, rnnkit_tape *tape, rnnkit_norm *norm, rnnkit_tensor *y,
    rnnkit_tensor **x)
{
    return failed(rnnkit_dropout_forward(tape, y, source->dropout, &y)) ||
                   failed(rnnkit_add_forward(tape, *x, y, x)) ||
                   failed(rnnkit_norm_forward(norm, tape, *x, x))
               ? OUTCOME_FAILED
               : OUTCOME_OK;
}

static int run_block(const transformer *source, const transformer_block *block, rnnkit_tape *tape,
    const int32_t *lengths, rnnkit_tensor **x)
{
    rnnkit_tensor *y = NULL;

    if (failed(rnnkit_multihead_forward(block->attention, tape, *x, lengths, &y, NULL)) ||
        settle(source, tape, block->norms[0], y, x) != OUTCOME_OK ||
        failed(rnnkit_linear_forward(block->up, tape, *x, &y)) ||
        failed(rnnkit_relu_forward(tape, y, &y)) ||
        failed(rnnkit_linear_forward(block->down, tape, y, &y)))
        return OUTCOME_FAILED;
    return settle(source, tape, block->norms[1], y, x);
}

static int gather(const transformer *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor *x,
    rnnkit_tensor **out)
{
    const int64_t dims[3] = {1, from->rows, 1};
    float *ones = malloc((size_t)from->rows * sizeof *ones);
    rnnkit_tensor *query = NULL, *keys = NULL;
    int outcome = OUTCOME_OK;

    if (ones == NULL) return fail("out of memory");
    for (int64_t b = 0; b < from->rows; b++)
        ones[b] = 1;
    if (failed(rnnkit_tape_input(tape, ones, dims, 3, &query)) ||
        failed(rnnkit_attention_keys(source->gather, tape, x, &keys)) ||
        failed(rnnkit_attention_forward(
            source->gather, tape, query, keys, x, from->lengths, out, NULL)))
        outcome = OUTCOME_FAILED;
    free(ones);
    return outcome;
}

int transformer_run(const transformer *source, rnnkit_tape *tape, const batch *from,
    rnnkit_tensor *x, rnnkit_tensor **out)
{
    if (add_places(source, tape, from, &x) != OUTCOME_OK) return OUTCOME_FAILED;
    for (int64_t i = 0; i < source->count; i++)
        if (run_block(source, &source->blocks[i], tape, from->lengths, &x) != OUTCOME_OK)
            return OUTCOME_FAILED;
    return gather(source, tape, from, x, out);
}
