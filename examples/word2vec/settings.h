/* What the command line says, for all commands of word2vec. */
#ifndef WORD2VEC_SETTINGS_H
#define WORD2VEC_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"

enum {
    COMMAND_TRAIN = 1,
    COMMAND_NEAREST = 2,
    COMMAND_ANALOGY = 4,
    COMMAND_DOESNT_MATCH = 8,
    COMMAND_EVALUATE = 16,
    COMMAND_CONVERT = 32,
    COMMAND_MAP = 64
};

typedef struct settings {
    argument_list corpus, words;
    const char *output, *format, *vectors, *state, *go_on, *vocab;
    const char *punctuation, *invalid, *subsampling, *cbow_gradient, *method, *scan;
    const char *pairs, *analogies, *svg, *device;
    int64_t dim, window, negative, min_count, epochs, threads, seed, top, restricted, limit;
    double sample, lr;
    int json, lowercase, cbow, deterministic, fixed_window, whole_text;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;

#endif
