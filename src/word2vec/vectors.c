/* The vectors object: life, words, values. See vectors.h. */
#include "word2vec/vectors.h"

#include <math.h>
#include <string.h>

#include "base/give.h"
#include "base/nearest.h"
#include "cpu/parallel.h"
#include "text/argument.h"
#include "text/characters.h"

/* Life. */

int32_t rki_vectors_new(rnnkit_context *context, int64_t dimension, rnnkit_vectors **out)
{
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_vectors), "a vectors handle", &block));
    rnnkit_vectors *vectors = block;
    rki_object_init(&vectors->object, RKI_KIND_VECTORS);
    pthread_mutex_init(&vectors->lock, NULL);
    rki_wordmap_init(&vectors->words, &context->memory);
    vectors->context = context;
    vectors->dimension = dimension;
    rki_context_retain(context);
    *out = vectors;
    return RNNKIT_OK;
}

void rki_vectors_release(rnnkit_vectors *vectors)
{
    if (!rki_object_release(&vectors->object)) return;
    rnnkit_context *context = vectors->context;
    rki_wordmap_release(&vectors->words);
    rki_release(&context->memory, vectors->owned);
    rki_release(&context->memory, vectors->inverse);
    for (int i = 0; i < RKI_PACKED_BF16; i++)
        rki_release(&context->memory, vectors->copies[i].rows);
    rki_st_close(vectors->file);
    pthread_mutex_destroy(&vectors->lock);
    rki_release(&context->memory, vectors);
    rki_context_release(context);
}

int32_t rki_vectors_reserve(rnnkit_vectors *vectors, int64_t rows)
{
    int64_t count;
    void *block;
    RKI_TRY(rki_multiply(rows, vectors->dimension, &count));
    RKI_TRY(rki_allocate(
        &vectors->context->memory, count, sizeof(float), "the words' vectors", &block));
    vectors->values = vectors->owned = block;
    return RNNKIT_OK;
}

int32_t rki_vectors_add(rnnkit_vectors *vectors, const char *word, size_t length, float **row)
{
    int32_t place;
    *row = NULL;
    RKI_TRY(rki_wordmap_add(&vectors->words, word, length, &place));
    if (place < vectors->size) return RNNKIT_OK;
    *row = vectors->owned + vectors->size++ * vectors->dimension;
    return RNNKIT_OK;
}

void rnnkit_vectors_destroy(rnnkit_vectors *vectors)
{
    if (vectors == NULL || rki_check(vectors, RKI_KIND_VECTORS, "vectors") < 0) return;
    rki_vectors_release(vectors);
}

/* From memory. */

static int32_t add_copy(
    rnnkit_vectors *vectors, const char *word, const float *values, int64_t place)
{
    float *row;
    if (*word == '\0') return rki_fail(RNNKIT_E_ARGUMENT, "words[%lld] is empty", (long long)place);
    for (int64_t k = 0; k < vectors->dimension; k++)
        if (!isfinite(values[k]))
            return rki_fail(RNNKIT_E_ARGUMENT, "values[%lld][%lld] is not finite", (long long)place,
                (long long)k);
    RKI_TRY(rki_vectors_add(vectors, word, strlen(word), &row));
    if (row == NULL) {
        char shown[RKI_UTF8_SHOWN];
        return rki_fail(RNNKIT_E_ARGUMENT, "words[%lld] '%s' was there before", (long long)place,
            rki_utf8_show(word, strlen(word), shown));
    }
    memcpy(row, values, (size_t)vectors->dimension * sizeof *row);
    return RNNKIT_OK;
}

static int32_t fill(rnnkit_vectors *vectors, const char *words, int64_t count, const float *values)
{
    RKI_TRY(rki_vectors_reserve(vectors, count));
    for (int64_t i = 0; i < count; i++) {
        RKI_TRY(add_copy(vectors, words, values + i * vectors->dimension, i));
        words += strlen(words) + 1;
    }
    return RNNKIT_OK;
}

static int32_t create(rnnkit_context *context, const char *words, int64_t count,
    const float *values, int64_t dimension, rnnkit_vectors **out)
{
    RKI_TRY(rki_check_pointer(words, "words"));
    RKI_TRY(rki_check_pointer(values, "values"));
    RKI_TRY(rki_check_pointer(out, "out"));
    if (count < 1 || dimension < 1)
        return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld and dimension %lld, expected at least 1",
            (long long)count, (long long)dimension);
    rnnkit_vectors *vectors;
    RKI_TRY(rki_vectors_new(context, dimension, &vectors));
    int32_t status = fill(vectors, words, count, values);
    if (status < 0)
        rki_vectors_release(vectors);
    else
        *out = vectors;
    return status;
}

int32_t rnnkit_vectors_create(rnnkit_context *context, const char *words, int64_t count,
    const float *values, int64_t dimension, rnnkit_vectors **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, create(context, words, count, values, dimension, out));
}

/* Lengths. */

typedef struct lengths {
    const rnnkit_vectors *vectors;
    float *inverse;
} lengths;

