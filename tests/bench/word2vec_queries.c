/* Queries beside one pass over memory: word2vec_queries [WORDS DIMENSION THREADS]
 *
 * Prints the best time of ten rounds, in turn: reading the vectors once (a sum of their bits, which
 * the compiler turns into vectors), most_similar, and similar_by_vector with 64 vectors at once. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rnnkit/rnnkit.h"

enum { ROUNDS = 10, TOP = 10, BATCH = 64 };

typedef struct problem {
    int64_t words, dimension;
    float *values;
    rnnkit_vectors *vectors;
} problem;

static void must(int32_t status)
{
    if (status >= 0) return;
    fprintf(stderr, "%s\n", rnnkit_error_message());
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void make(problem *of, int64_t threads)
{
    char options[64], *names = malloc((size_t)of->words * 16), *at = names;
    uint32_t draw = 1;
    rnnkit_context *context;
    of->values = malloc((size_t)(of->words * of->dimension) * sizeof *of->values);
    if (names == NULL || of->values == NULL) exit(1);
    for (int64_t i = 0; i < of->words; i++)
        at += sprintf(at, "w%lld", (long long)i) + 1;
    for (int64_t i = 0; i < of->words * of->dimension; i++) {
        draw = draw * 1664525u + 1013904223u;
        of->values[i] = (float)(int32_t)draw * 0x1p-31f;
    }
    snprintf(options, sizeof options, "threads=%lld", (long long)threads);
    must(rnnkit_context_create("cpu", options, &context));
    must(rnnkit_vectors_create(context, names, of->words, of->values, of->dimension, &of->vectors));
    rnnkit_context_destroy(context);
    free(names);
}

static double read_once(const problem *of, uint32_t *sum)
{
    const uint32_t *bits = (const uint32_t *)(const void *)of->values;
    double begun = now();
    for (int64_t i = 0; i < of->words * of->dimension; i++)
        *sum += bits[i];
    return now() - begun;
}

static double ask_one(const problem *of)
{
    static const int32_t word = 7;
    int32_t ids[TOP];
    float scores[TOP];
    int64_t found;
    double begun = now();
    must(rnnkit_vectors_most_similar(
        of->vectors, &word, 1, NULL, 0, NULL, TOP, ids, scores, &found));
    return now() - begun;
}

static double ask_many(const problem *of)
{
    static int32_t ids[BATCH * TOP];
    static float scores[BATCH * TOP];
    double begun = now();
    must(rnnkit_vectors_similar_by_vector(of->vectors, of->values, BATCH, NULL, TOP, ids, scores));
    return now() - begun;
}

int main(int count, char **words)
{
    problem of = {.words = count > 1 ? atoll(words[1]) : 300000,
        .dimension = count > 2 ? atoll(words[2]) : 300};
    double best[3] = {1e9, 1e9, 1e9};
    uint32_t sum = 0;
    make(&of, count > 3 ? atoll(words[3]) : 1);
    for (int round = 0; round < ROUNDS; round++) {
        double seconds[3] = {read_once(&of, &sum), ask_one(&of), ask_many(&of)};
        for (int i = 0; i < 3; i++)
            if (seconds[i] < best[i]) best[i] = seconds[i];
    }
    double bytes = (double)(of.words * of.dimension) * sizeof(float);
    printf("%lld words of dimension %lld (sum %u)\n", (long long)of.words, (long long)of.dimension,
        (unsigned)sum);
    printf("one pass over memory, one thread  %8.2f ms  %6.1f GB/s\n", 1e3 * best[0],
        1e-9 * bytes / best[0]);
    printf("most_similar                      %8.2f ms  %6.1f GB/s\n", 1e3 * best[1],
        1e-9 * bytes / best[1]);
    printf("similar_by_vector, %d at once     %8.2f ms  %6.2f ms a query\n", BATCH, 1e3 * best[2],
        1e3 * best[2] / BATCH);
    rnnkit_vectors_destroy(of.vectors);
    free(of.values);
    return 0;
}
