/* A bench: one run of one operation on one device, with inputs that depend on the seed alone.
 *
 * Inputs are representable as float, so that float32 and float64 devices see the same numbers.
 * Scratch, stash and arrays to be written are full of NaN at first, so that whoever reads
 * what means nothing shows it.
 */
#ifndef PARITY_BENCH_H
#define PARITY_BENCH_H

#include "subject.h"

/* One array that an operation left, as double. */
typedef struct part {
    const char *name;
    double *values;
    int64_t count;
} part;

enum { PARTS = 20, BLOCKS = 64, LABEL_SIZE = 192 };

typedef struct outcome {
    char label[LABEL_SIZE]; /* the shape in words */
    part parts[PARTS];
    int count;
    int inputs; /* how many arrays were filled */
} outcome;

typedef struct bench {
    const subject *on;
    uint64_t state;
    void *blocks[BLOCKS];
    int block_count;
    int poison;        /* the input, counted from 0, that gets a NaN; -1: none */
    rki_format format; /* of weights, on devices that have it; others get what it rounds them to */
    int rounded;       /* inputs: see operation */
    outcome *out;
} bench;

/* One operation: `shapes` cases, run by number. */
typedef struct operation {
    const char *name;
    int shapes;
    void (*run)(bench *b, int shape);
    double tolerance; /* float32 against float64, relative to the array's largest element */
    int (*offered)(const rki_backend *ops); /* NULL: by every device */
    int rounded; /* inputs have 8 bits, so that rki_precision changes no factor that is one of them */
} operation;

void run_operation(const operation *op, int shape, const subject *on, int poison, outcome *out);
void free_outcome(outcome *out);

/* For the runners: `input` and its like upload arrays that live until the run ends, `keep` takes
 * what an operation left into the outcome. */
void label(bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t draw(bench *b, int64_t below); /* 0 .. below - 1 */
double draw_value(bench *b);           /* -1 .. 1 */
void *input(bench *b, int64_t count, double scale);
void *input_positive(bench *b, int64_t count, double scale);
void *weight(bench *b, int64_t rows, int64_t columns, double scale);
rki_format held(const bench *b); /* the format that a weight is in on this device */
void *upload(bench *b, const double *values, int64_t count);
void *unwritten(bench *b, int64_t count);
void *scratch(bench *b, size_t bytes);
void keep(bench *b, const char *name, const void *device, int64_t count);
void keep_number(bench *b, const char *name, double value);
void succeed(bench *b, int32_t status);

/* Fails the test with operation, shape, device and place unless `got` is `expected`: NaN where
 * that is NaN, and elsewhere within tolerance * the largest magnitude of the array. */
void assert_close(const char *op, const char *device, const outcome *expected, const outcome *got,
    double tolerance);

/* The same, bit for bit (any NaN equals any other). */
void assert_identical(
    const char *op, const char *device, const outcome *expected, const outcome *got);

#endif
