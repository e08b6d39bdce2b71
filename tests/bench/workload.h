/* Workloads of the benchmarks: a line of workloads.txt, and batches of word ids for it. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdint.h>

typedef struct workload {
    char name[32];
    int64_t batch, steps, embedding, hidden, layers, words;
    int64_t classes; /* not 0: a row has one target, a class, and its own length */
    int last;        /* only the last step has a target */
    int bidirectional;
    double dropout;
} workload;

/* Reads the line of that name; ends the program with a message when there is none. */
workload workload_read(const char *path, const char *name);

/* Fills [steps][batch] ids with Zipf's law, p(id) ~ 1 / (id + 1), and the targets behind them, the
 * same in every run; without a target stands `ignore`. With classes, the first [batch] targets are
 * those of the rows. pytorch/train_step.py has the same law. */
void workload_draw(
    const workload *w, uint64_t *state, int32_t *ids, int32_t *targets, int32_t ignore);

/* The steps that a row has, where there are classes. */
int32_t workload_length(const workload *w, int64_t row);

#endif
