/* Workloads of the benchmarks. See workload.h. */
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 512 };

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

static void set(workload *w, const char *key, const char *value)
{
    const struct {
        const char *key;
        int64_t *target;
    } sizes[] = {{"batch", &w->batch}, {"steps", &w->steps}, {"embedding", &w->embedding},
        {"hidden", &w->hidden}, {"layers", &w->layers}, {"words", &w->words},
        {"classes", &w->classes}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(key, sizes[i].key) != 0) continue;
        *sizes[i].target = strtoll(value, NULL, 10);
        if (*sizes[i].target < 1) fail(key, "must be 1 or more");
        return;
    }
    if (strcmp(key, "predict") == 0)
        w->last = strcmp(value, "last") == 0;
    else if (strcmp(key, "bidirectional") == 0)
        w->bidirectional = strcmp(value, "1") == 0;
    else if (strcmp(key, "dropout") == 0)
        w->dropout = strtod(value, NULL);
    else
        fail(key, "no such key in a workload");
}

static void parse(workload *w, char *rest)
{
    for (char *pair = strtok(rest, " \t\n"); pair != NULL; pair = strtok(NULL, " \t\n")) {
        char *sign = strchr(pair, '=');
        if (sign == NULL) fail(pair, "is not key=value");
        *sign = '\0';
        set(w, pair, sign + 1);
    }
    if (!w->batch || !w->steps || !w->embedding || !w->hidden || !w->layers || !w->words)
        fail(w->name, "a size is missing");
}

workload workload_read(const char *path, const char *name)
{
    workload w = {0};
    char line[LINE];
    FILE *file = fopen(path, "r");
    if (file == NULL) fail(path, "cannot be opened");
    while (w.words == 0 && fgets(line, sizeof line, file) != NULL) {
        size_t length = strcspn(line, " \t\n");
        if (length != strlen(name) || strncmp(line, name, length) != 0) continue;
        snprintf(w.name, sizeof w.name, "%s", name);
        parse(&w, line + length);
    }
    fclose(file);
    if (w.words == 0) fail(name, "no such workload");
    return w;
}

/* splitmix64, in [0, 1). */
static double draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* exp of a uniform number in [0, log(words + 1)) has density 1 / x. */
static int32_t draw_id(const workload *w, uint64_t *state)
{
    int64_t id = (int64_t)exp(draw(state) * log((double)w->words + 1)) - 1;
    return (int32_t)(id < w->words ? id : w->words - 1);
}

int32_t workload_length(const workload *w, int64_t row)
{
    return (int32_t)(1 + row * 37 % w->steps);
}

void workload_draw(
    const workload *w, uint64_t *state, int32_t *ids, int32_t *targets, int32_t ignore)
{
    for (int64_t t = 0; t <= w->steps; t++)
        for (int64_t b = 0; b < w->batch; b++) {
            int32_t id = draw_id(w, state);
            int has_target = !w->last || t == w->steps;
            if (t < w->steps) ids[t * w->batch + b] = id;
            if (t > 0) targets[(t - 1) * w->batch + b] = has_target ? id : ignore;
        }
    for (int64_t b = 0; b < w->batch && w->classes; b++)
        targets[b] = ids[b] % (int32_t)w->classes;
}
