/* Training of word vectors, one group after another: skip-gram and CBOW, windows, more noise words
 * than change together, subsampling, sentences, short and long blocks with words around them, places
 * beyond 32 bits. Where a word comes again near itself the rates are 0, for its row may be changed in
 * copies then (backend/word2vec.h); losses and pairs show how words were grouped and what was drawn. */
#include "operations.h"

#include <string.h>

enum { MOST_TOKENS = 400, MOST_WORDS = 512, MOST_BLOCKS = 8 };

typedef struct text {
    int32_t tokens[MOST_TOKENS];
    uint32_t keep[1 + MOST_WORDS], limits[MOST_WORDS];
    int32_t aliases[MOST_WORDS];
    float rates[MOST_BLOCKS];
} text;

int word2vec_offered(const rki_backend *ops)
{
    return ops->word2vec_train != NULL;
}

static uint32_t draw_limit(bench *b)
{
    return (uint32_t)draw(b, (int64_t)1 << 32);
}

static void write_text(bench *b, int shape, const rki_word2vec *of, int64_t count, text *t)
{
    int few = shape % 6 == 5; /* words come again near themselves */
    int64_t word = draw(b, of->size);
    t->keep[0] = UINT32_MAX;
    for (int64_t i = 0; i < of->size; i++) {
        t->keep[1 + i] = shape % 2 == 0 || draw(b, 3) == 0 ? UINT32_MAX : draw_limit(b);
        t->limits[i] = draw_limit(b);
        t->aliases[i] = (int32_t)draw(b, of->size);
    }
    for (int64_t i = 0; i < count; i++) {
        word = few ? draw(b, 5) : (word + 1) % of->size;
        t->tokens[i] = draw(b, 12) == 0 ? -1 : (int32_t)word;
    }
    for (int i = 0; i < MOST_BLOCKS; i++)
        t->rates[i] = few ? 0.0f : 0.05f / (float)(i + 1);
}

static void *put(bench *b, const void *from, size_t bytes)
{
    void *device = scratch(b, bytes);
    succeed(b, b->on->ops->upload(b->on->self, device, from, bytes));
    return device;
}

static rki_word2vec choose_layout(bench *b, int shape)
{
    static const int64_t strides[] = {16, 32, 64, 112, 128, 144, 304};
    static const int64_t negatives[] = {1, 5, 6, 13, 5};
    rki_word2vec of = {.size = MOST_TOKENS + draw(b, MOST_WORDS - MOST_TOKENS),
        .stride = strides[shape % 7],
        .window = 1 + shape % 9,
        .negatives = negatives[shape % 5],
        .shrink = shape % 3 != 1,
        .cbow = shape / 2 % 2,
        .spread = shape % 8 == 2 ? 1.0 : 0.0,
        .block = 20 + draw(b, shape % 2 ? MOST_TOKENS : 60),
        .blocks = MOST_BLOCKS,
        .together = 1};
    of.halo = shape % 4 == 3 ? 0 : 2 * of.window;
    return of;
}

void run_word2vec(bench *b, int shape)
{
    text t;
    double tallies[MOST_BLOCKS][RKI_WORD2VEC_TALLY];
    rki_word2vec_train call = {.of = choose_layout(b, shape), .key = {11, 22}, .pass = 3};
    const rki_word2vec *of = &call.of;
    int64_t matrix = of->size * of->stride, blocks = 1 + draw(b, shape % 11 == 0 ? MOST_BLOCKS : 3);
    size_t bytes, ids = (size_t)of->size * sizeof(int32_t);
    call.base = shape % 5 == 4 ? ((int64_t)7 << 32) - 20 : draw(b, 1000);
    call.begin = draw(b, of->halo + 1);
    call.end = call.begin + (blocks - 1) * of->block + 1 + draw(b, of->block);
    if (call.end > MOST_TOKENS) call.end = MOST_TOKENS;
    call.count = call.end + draw(b, of->halo + 1);
    if (call.count > MOST_TOKENS) call.count = MOST_TOKENS;
    blocks = (call.end - call.begin + of->block - 1) / of->block;
    label(b,
        "stride=%d window=%d negatives=%d shrink=%d cbow=%d spread=%g block=%d halo=%d blocks=%d",
        (int)of->stride, (int)of->window, (int)of->negatives, of->shrink, of->cbow, of->spread,
        (int)of->block, (int)of->halo, (int)blocks);
    write_text(b, shape, of, call.count, &t);
    call.input = input(b, matrix, 0.5);
    call.output = input(b, matrix, 0.5);
    call.keep = put(b, t.keep, sizeof(uint32_t) + ids);
    call.limits = put(b, t.limits, ids);
    call.aliases = put(b, t.aliases, ids);
    call.tokens = t.tokens;
    call.rates = t.rates;
    call.tallies = scratch(b, sizeof tallies);
    succeed(b, b->on->ops->word2vec_scratch(b->on->self, of, &bytes));
    call.scratch = scratch(b, bytes);
    succeed(b, b->on->ops->word2vec_train(b->on->self, &call));
    succeed(b, b->on->ops->download(
                   b->on->self, tallies, call.tallies, (size_t)blocks * sizeof tallies[0]));
    for (int64_t i = 0; i < blocks; i++) {
        keep_number(b, "loss", tallies[i][0]);
        keep_number(b, "pairs, words, diverged",
            tallies[i][1] * 10000 + tallies[i][2] * 10 + tallies[i][3]);
    }
    keep(b, "input", call.input, matrix);
    keep(b, "output", call.output, matrix);
}
