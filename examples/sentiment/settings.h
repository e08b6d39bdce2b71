/* What the command line says, for all commands of sentiment. */
#ifndef SENTIMENT_SETTINGS_H
#define SENTIMENT_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"
#include "../common/record.h"

enum { COMMAND_TRAIN = 1, COMMAND_PREDICT = 2, COMMAND_EVALUATE = 4 };

typedef struct settings {
    const char *data, *model, *checkpoint, *plot, *vectors, *preset, *device, *weights, *encoder,
        *cell, *pooling, *keep;
    argument_list text;
    int64_t length, min_count, max_words;
    int64_t embedding, hidden, layers, heads, pretrain;
    int64_t batch, epochs, patience, wrong, threads, seed, search;
    double search_minutes, checkpoint_minutes, valid, dropout, dropout_ends, lr, clip;
    int json, bidirectional, resume;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;
extern const argument_alternate settings_course[]; /* the defaults of --preset course */
extern const record_kind settings_record;          /* how its runs are recorded */

#endif
