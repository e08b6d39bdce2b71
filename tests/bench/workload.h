/* Workloads of the benchmarks: a line of workloads.txt, and batches of word ids for it. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdint.h>

typedef struct workload {
    char name[32];
    int64_t batch, steps, embedding, hidden, layers, words;
    int last; /* only the last step has a target */
    double dropout;
} workload;

/* Reads the line of that name; ends the program with a message when there is none. */
workload workload_read(const char *path, const char *name);

/* Fills [steps][batch] ids with Zipf's law, p(id) ~ 1 / (id + 1), and the targets behind them, the
 * same in every run; without a target stands `ignore`. pytorch/train_step.py has the same law. */
void workload_draw(
    const workload *w, uint64_t *state, int32_t *ids, int32_t *targets, int32_t ignore);

#endif
