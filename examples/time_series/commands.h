/* The commands, each returning an outcome (console.h), and what they share. */
#ifndef TIME_SERIES_COMMANDS_H
#define TIME_SERIES_COMMANDS_H

#include "network.h"
#include "series.h"

int train_command(arguments *parsed);
int forecast_command(arguments *parsed);
int evaluate_command(arguments *parsed);

/* Errors of one column, and those of the naive forecast "as it was", in the series' own units. */
typedef struct errors {
    double square, absolute, naive_square, naive_absolute; /* sums */
    int64_t count;
} errors;

void errors_add(errors *target, double truth, double forecast, double naive);

/* Root of the mean squared error of all columns, each on its own scale, over that of the naive
 * forecast: below 1 is better than naive. NaN when nothing was naive about it. */
double errors_ratio(const errors *columns, const series *source);

/* evaluate.c: adds the errors of forecasting each row from `first` on out of the rows before it. */
int evaluate_next(network *net, rnnkit_context *context, const series *source, int64_t first,
    int64_t rows, errors *columns);

/* Opened together for forecast and evaluate; opened_close takes any state. */
typedef struct opened {
    rnnkit_context *context;
    network net;
    series data;
    rnnkit_tape *tape;
    rnnkit_state *state;
} opened;

int opened_make(opened *target, const settings *options);
void opened_close(opened *target);

/* forecast.c: forecasts `horizon` rows from the first `count`, into the caller's
 * [horizon][columns]. */
int forecast_rows(network *net, rnnkit_context *context, const series *source, int64_t count,
    int64_t horizon, float *out);

/* Draws the first column: what was read, what is true behind it, and the forecast. */
int forecast_draw(
    const char *path, const series *source, int64_t count, int64_t horizon, const float *forecast);

#endif
