/* Vectors for tests; a failure ends the running cmocka test. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "rnnkit/rnnkit.h"

/* `count` words w0, w1, ... with random vectors. */
rnnkit_vectors *vectors_random(rnnkit_context *context, int64_t count, int64_t width);

/* Those of a file of these bytes. */
rnnkit_vectors *vectors_of_bytes(
    rnnkit_context *context, const char *bytes, size_t size, const char *options);

/* All values, [count][width]; to be freed with free(). */
float *vectors_values(const rnnkit_vectors *vectors, int64_t *count, int64_t *width);

#endif
