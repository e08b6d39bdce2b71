/* Weights. See weights.h. */
#include "weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../results.h"

float *zeros(int64_t count)
{
    float *block = calloc((size_t)count + 1, sizeof *block);
    if (block == NULL) exit(1);
    return block;
}

float *read_values(const char *folder, const char *name, int64_t count)
{
    char path[4096];
    float *values = zeros(count);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(values, sizeof *values, (size_t)count, file) != (size_t)count) {
        fprintf(stderr, "onednn: %s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return values;
}

/* The order of the gates: the place in PyTorch's of the one that is gate g here. */
static int64_t place_of_gate(const shape *s, int64_t g)
{
    return s->cell == 'g' && g < 2 ? 1 - g : g;
}

static int64_t part_of(const shape *s, int64_t inputs)
{
    return s->gates * s->hidden * inputs;
}

weights weights_create(const shape *s)
{
    int64_t parts = s->layers * s->directions;
    return (weights){zeros(parts * part_of(s, s->inputs)), zeros(parts * part_of(s, s->hidden)),
        zeros(parts * s->bias_gates * s->hidden)};
}

/* A GRU's last gate has both biases apart: that of h's product is inside the reset. */
static void add_biases(const shape *s, const float *ih, const float *hh, float *bias)
{
    for (int64_t g = 0; g < s->gates; g++)
        for (int64_t k = 0; k < s->hidden; k++) {
            int64_t from = place_of_gate(s, g) * s->hidden + k, to = g * s->hidden + k;
            int apart = s->bias_gates > s->gates && g == s->gates - 1;
            bias[to] = ih[from] + (apart ? 0 : hh[from]);
            if (apart) bias[to + s->hidden] = hh[from];
        }
}

weights weights_read(const shape *s, const char *folder)
{
    int64_t parts = s->layers * s->directions, rows = s->gates * s->hidden;
    int64_t size = rows * (s->inputs + s->hidden + 2);
    float *file = read_values(folder, "weights", parts * size);
    weights w = weights_create(s);
    for (int64_t p = 0; p < parts; p++) {
        const float *ih = file + p * size, *hh = ih + rows * s->inputs,
                    *bias = hh + rows * s->hidden;
        for (int64_t g = 0; g < s->gates; g++) {
            int64_t from = place_of_gate(s, g) * s->hidden, to = (p * s->gates + g) * s->hidden;
            memcpy(w.ih + to * s->inputs, ih + from * s->inputs,
                (size_t)(s->hidden * s->inputs) * sizeof *ih);
            memcpy(w.hh + to * s->hidden, hh + from * s->hidden,
                (size_t)(s->hidden * s->hidden) * sizeof *hh);
        }
        add_biases(s, bias, bias + rows, w.bias + p * s->bias_gates * s->hidden);
    }
    free(file);
    return w;
}

/* Gates of one array in PyTorch's order; `last`: where the last one is. */
static void write_gates(
    const shape *s, FILE *file, const float *values, int64_t inputs, int64_t last)
{
    int64_t size = s->hidden * inputs;
    for (int64_t g = 0; g < s->gates; g++)
        results_add(file, values + (g == s->gates - 1 ? last : place_of_gate(s, g)) * size, size);
}

void weights_write(const shape *s, const char *folder, const char *name, const weights *w)
{
    FILE *file = results_create(folder, name);
    for (int64_t p = 0; p < s->layers * s->directions; p++) {
        const float *bias = w->bias + p * s->bias_gates * s->hidden;
        write_gates(s, file, w->ih + p * part_of(s, s->inputs), s->inputs, s->gates - 1);
        write_gates(s, file, w->hh + p * part_of(s, s->hidden), s->hidden, s->gates - 1);
        write_gates(s, file, bias, 1, s->gates - 1);
        write_gates(s, file, bias, 1, s->bias_gates - 1);
    }
    results_close(file);
}
