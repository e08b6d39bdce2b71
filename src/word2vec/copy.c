/* Smaller copies of the vectors, to look through: unit vectors less their mean, in a format
 * (backend/formats.h). Vectors often have much in common, which tells none from another; without it,
 * rounding spares what does. With q a query, u a unit vector and m the mean,
 *   q u = q m + q (u - m)
 * The mean is that of some of the vectors: it need not be exact, but the same whatever the threads.
 */
#include "cpu/parallel.h"
#include "word2vec/vectors.h"

enum {
    SAMPLE = 4096, /* vectors that the mean is of, spread evenly */
    AT_ONCE = 64   /* rows that are packed together */
};

typedef struct copying {
    const rnnkit_vectors *vectors;
    const float *inverse;
    rki_format format;
    int64_t block; /* rows that one call does */
    double *sum;   /* [dimension] */
    float *units;  /* [calls][AT_ONCE][dimension] */
    float *mean;
    void *rows;
} copying;

static void set_mean(const copying *all)
{
    int64_t width = all->vectors->dimension, size = all->vectors->size;
    int64_t count = size < SAMPLE ? size : SAMPLE;
    for (int64_t i = 0; i < count; i++) {
        int64_t id = i * size / count;
        rki_vectors_unit(all->vectors, id, all->inverse[id], all->units);
        for (int64_t k = 0; k < width; k++)
            all->sum[k] += (double)all->units[k];
    }
    for (int64_t k = 0; k < width; k++)
        all->mean[k] = (float)(all->sum[k] / (double)count);
}

static void copy_block(void *user, int64_t begin, int64_t end)
{
    const copying *all = user;
    int64_t width = all->vectors->dimension;
    float *units = all->units + begin / all->block * AT_ONCE * width;
    for (int64_t i = begin; i < end; i += AT_ONCE) {
        int64_t count = end - i < AT_ONCE ? end - i : AT_ONCE;
        for (int64_t r = 0; r < count; r++) {
            float *unit = units + r * width;
            rki_vectors_unit(all->vectors, i + r, all->inverse[i + r], unit);
            for (int64_t k = 0; k < width; k++)
                unit[k] -= all->mean[k];
        }
        rki_format_pack_rows(all->format, all->vectors->size, width, i, count, units, all->rows);
    }
}

static int32_t make(
    const rnnkit_vectors *vectors, rki_format format, const float *inverse, rki_copy *out)
{
    const rki_memory *memory = &vectors->context->memory;
    int64_t threads = vectors->context->threads, width = vectors->dimension;
    size_t rows = rki_format_bytes(format, vectors->size, width);
    copying all = {.vectors = vectors, .inverse = inverse, .format = format};
    void *work, *block;
    all.block = (vectors->size + threads - 1) / threads;
    RKI_TRY(rki_allocate(memory, width, sizeof(double) + (size_t)threads * AT_ONCE * sizeof(float),
        "unit vectors", &work));
    int32_t status = rki_allocate(memory, (int64_t)(rows + (size_t)width * sizeof(float)), 1,
        "a copy of the vectors", &block);
    if (status == RNNKIT_OK) {
        all.sum = work;
        all.units = (float *)(void *)(all.sum + width);
        all.rows = block;
        all.mean = (float *)(void *)((char *)block + rows);
        set_mean(&all);
        rki_parallel_blocks(threads, vectors->size, all.block, copy_block, &all);
        *out = (rki_copy){block, all.mean};
    }
    rki_release(memory, work);
    return status;
}

int32_t rki_vectors_copy(const rnnkit_vectors *vectors, rki_format format, const rki_copy **out)
{
    /* as in rki_vectors_inverse, what is made here follows from the rest */
    rnnkit_vectors *own = (rnnkit_vectors *)(uintptr_t)vectors;
    rki_copy *copy = &own->copies[format - 1];
    const float *inverse;
    int32_t status = RNNKIT_OK;
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    pthread_mutex_lock(&own->lock);
    if (copy->rows == NULL) status = make(vectors, format, inverse, copy);
    pthread_mutex_unlock(&own->lock);
    if (status == RNNKIT_OK) *out = copy;
    return status;
}
