/* What the command line says, for all commands of translation. */
#ifndef TRANSLATION_SETTINGS_H
#define TRANSLATION_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"
#include "../common/record.h"

enum { COMMAND_TRAIN = 1, COMMAND_TRANSLATE = 2, COMMAND_EVALUATE = 4 };

typedef struct settings {
    const char *source, *target, *valid_source, *valid_target;
    const char *model, *checkpoint, *plot, *output, *attention_svg;
    argument_list text;
    double checkpoint_minutes;
    int resume, json;

    const char *punctuation;
    int lowercase;
    int64_t min_count, max_length;
    double valid;

    const char *preset, *score, *cell;
    int64_t window, embedding, hidden, layers;
    double dropout;
    int tie_weights;

    int64_t batch, epochs, patience;
    double lr, clip, label_smoothing, scheduled_sampling;
    int64_t seed;

    int64_t beam, n_best;
    double length_penalty;
    int replace_unknown;

    const char *device, *weights;
    int64_t threads;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;

/* How a run's record is kept. */
extern const record_kind settings_record;

#endif
