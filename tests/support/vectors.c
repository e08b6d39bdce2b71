/* Vectors for tests. See vectors.h. */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "text.h"

rnnkit_vectors *vectors_random(rnnkit_context *context, int64_t count, int64_t width)
{
    char *words = malloc((size_t)count * 12);
    float *values = malloc((size_t)(count * width) * sizeof *values);
    uint64_t draws = 7;
    size_t used = 0;
    rnnkit_vectors *vectors;
    assert_true(words != NULL && values != NULL);
    for (int64_t i = 0; i < count; i++)
        used += (size_t)sprintf(words + used, "w%d", (int)i) + 1;
    for (int64_t i = 0; i < count * width; i++)
        values[i] = (float)text_draw(&draws, 1 << 24) / (1 << 23) - 1;
    text_ok(rnnkit_vectors_create(context, words, count, values, width, &vectors));
    free(words);
    free(values);
    return vectors;
}

rnnkit_vectors *vectors_of_bytes(
    rnnkit_context *context, const char *bytes, size_t size, const char *options)
{
    rnnkit_vectors *vectors = NULL;
    const char *path = scratch_path("bytes");
    scratch_write(path, bytes, size);
    text_ok(rnnkit_vectors_open(context, path, options, &vectors));
    return vectors;
}

float *vectors_values(const rnnkit_vectors *vectors, int64_t *count, int64_t *width)
{
    text_ok(rnnkit_vectors_size(vectors, count, width));
    float *values = malloc((size_t)(*count * *width) * sizeof *values);
    assert_non_null(values);
    for (int32_t i = 0; i < *count; i++)
        text_ok(rnnkit_vectors_read(vectors, &i, 1, values + i * *width));
    return values;
}
