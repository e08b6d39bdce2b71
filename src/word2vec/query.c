/* Queries: gensim's KeyedVectors, by ids. See rnnkit/vectors.h. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "cpu/parallel.h"
#include "word2vec/search.h"
#include "word2vec/vectors.h"

typedef enum method { METHOD_ADD, METHOD_MUL } method;

typedef struct query_settings {
    int64_t restricted;
    int32_t method, scan; /* scan: rki_format */
} query_settings;

static const rki_option rows[] = {
    {"method", RKI_OPTION_CHOICE, offsetof(query_settings, method), 0, 0, "add", "add|mul", "0.1",
        "by the cosine with a sum of vectors (3CosAdd), or by a product of similarities (3CosMul)"},
    {"restrict", RKI_OPTION_INTEGER, offsetof(query_settings, restricted), 0, INT32_MAX, "0", NULL,
        "0.1", "only the first words are looked at; 0: all"},
    {"scan", RKI_OPTION_CHOICE, offsetof(query_settings, scan), 0, 0, "f32", "f32|bf16|int8", "0.1",
        "bf16, int8: candidates come from a smaller copy, which the first such query makes"},
};

const rki_option_table rki_vectors_query_options = {
    "vectors_query", rows, sizeof rows / sizeof *rows};

static int64_t looked_at(const rnnkit_vectors *vectors, int64_t restricted)
{
    return restricted > 0 && restricted < vectors->size ? restricted : vectors->size;
}

static double dot(const float *a, const float *b, int64_t width)
{
    double sum = 0;
    for (int64_t k = 0; k < width; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

/* to += weight * row of the id */
static void add_row(const rnnkit_vectors *vectors, int32_t id, double weight, double *to)
{
    const float *row = rki_vectors_row(vectors, id);
    for (int64_t k = 0; k < vectors->dimension; k++)
        to[k] += weight * (double)row[k];
}

static void set_unit(const double *from, int64_t width, float *to)
{
    double sum = 0;
    for (int64_t k = 0; k < width; k++)
        sum += from[k] * from[k];
    double scale = sum > 0 ? 1 / sqrt(sum) : 0;
    for (int64_t k = 0; k < width; k++)
        to[k] = (float)(from[k] * scale);
}

/* Two words. */

static int32_t similarity(const rnnkit_vectors *vectors, int32_t first, int32_t second, double *out)
{
    const float *inverse;
    RKI_TRY(rki_check_pointer(out, "similarity"));
    RKI_TRY(rki_vectors_check_id(vectors, first));
    RKI_TRY(rki_vectors_check_id(vectors, second));
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    *out =
        dot(rki_vectors_row(vectors, first), rki_vectors_row(vectors, second), vectors->dimension) *
        (double)inverse[first] * (double)inverse[second];
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_similarity(
    const rnnkit_vectors *vectors, int32_t first, int32_t second, double *out)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, similarity(vectors, first, second, out));
}

/* Lists of words. */

static int32_t check_list(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, const char *argument)
{
    RKI_TRY(rki_vectors_check_ids(vectors, ids, count, argument));
    if (count == 0) return rki_fail(RNNKIT_E_ARGUMENT, "%s has no word", argument);
    return RNNKIT_OK;
}

static int32_t allocate_sums(const rnnkit_vectors *vectors, int64_t count, double **out)
{
    void *block;
    RKI_TRY(rki_allocate(&vectors->context->memory, count * vectors->dimension, sizeof(double),
        "a sum of vectors", &block));
    *out = block;
    return RNNKIT_OK;
}

static int32_t n_similarity(const rnnkit_vectors *vectors, const int32_t *first,
    int64_t first_count, const int32_t *second, int64_t second_count, double *out)
{
    int64_t width = vectors->dimension;
    double *sums, product = 0, a = 0, b = 0;
    RKI_TRY(rki_check_pointer(out, "similarity"));
    RKI_TRY(check_list(vectors, first, first_count, "first"));
    RKI_TRY(check_list(vectors, second, second_count, "second"));
    RKI_TRY(allocate_sums(vectors, 2, &sums));
    for (int64_t i = 0; i < first_count; i++)
        add_row(vectors, first[i], 1, sums);
    for (int64_t i = 0; i < second_count; i++)
        add_row(vectors, second[i], 1, sums + width);
    for (int64_t k = 0; k < width; k++) {
        product += sums[k] * sums[width + k];
        a += sums[k] * sums[k];
        b += sums[width + k] * sums[width + k];
    }
    *out = a > 0 && b > 0 ? product / sqrt(a) / sqrt(b) : 0;
    rki_release(&vectors->context->memory, sums);
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_n_similarity(const rnnkit_vectors *vectors, const int32_t *first,
    int64_t first_count, const int32_t *second, int64_t second_count, double *out)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = n_similarity(vectors, first, first_count, second, second_count, out);
    return rki_leave(vectors->context, __func__, status);
}

static int32_t doesnt_match(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, int64_t *place)
{
    const float *inverse;
    double *sum, least = DBL_MAX;
    RKI_TRY(rki_check_pointer(place, "place"));
    RKI_TRY(check_list(vectors, ids, count, "ids"));
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    RKI_TRY(allocate_sums(vectors, 1, &sum));
    for (int64_t i = 0; i < count; i++)
        add_row(vectors, ids[i], (double)inverse[ids[i]], sum);
    for (int64_t i = 0; i < count; i++) {
        const float *row = rki_vectors_row(vectors, ids[i]);
        double product = 0;
        for (int64_t k = 0; k < vectors->dimension; k++)
            product += sum[k] * (double)row[k];
        product *= (double)inverse[ids[i]];
        if (product < least) {
            least = product;
            *place = i;
        }
    }
    rki_release(&vectors->context->memory, sum);
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_doesnt_match(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, int64_t *place)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, doesnt_match(vectors, ids, count, place));
}

