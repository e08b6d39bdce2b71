/* What the command line says, for all commands of time_series. */
#ifndef TIME_SERIES_SETTINGS_H
#define TIME_SERIES_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"

enum { COMMAND_TRAIN = 1, COMMAND_FORECAST = 2, COMMAND_EVALUATE = 4 };

typedef struct settings {
    const char *data, *model, *plot, *loss, *device, *weights, *cell;
    argument_list columns;
    int64_t sine, hidden, layers, batch, steps, epochs, patience, horizon, hide, threads, seed,
        search;
    double search_minutes, valid, last, lr, clip, dropout, noise;
    int json;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;

#endif
