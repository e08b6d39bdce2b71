/* Word vectors into an embedding: by word, through a vocabulary. The table is made on the host and
 * written at once, so that a failure leaves the embedding as it was. */
#include <math.h>
#include <string.h>

#include "nn/layers.h"
#include "text/vocab.h"
#include "word2vec/vectors.h"

typedef enum missing_rows { MISSING_NORMAL, MISSING_ZERO, MISSING_KEEP } missing_rows;

typedef struct load_settings {
    int32_t frozen, missing;
    double scale;
} load_settings;

static const rki_option rows[] = {
    {"frozen", RKI_OPTION_FLAG, offsetof(load_settings, frozen), 0, 1, "0", NULL, "0.1",
        "1: the table gets no gradient from now on; 0: it is trained"},
    {"missing", RKI_OPTION_CHOICE, offsetof(load_settings, missing), 0, 0, "normal",
        "normal|zero|keep", "0.1",
        "rows of words without a vector: drawn from N(0, scale^2), zero, or as they are"},
    {"scale", RKI_OPTION_NUMBER, offsetof(load_settings, scale), -1, 1000, "-1", NULL, "0.1",
        "standard deviation of rows that are drawn; -1: that of the vectors' values"},
};
const rki_option_table rki_embedding_vectors_options = {
    "embedding_vectors", rows, sizeof rows / sizeof *rows};

/* What is loaded, and the table on the host. */
typedef struct load {
    const rki_embedding_layer *layer;
    const rnnkit_vectors *vectors;
    const rnnkit_vocab *vocab;
    load_settings settings;
    float *table; /* [words][width] */
    float *drawn; /* the same: rows for words without a vector */
    int64_t found, missing;
} load;

static int32_t check_sizes(const load *of)
{
    const int64_t *sizes = of->layer->layer.sizes;
    int32_t ids = rki_vocab_ids(of->vocab);
    if (sizes[0] != ids)
        return rki_fail(RNNKIT_E_SHAPE, "the embedding has %lld rows, the vocabulary %d ids",
            (long long)sizes[0], (int)ids);
    if (sizes[1] != of->vectors->dimension)
        return rki_fail(RNNKIT_E_SHAPE,
            "the embedding's width is %lld, the vectors' dimension %lld", (long long)sizes[1],
            (long long)of->vectors->dimension);
    return RNNKIT_OK;
}

/* The place of an id's word among the vectors, or -1. */
static int32_t place_of(const load *of, int32_t id)
{
    int64_t length;
    const char *word = rki_vocab_token(of->vocab, id, &length);
    return rki_wordmap_find(&of->vectors->words, word, (size_t)length);
}

/* Of the vectors that are found. */
static double deviation(const load *of)
{
    int64_t width = of->vectors->dimension;
    double sum = 0, squares = 0, count = 0;
    for (int32_t id = 0; id < rki_vocab_ids(of->vocab); id++) {
        int32_t place = place_of(of, id);
        if (place < 0) continue;
        const float *row = rki_vectors_row(of->vectors, place);
        for (int64_t k = 0; k < width; k++) {
            sum += (double)row[k];
            squares += (double)row[k] * (double)row[k];
        }
        count += (double)width;
    }
    if (count == 0) return 0;
    double variance = squares / count - sum / count * (sum / count);
    return variance > 0 ? sqrt(variance) : 0;
}

static void draw_missing(const load *of)
{
    const rki_parameter *weight = of->layer->weight;
    int64_t count = of->layer->layer.sizes[0] * of->layer->layer.sizes[1];
    double scale = of->settings.scale < 0 ? deviation(of) : of->settings.scale;
    rki_random random = {(uint64_t)of->vectors->context->seed, RKI_PURPOSE_INITIAL, weight->index};
    if (of->settings.missing == MISSING_NORMAL)
        rki_initial_values(random, 1, RKI_INITIAL_NORMAL, scale, count, of->drawn);
}

/* A special without a vector keeps its row: nobody writes about <pad>. */
static void fill(load *of)
{
    int64_t width = of->layer->layer.sizes[1];
    size_t bytes = (size_t)width * sizeof(float);
    int32_t specials = rki_vocab_specials(of->vocab);
    draw_missing(of);
    for (int32_t id = 0; id < rki_vocab_ids(of->vocab); id++) {
        int32_t place = place_of(of, id);
        if (id == of->layer->settings.padding) {
            memset(of->table + id * width, 0, bytes);
        } else if (place >= 0) {
            memcpy(of->table + id * width, rki_vectors_row(of->vectors, place), bytes);
            of->found++;
        } else if (id >= specials) {
            of->missing++;
            if (of->settings.missing != MISSING_KEEP)
                memcpy(of->table + id * width, of->drawn + id * width, bytes);
        }
    }
}

static int32_t write_table(rnnkit_embedding *embedding, load *of)
{
    rnnkit_model *model = embedding->handle.model;
    const rki_device *device = model->context->device;
    const rki_memory *memory = &model->context->memory;
    rki_embedding_layer *layer = rki_embedding_of(embedding);
    int64_t count = layer->layer.sizes[0] * layer->layer.sizes[1];
    RKI_TRY(rki_parameter_check_plain(layer->weight));
    RKI_TRY(rki_device_read(device, memory, layer->weight->value, of->table, count));
    fill(of);
    if (of->settings.frozen) RKI_TRY(rki_parameter_clear(device, layer->weight));
    RKI_TRY(rki_device_write(device, memory, layer->weight->value, of->table, count));
    layer->settings.frozen = layer->weight->frozen = of->settings.frozen;
    return RNNKIT_OK;
}

static int32_t load_vectors(rnnkit_embedding *embedding, const rnnkit_vectors *vectors,
    const rnnkit_vocab *vocab, const char *options, int64_t *found, int64_t *missing)
{
    const rki_memory *memory = &embedding->handle.model->context->memory;
    void *block;
    load of = {.layer = rki_embedding_of(embedding), .vectors = vectors, .vocab = vocab};
    RKI_TRY(rki_check(vectors, RKI_KIND_VECTORS, "vectors"));
    RKI_TRY(rki_check(vocab, RKI_KIND_VOCAB, "vocab"));
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_options_parse(&rki_embedding_vectors_options, options, &of.settings));
    RKI_TRY(check_sizes(&of));
    int64_t count = of.layer->layer.sizes[0] * of.layer->layer.sizes[1];
    RKI_TRY(rki_allocate(memory, 2 * count + 3, sizeof(float), "an embedding's table", &block));
    of.table = block;
    of.drawn = of.table + count;
    int32_t status = write_table(embedding, &of);
    rki_release(memory, block);
    RKI_TRY(status);
    if (found != NULL) *found = of.found;
    if (missing != NULL) *missing = of.missing;
    return RNNKIT_OK;
}

int32_t rnnkit_embedding_load_vectors(rnnkit_embedding *embedding, const rnnkit_vectors *vectors,
    const rnnkit_vocab *vocab, const char *options, int64_t *found, int64_t *missing)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = load_vectors(embedding, vectors, vocab, options, found, missing);
    return rki_leave(embedding->handle.model->context, __func__, status);
}