static int32_t rank(const rnnkit_vectors *vectors, int32_t first, int32_t second, int64_t *out)
{
    int64_t nearer;
    RKI_TRY(rki_check_pointer(out, "rank"));
    RKI_TRY(rki_vectors_check_id(vectors, first));
    RKI_TRY(rki_vectors_check_id(vectors, second));
    RKI_TRY(rki_search_nearer(vectors, first, second, &nearer));
    *out = nearer + 1;
    return RNNKIT_OK;
}

int32_t rnnkit_vectors_rank(
    const rnnkit_vectors *vectors, int32_t first, int32_t second, int64_t *out)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vectors->context, __func__, rank(vectors, first, second, out));
}

/* Most similar. */

typedef struct question {
    const int32_t *positive, *negative;
    int64_t positive_count, negative_count;
} question;

/* One unit vector: the sum of the positive words' less that of the negative ones'. */
static int32_t set_sum(const rnnkit_vectors *vectors, const question *asked, float *query)
{
    const float *inverse;
    double *sum;
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    RKI_TRY(allocate_sums(vectors, 1, &sum));
    for (int64_t i = 0; i < asked->positive_count; i++)
        add_row(vectors, asked->positive[i], (double)inverse[asked->positive[i]], sum);
    for (int64_t i = 0; i < asked->negative_count; i++)
        add_row(vectors, asked->negative[i], -(double)inverse[asked->negative[i]], sum);
    set_unit(sum, vectors->dimension, query);
    rki_release(&vectors->context->memory, sum);
    return RNNKIT_OK;
}

/* A unit vector for each word, those of the positive ones first. */
static int32_t set_parts(
    const rnnkit_vectors *vectors, const int32_t *ids, int64_t count, float *to)
{
    const float *inverse;
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    for (int64_t i = 0; i < count; i++)
        rki_vectors_unit(vectors, ids[i], inverse[ids[i]], to + i * vectors->dimension);
    return RNNKIT_OK;
}

/* The words of the question; then the answer, so that a failure leaves the caller's arrays as they
 * were. */
typedef struct answer {
    int32_t *words, *ids;
    float *scores, *queries;
} answer;

static int32_t make_answer(
    const rki_memory *memory, int64_t words, int64_t top, int64_t queries, answer *to)
{
    void *block;
    RKI_TRY(rki_allocate(memory, words + 2 * top, sizeof(int32_t), "an answer", &block));
    to->words = block;
    to->ids = to->words + words;
    to->scores = (float *)(void *)(to->ids + top);
    RKI_TRY(rki_allocate(memory, queries, sizeof(float), "a query", &block));
    to->queries = block;
    return RNNKIT_OK;
}

static int32_t run(const rnnkit_vectors *vectors, const question *asked,
    const query_settings *settings, int64_t top, const answer *to)
{
    int64_t count = asked->positive_count + asked->negative_count;
    rki_search search = {.scan = (rki_format)settings->scan,
        .queries = {to->queries, 1, 1, -1},
        .rows = looked_at(vectors, settings->restricted),
        .excluded = to->words,
        .excluded_count = count,
        .top = top,
        .ids = to->ids,
        .scores = to->scores};
    if (settings->method == METHOD_MUL)
        search.queries = (rki_queries){to->queries, 1, count, asked->positive_count};
    for (int64_t i = 0; i < count; i++)
        to->words[i] = i < asked->positive_count ? asked->positive[i]
                                                 : asked->negative[i - asked->positive_count];
    RKI_TRY(settings->method == METHOD_MUL ? set_parts(vectors, to->words, count, to->queries)
                                           : set_sum(vectors, asked, to->queries));
    return rki_search_run(vectors, &search);
}