static void measure(void *user, int64_t begin, int64_t end)
{
    const lengths *to = user;
    for (int64_t i = begin; i < end; i++) {
        const float *row = rki_vectors_row(to->vectors, i);
        double sum = 0;
        for (int64_t k = 0; k < to->vectors->dimension; k++)
            sum += (double)row[k] * (double)row[k];
        float inverse = sum > 0 ? (float)(1 / sqrt(sum)) : 0.0f;
        to->inverse[i] = isnormal(inverse) ? inverse : 0.0f;
    }
}

int32_t rki_vectors_inverse(const rnnkit_vectors *vectors, const float **out)
{
    /* the object is as it was to anybody who looks: what is made here follows from the rest */
    rnnkit_vectors *own = (rnnkit_vectors *)(uintptr_t)vectors;
    int32_t status = RNNKIT_OK;
    void *block;
    pthread_mutex_lock(&own->lock);
    if (own->inverse == NULL) {
        status = rki_allocate(
            &own->context->memory, own->size, sizeof(float), "the vectors' lengths", &block);
        if (status == RNNKIT_OK) {
            lengths to = {own, block};
            rki_parallel_blocks(own->context->threads, own->size, 1024, measure, &to);
            own->inverse = block;
        }
    }
    pthread_mutex_unlock(&own->lock);
    if (status == RNNKIT_OK) *out = own->inverse;
    return status;
}

/* Words. */

static int32_t size(const rnnkit_vectors *vectors, int64_t *words, int64_t *dimension)
{
    RKI_TRY(rki_check(vectors, RKI_KIND_VECTORS, "vectors"));
    if (words != NULL) *words = vectors->size;
    if (dimension != NULL) *dimension = vectors->dimension;
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_size(const rnnkit_vectors *vectors, int64_t *words, int64_t *dimension)
{
    return rki_leave(NULL, __func__, size(vectors, words, dimension));
}

int32_t rki_vectors_check_id(const rnnkit_vectors *vectors, int32_t id)
{
    if (id >= 0 && id < vectors->size) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_NOT_FOUND, "there is no id %d, there are %lld words", (int)id,
        (long long)vectors->size);
}

int32_t rki_vectors_check_ids(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, const char *argument)
{
    if (count < 0)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "the count of %s is %lld, below 0", argument, (long long)count);
    if (count > 0) RKI_TRY(rki_check_pointer(ids, argument));
    for (int64_t i = 0; i < count; i++) {
        int32_t status = rki_vectors_check_id(vectors, ids[i]);
        if (status < 0) rki_prefix_message("%s[%lld]", argument, (long long)i);
        RKI_TRY(status);
    }
    return RNNKIT_OK;
}

static int32_t word(const rnnkit_vectors *vectors, int32_t id, char *buffer, int64_t capacity,
    int64_t *needed, int64_t *count)
{
    RKI_TRY(rki_vectors_check_id(vectors, id));
    RKI_TRY(rki_give_text(rki_wordmap_bytes(&vectors->words, id), buffer, capacity, needed));
    if (count != NULL) *count = vectors->words.words[id].count;
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_word(const rnnkit_vectors *vectors, int32_t id, char *buffer,
    int64_t capacity, int64_t *needed, int64_t *count)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = word(vectors, id, buffer, capacity, needed, count);
    return rki_leave(vectors->context, __func__, status);
}

/* Of the frequent words alone: a message must not take seconds. */
static int32_t not_found(const rnnkit_vectors *vectors, const char *wanted, size_t length)
{
    enum { LOOKED_AT = 100000, LONGEST = 40 };
    char shown[RKI_UTF8_SHOWN];
    rki_nearest nearest = rki_nearest_start(wanted, length);
    for (int32_t i = 0; length <= LONGEST && i < vectors->size && i < LOOKED_AT; i++)
        rki_nearest_offer(&nearest, rki_wordmap_bytes(&vectors->words, i));
    rki_utf8_show(wanted, length, shown);
    if (nearest.best == NULL)
        return rki_fail(
            RNNKIT_E_NOT_FOUND, "'%s' is none of the %lld words", shown, (long long)vectors->size);
    return rki_fail(RNNKIT_E_NOT_FOUND, "'%s' is none of the %lld words; did you mean '%s'?", shown,
        (long long)vectors->size, nearest.best);
}

static int32_t find(const rnnkit_vectors *vectors, const char *wanted, int64_t length, int32_t *id)
{
    size_t bytes;
    RKI_TRY(rki_check_text(wanted, length, "word", &bytes));
    RKI_TRY(rki_check_pointer(id, "id"));
    int32_t place = rki_wordmap_find(&vectors->words, wanted, bytes);
    if (place < 0) return not_found(vectors, wanted, bytes);
    *id = place;
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_find(
    const rnnkit_vectors *vectors, const char *wanted, int64_t length, int32_t *id)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, find(vectors, wanted, length, id));
}

static int32_t read_rows(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, float *values)
{
    RKI_TRY(rki_check_pointer(ids, "ids"));
    RKI_TRY(rki_check_pointer(values, "values"));
    RKI_TRY(rki_vectors_check_ids(vectors, ids, count, "ids"));
    size_t bytes = (size_t)vectors->dimension * sizeof *values;
    for (int64_t i = 0; i < count; i++)
        memcpy(values + i * vectors->dimension, rki_vectors_row(vectors, ids[i]), bytes);
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_read(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, float *values)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, read_rows(vectors, ids, count, values));
}
