/* The scores of rows. See scores.h. */
#include "word2vec/scores.h"

#include "cpu/format_product.h"

int32_t rki_compared_open(const rnnkit_vectors *vectors, rki_format wanted, rki_compared *to)
{
    rki_format format = rki_format_of_products(wanted);
    rki_isa isa = rki_isa_chosen(vectors->context->isa);
    *to = (rki_compared){.vectors = vectors,
        .kernels = rki_w2v_kernels_of(isa),
        .format = format,
        .cpu = {.kernels = rki_isa_kernels(isa), .threads = 1}};
    RKI_TRY(rki_vectors_inverse(vectors, &to->inverse));
    return format == RKI_PLAIN ? RNNKIT_OK : rki_vectors_copy(vectors, format, &to->copy);
}

int32_t rki_scores_make(const rki_memory *memory, const rki_compared *with, int by_product,
    int64_t rows, int64_t count, rki_scores **out)
{
    int64_t doubles = by_product ? 2 * rows : 0;
    size_t ready = rki_format_room(with->format, RKI_SCORES_UNITS, with->vectors->dimension);
    size_t cosines = (size_t)rows * RKI_SCORES_UNITS * sizeof(float);
    size_t bytes = cosines + ready + (size_t)doubles * sizeof(double);
    void *array, *block;
    RKI_TRY(rki_allocate(memory, count, sizeof(rki_scores), "a search", &array));
    int32_t status = rki_allocate(memory, count, bytes, "a search's scores", &block);
    if (status < 0) {
        rki_release(memory, array);
        return status;
    }
    rki_scores *scores = array;
    for (int64_t i = 0; i < count; i++) {
        char *at = (char *)block + (size_t)i * bytes;
        double *sums = (double *)(void *)(at + cosines + ready);
        scores[i] = (rki_scores){(float *)(void *)at, sums, sums + rows, at + cosines};
    }
    *out = scores;
    return RNNKIT_OK;
}

void rki_scores_release(const rki_memory *memory, rki_scores *scores)
{
    if (scores != NULL) rki_release(memory, scores[0].cosines);
    rki_release(memory, scores);
}

static void cosines_of_copy(const rki_compared *with, const float *units, int64_t count,
    int64_t begin, int64_t end, void *ready, float *out)
{
    const rnnkit_vectors *vectors = with->vectors;
    rki_gemm call = {.transpose_b = 1,
        .m = count,
        .n = end - begin,
        .k = vectors->dimension,
        .a = units,
        .lda = vectors->dimension,
        .b = with->copy->rows,
        .ldb = vectors->dimension,
        .c = out,
        .ldc = end - begin,
        .scratch = ready,
        .b_format = with->format,
        .b_rows = vectors->size,
        .b_first = begin};
    rki_format_gemm(&with->cpu, &call);
    for (int64_t u = 0; u < count; u++) {
        float common = with->cpu.kernels->dot(call.k, units + u * call.k, with->copy->mean);
        for (int64_t r = 0; r < call.n; r++)
            out[u * call.n + r] += common;
    }
}

void rki_scores_cosines(const rki_compared *with, const float *units, int64_t count, int64_t begin,
    int64_t end, void *ready, float *out)
{
    const rnnkit_vectors *vectors = with->vectors;
    int64_t width = vectors->dimension, rows = end - begin;
    if (with->format != RKI_PLAIN) {
        cosines_of_copy(with, units, count, begin, end, ready, out);
        return;
    }
    with->kernels->products(
        rki_vectors_row(vectors, begin), rows, units, count, width, width, width, out);
    for (int64_t u = 0; u < count; u++)
        for (int64_t r = 0; r < rows; r++) {
            float inverse = with->inverse[begin + r];
            out[u * rows + r] = inverse > 0 ? out[u * rows + r] * inverse : 0;
        }
}

/* By product, for one query. */
static void set_products(const rki_compared *with, const rki_queries *queries, int64_t query,
    int64_t begin, int64_t end, const rki_scores *in)
{
    int64_t rows = end - begin, width = with->vectors->dimension;
    const float *parts = queries->units + query * queries->parts * width;
    for (int64_t r = 0; r < rows; r++)
        in->above[r] = in->below[r] = 1;
    for (int64_t first = 0; first < queries->parts; first += RKI_SCORES_UNITS) {
        int64_t left = queries->parts - first;
        int64_t count = left < RKI_SCORES_UNITS ? left : RKI_SCORES_UNITS;
        rki_scores_cosines(with, parts + first * width, count, begin, end, in->ready, in->cosines);
        for (int64_t p = 0; p < count; p++) {
            double *product = first + p < queries->positive ? in->above : in->below;
            for (int64_t r = 0; r < rows; r++)
                product[r] *= (1 + (double)in->cosines[p * rows + r]) / 2;
        }
    }
    for (int64_t r = 0; r < rows; r++)
        in->cosines[r] = (float)(in->above[r] / (in->below[r] + 1e-6));
}

int64_t rki_scores_set(const rki_compared *with, const rki_queries *queries, int64_t query,
    int64_t begin, int64_t end, const rki_scores *in)
{
    int64_t left = queries->count - query;
    int64_t count = left < RKI_SCORES_UNITS ? left : RKI_SCORES_UNITS;
    if (queries->positive >= 0) {
        set_products(with, queries, query, begin, end, in);
        return 1;
    }
    rki_scores_cosines(with, queries->units + query * with->vectors->dimension, count, begin, end,
        in->ready, in->cosines);
    return count;
}
