/* What the command line says, for all commands of sketch. */
#ifndef SKETCH_SETTINGS_H
#define SKETCH_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"
#include "../common/record.h"

enum { COMMAND_GENERATE = 1, COMMAND_TRAIN = 2, COMMAND_DRAW = 4, COMMAND_EVALUATE = 8 };

typedef struct settings {
    const char *data, *valid_data, *model, *plot, *kind, *begin, *device, *checkpoint, *weights;
    int64_t made, hidden, layers, mixtures, batch, epochs, patience, length, count, drawing, points;
    int64_t threads, seed, checkpoint_minutes;
    double valid, dropout, stretch, drop_points, lr, clip, temperature, pen_temperature;
    int json, resume;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;
extern const record_kind settings_record; /* how its runs are recorded */

#endif
