/* Queries beside one pass over memory:
 *
 *     word2vec_queries WORDS DIMENSION THREADS      random vectors
 *     word2vec_queries FILE THREADS                 those of a file
 *
 * In turn, the best of ten rounds: one pass over the vectors (a sum of their bits, by this program,
 * in one thread), then for each `scan` of queries most_similar, and similar_by_vector with 64
 * vectors at once. `first` is the first query, which makes a copy. `found` is the share of the ten
 * nearest of 64 words that scan=f32 finds too. With one thread it is processor time that counts,
 * which other programs disturb less. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rnnkit/rnnkit.h"

enum { ROUNDS = 10, TOP = 10, BATCH = 64, SCANS = 3, STREAMS = 4, PIECE = 256 };

static const char *const scans[SCANS] = {"scan=f32", "scan=bf16", "scan=int8"};
static const double value_bytes[SCANS] = {4, 2, 1};

typedef struct problem {
    int64_t words, dimension;
    float *values, *queries;
    rnnkit_vectors *vectors;
    int32_t ids[SCANS][BATCH * TOP];
} problem;

typedef struct times {
    double pass, first[SCANS], one[SCANS], many[SCANS];
} times;

static clockid_t counted = CLOCK_MONOTONIC;

static void must(int32_t status)
{
    if (status >= 0) return;
    fprintf(stderr, "%s\n", rnnkit_error_message());
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(counted, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static rnnkit_context *open_context(const char *threads)
{
    char options[64];
    rnnkit_context *context;
    snprintf(options, sizeof options, "threads=%s", threads);
    must(rnnkit_context_create("cpu", options, &context));
    return context;
}

static float *room_for(const problem *of)
{
    float *values = malloc((size_t)(of->words * of->dimension) * sizeof *values);
    if (values == NULL) exit(1);
    return values;
}

static void make(problem *of, const char *threads)
{
    rnnkit_context *context = open_context(threads);
    char *names = malloc((size_t)of->words * 16), *at = names;
    uint32_t draw = 1;
    of->values = room_for(of);
    if (names == NULL) exit(1);
    for (int64_t i = 0; i < of->words; i++)
        at += sprintf(at, "w%lld", (long long)i) + 1;
    for (int64_t i = 0; i < of->words * of->dimension; i++) {
        draw = draw * 1664525u + 1013904223u;
        of->values[i] = (float)(int32_t)draw * 0x1p-31f;
    }
    must(rnnkit_vectors_create(context, names, of->words, of->values, of->dimension, &of->vectors));
    rnnkit_context_destroy(context);
    free(names);
}

static void open_file(problem *of, const char *path, const char *threads)
{
    rnnkit_context *context = open_context(threads);
    must(rnnkit_vectors_open(context, path, NULL, &of->vectors));
    must(rnnkit_vectors_size(of->vectors, &of->words, &of->dimension));
    of->values = room_for(of);
    for (int32_t id = 0; id < of->words; id++)
        must(rnnkit_vectors_read(of->vectors, &id, 1, of->values + id * of->dimension));
    rnnkit_context_destroy(context);
}

/* Words from the first to the last. */
static void set_queries(problem *of)
{
    size_t bytes = (size_t)of->dimension * sizeof *of->values;
    of->queries = malloc(BATCH * bytes);
    if (of->queries == NULL) exit(1);
    for (int64_t q = 0; q < BATCH; q++)
        memcpy(of->queries + q * of->dimension, of->values + q * of->words / BATCH * of->dimension,
            bytes);
}

/* In several streams, which memory answers sooner than one; what is over is left out. */
static double read_once(const problem *of, uint32_t *sum)
{
    const uint32_t *bits = (const uint32_t *)(const void *)of->values;
    int64_t part = of->words * of->dimension / STREAMS / PIECE * PIECE;
    double begun = now();
    for (int64_t at = 0; at < part; at += PIECE)
        for (int s = 0; s < STREAMS; s++)
            for (int i = 0; i < PIECE; i++)
                *sum += bits[s * part + at + i];
    return now() - begun;
}

static double ask_one(const problem *of, int scan)
{
    static const int32_t word = 7;
    int32_t ids[TOP];
    float scores[TOP];
    int64_t found;
    double begun = now();
    must(rnnkit_vectors_most_similar(
        of->vectors, &word, 1, NULL, 0, scans[scan], TOP, ids, scores, &found));
    return now() - begun;
}

static double ask_many(problem *of, int scan)
{
    static float scores[BATCH * TOP];
    double begun = now();
    must(rnnkit_vectors_similar_by_vector(
        of->vectors, of->queries, BATCH, scans[scan], TOP, of->ids[scan], scores));
    return now() - begun;
}

static void keep_least(double *best, double seconds)
{
    if (*best == 0 || seconds < *best) *best = seconds;
}

static double found_by(const problem *of, int scan)
{
    int found = 0;
    for (int q = 0; q < BATCH; q++)
        for (int i = 0; i < TOP; i++)
            for (int j = 0; j < TOP; j++)
                found += of->ids[scan][q * TOP + i] == of->ids[0][q * TOP + j];
    return (double)found / (BATCH * TOP);
}

static void print(const problem *of, const times *best, uint32_t sum)
{
    double values = (double)(of->words * of->dimension);
    printf("%lld words of dimension %lld (sum %u)\n", (long long)of->words,
        (long long)of->dimension, (unsigned)sum);
    printf("one pass over memory, one thread: %.2f ms, %.1f GB/s\n", 1e3 * best->pass,
        4e-9 * values / best->pass);
    for (int s = 0; s < SCANS; s++)
        printf("%-9s  first %8.1f ms   one %7.2f ms %7.1f/s %5.1f GB/s   %d at once %7.3f ms each "
               "%7.1f/s   found %.4f\n",
            scans[s], 1e3 * best->first[s], 1e3 * best->one[s], 1 / best->one[s],
            1e-9 * value_bytes[s] * values / best->one[s], BATCH, 1e3 * best->many[s] / BATCH,
            BATCH / best->many[s], found_by(of, s));
}

int main(int count, char **words)
{
    problem of = {0};
    times best = {0};
    uint32_t sum = 0;
    if (count != 3 && count != 4) {
        fputs("word2vec_queries WORDS DIMENSION THREADS | FILE THREADS\n", stderr);
        return 2;
    }
    if (strcmp(words[count - 1], "1") == 0) counted = CLOCK_PROCESS_CPUTIME_ID;
    if (count == 4) {
        of.words = atoll(words[1]);
        of.dimension = atoll(words[2]);
        make(&of, words[3]);
    } else {
        open_file(&of, words[1], words[2]);
    }
    set_queries(&of);
    for (int s = 0; s < SCANS; s++)
        best.first[s] = ask_one(&of, s);
    for (int round = 0; round < ROUNDS; round++) {
        keep_least(&best.pass, read_once(&of, &sum));
        for (int s = 0; s < SCANS; s++) {
            keep_least(&best.one[s], ask_one(&of, s));
            keep_least(&best.many[s], ask_many(&of, s));
        }
    }
    print(&of, &best, sum);
    rnnkit_vectors_destroy(of.vectors);
    free(of.queries);
    free(of.values);
    return 0;
}
