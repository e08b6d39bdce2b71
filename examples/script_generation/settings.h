/* Every option of the program, and the table that describes them. */
#ifndef SCRIPT_GENERATION_SETTINGS_H
#define SCRIPT_GENERATION_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "../common/arguments.h"
#include "../common/record.h"

enum { COMMAND_TRAIN = 1, COMMAND_GENERATE = 2, COMMAND_EVALUATE = 4 };

typedef struct settings {
    argument_list corpus;
    const char *model, *checkpoint, *plot;
    double checkpoint_minutes;
    int resume, json;

    const char *unit, *invalid;
    int lowercase;
    int64_t min_count;
    double valid, last;

    int64_t embedding, hidden, layers;
    double dropout, dropout_ends;
    int tie_weights, sparse;

    const char *windows;
    int64_t batch, steps, epochs, updates;
    double minutes;
    double lr, clip;
    const char *optimizer, *optimizer_options, *schedule, *schedule_options;
    int64_t seed;

    const char *prime;
    argument_list stop;
    int64_t length, top_k;
    double temperature, top_p, repetition_penalty;

    const char *device, *precision, *weights;
    int64_t threads;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;
extern const argument_alternate settings_sliding[]; /* the defaults with sliding windows */

/* How its runs are recorded. */
extern const record_kind settings_record;

int settings_are_sliding(const settings *options);

/* 1 when the schedule depends on how many updates the run has. */
int settings_end_with_the_run(const settings *options);

/* Copies a text with \n, \t and \\ replaced by what they stand for; the caller frees it. */
char *settings_unescape(const char *text);

#endif