static int32_t answer_question(const rnnkit_vectors *vectors, const question *asked,
    const query_settings *settings, int64_t capacity, int32_t *ids, float *scores, int64_t *found)
{
    const rki_memory *memory = &vectors->context->memory;
    int64_t most = looked_at(vectors, settings->restricted), values, given = 0;
    int64_t words = asked->positive_count + asked->negative_count;
    int64_t top = capacity < most ? capacity : most;
    answer own = {0};
    RKI_TRY(rki_multiply(settings->method == METHOD_MUL ? words : 1, vectors->dimension, &values));
    int32_t status = make_answer(memory, words, top, values, &own);
    if (status == RNNKIT_OK) status = run(vectors, asked, settings, top, &own);
    if (status == RNNKIT_OK) {
        while (given < top && own.ids[given] >= 0)
            given++;
        memcpy(ids, own.ids, (size_t)given * sizeof *ids);
        memcpy(scores, own.scores, (size_t)given * sizeof *scores);
        *found = given;
    }
    rki_release(memory, own.words);
    rki_release(memory, own.queries);
    return status;
}

static int32_t most_similar(const rnnkit_vectors *vectors, const question *asked,
    const char *options, int64_t capacity, int32_t *ids, float *scores, int64_t *found)
{
    query_settings settings;
    RKI_TRY(rki_vectors_check_ids(vectors, asked->positive, asked->positive_count, "positive"));
    RKI_TRY(rki_vectors_check_ids(vectors, asked->negative, asked->negative_count, "negative"));
    if (asked->positive_count + asked->negative_count == 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "there is neither a positive nor a negative word");
    if (capacity < 1)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "capacity is %lld, expected at least 1", (long long)capacity);
    RKI_TRY(rki_check_pointer(ids, "ids"));
    RKI_TRY(rki_check_pointer(scores, "scores"));
    RKI_TRY(rki_check_pointer(found, "found"));
    RKI_TRY(rki_options_parse(&rki_vectors_query_options, options, &settings));
    return answer_question(vectors, asked, &settings, capacity, ids, scores, found);
}

int32_t rnnkit_vectors_most_similar(const rnnkit_vectors *vectors, const int32_t *positive,
    int64_t positive_count, const int32_t *negative, int64_t negative_count, const char *options,
    int64_t capacity, int32_t *ids, float *scores, int64_t *found)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    question asked = {.positive = positive,
        .negative = negative,
        .positive_count = positive_count,
        .negative_count = negative_count};
    status = most_similar(vectors, &asked, options, capacity, ids, scores, found);
    return rki_leave(vectors->context, __func__, status);
}

/* By vector. */

static int32_t unit_queries(
    const rnnkit_vectors *vectors, const float *queries, int64_t count, float **out)
{
    int64_t width = vectors->dimension, all;
    void *block;
    RKI_TRY(rki_multiply(count, width, &all));
    for (int64_t i = 0; i < all; i++)
        if (!isfinite(queries[i]))
            return rki_fail(RNNKIT_E_ARGUMENT, "queries[%lld][%lld] is not finite",
                (long long)(i / width), (long long)(i % width));
    RKI_TRY(rki_allocate(&vectors->context->memory, all, sizeof(float), "queries", &block));
    float *units = block;
    for (int64_t q = 0; q < count; q++) {
        const float *from = queries + q * width;
        double square = dot(from, from, width), scale = square > 0 ? 1 / sqrt(square) : 0;
        for (int64_t k = 0; k < width; k++)
            units[q * width + k] = (float)((double)from[k] * scale);
    }
    *out = units;
    return RNNKIT_OK;
}

static int32_t similar_by_vector(const rnnkit_vectors *vectors, const float *queries, int64_t count,
    const char *options, int64_t top, int32_t *ids, float *scores)
{
    query_settings settings;
    int64_t answers;
    float *units = NULL;
    RKI_TRY(rki_check_pointer(queries, "queries"));
    RKI_TRY(rki_check_pointer(ids, "ids"));
    RKI_TRY(rki_check_pointer(scores, "scores"));
    if (count < 1 || top < 1)
        return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld and top %lld, expected at least 1",
            (long long)count, (long long)top);
    RKI_TRY(rki_multiply(count, top, &answers));
    RKI_TRY(rki_options_parse(&rki_vectors_query_options, options, &settings));
    RKI_TRY(unit_queries(vectors, queries, count, &units));
    rki_search search = {.scan = (rki_format)settings.scan,
        .queries = {units, count, 1, -1},
        .rows = looked_at(vectors, settings.restricted),
        .top = top,
        .ids = ids,
        .scores = scores};
    int32_t status = rki_search_run(vectors, &search);
    rki_release(&vectors->context->memory, units);
    return status;
}

int32_t rnnkit_vectors_similar_by_vector(const rnnkit_vectors *vectors, const float *queries,
    int64_t count, const char *options, int64_t top, int32_t *ids, float *scores)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = similar_by_vector(vectors, queries, count, options, top, ids, scores);
    return rki_leave(vectors->context, __func__, status);
}
