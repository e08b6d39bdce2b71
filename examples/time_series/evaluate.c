/* The command `evaluate`: errors of the next row, and of forecasts that go on by themselves from
 * many places, against the naive forecast that everything stays as it was.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/model.h"
#include "commands.h"

enum { CHUNK = 256, WARM_UP = 512 };

void errors_add(errors *target, double truth, double forecast, double naive)
{
    double d = forecast - truth, n = naive - truth;

    target->square += d * d;
    target->absolute += fabs(d);
    target->naive_square += n * n;
    target->naive_absolute += fabs(n);
    target->count++;
}

double errors_ratio(const errors *columns, const series *source)
{
    double ours = 0, naive = 0;

    for (int64_t c = 0; c < source->data.columns; c++) {
        double scale = source->deviation[c] * source->deviation[c];

        ours += columns[c].square / scale;
        naive += columns[c].naive_square / scale;
    }
    return naive > 0 ? sqrt(ours / naive) : NAN;
}

static void add_row(
    errors *columns, const series *source, int64_t row, const float *forecast, const float *naive)
{
    int64_t width = source->data.columns;

    for (int64_t c = 0; c < width; c++)
        errors_add(&columns[c], source->data.values[row * width + c],
            series_value(source, c, (double)forecast[c]),
            series_value(source, c, (double)naive[c]));
}

/* Rows at .. at + steps - 1 are read; what they say about the rows behind them is compared. */
static int next_chunk(network *net, rnnkit_tape *tape, rnnkit_state *state, const series *source,
    int64_t at, int64_t steps, int64_t first, errors *columns)
{
    int64_t width = source->data.columns;
    rnnkit_tensor *changes;
    float *next = malloc((size_t)(steps * width) * sizeof *next);
    int outcome = OUTCOME_FAILED;

    if (next == NULL) return fail("out of memory");
    if (network_run(net, tape, state, source->z + at * width, steps, 1, &changes) == OUTCOME_OK &&
        !failed(rnnkit_tensor_read(changes, next, steps * width))) {
        outcome = OUTCOME_OK;
        for (int64_t t = 0; t < steps; t++) {
            const float *row = source->z + (at + t) * width;

            for (int64_t c = 0; c < width; c++)
                next[t * width + c] += row[c];
            if (at + t + 1 >= first) add_row(columns, source, at + t + 1, next + t * width, row);
        }
    }
    free(next);
    return outcome;
}

int evaluate_next(network *net, rnnkit_context *context, const series *source, int64_t first,
    int64_t rows, errors *columns)
{
    rnnkit_tape *tape = NULL;
    rnnkit_state *state = NULL;
    int64_t at = first > WARM_UP ? first - WARM_UP : 0;
    int outcome = OUTCOME_OK;

    if (failed(rnnkit_tape_create(context, "train=0", &tape)) ||
        failed(rnnkit_state_create(net->rnn, 1, &state)))
        outcome = OUTCOME_FAILED;
    for (; outcome == OUTCOME_OK && at < rows - 1; at += CHUNK) {
        int64_t steps = rows - 1 - at < CHUNK ? rows - 1 - at : CHUNK;

        outcome = next_chunk(net, tape, state, source, at, steps, first, columns);
    }
    rnnkit_state_destroy(state);
    rnnkit_tape_destroy(tape);
    return outcome;
}

int opened_make(opened *target, const settings *options)
{
    char text[64];

    snprintf(text, sizeof text, "threads=%lld", (long long)options->threads);
    if (failed(rnnkit_context_create(options->device, text, &target->context)) ||
        model_open(target->context, options->model, options->weights, &target->net.model) !=
            OUTCOME_OK ||
        series_open_for(&target->data, options, target->net.model) != OUTCOME_OK ||
        network_find(&target->net, options->model, target->data.data.columns) != OUTCOME_OK ||
        failed(rnnkit_tape_create(target->context, "train=0", &target->tape)))
        return OUTCOME_FAILED;
    return failed(rnnkit_state_create(target->net.rnn, 1, &target->state));
}

void opened_close(opened *target)
{
    rnnkit_state_destroy(target->state);
    rnnkit_tape_destroy(target->tape);
    series_close(&target->data);
    network_close(&target->net);
    rnnkit_context_destroy(target->context);
}

/* Reads row after row; behind every `horizon` rows it forecasts as many from a copy of the state.
 */
static int evaluate_far(
    opened *all, int64_t first, int64_t horizon, errors *columns, int64_t *origins)
{
    const series *source = &all->data;
    int64_t width = source->data.columns, rows = source->data.rows, read = 0;
    float *out = malloc((size_t)((rows + horizon) * width) * sizeof *out);
    rnnkit_state *copy = NULL;
    int outcome = out == NULL ? fail("out of memory") : OUTCOME_OK;

    if (outcome == OUTCOME_OK) outcome = failed(rnnkit_state_create(all->net.rnn, 1, &copy));
    for (int64_t origin = first; outcome == OUTCOME_OK && origin + horizon <= rows;
         origin += horizon) {
        const float *last = source->z + (origin - 1) * width;

        /* All but the last row before the origin; that one starts the forecast. */
        if (origin - 1 > read)
            outcome = network_continue(&all->net, all->tape, all->state, source->z + read * width,
                origin - 1 - read, 1, out);
        read = origin - 1;
        if (outcome == OUTCOME_OK) outcome = failed(rnnkit_state_copy(copy, all->state));
        if (outcome == OUTCOME_OK)
            outcome = network_continue(&all->net, all->tape, copy, last, 1, horizon, out);
        for (int64_t t = 0; t < horizon && outcome == OUTCOME_OK; t++)
            add_row(columns, source, origin + t, out + t * width, last);
        ++*origins;
    }
    rnnkit_state_destroy(copy);
    free(out);
    return outcome;
}

static void tell_column(
    const char *kind, int64_t steps, const char *name, const errors *of, int json)
{
    double n = (double)of->count;

    if (json) {
        json_begin("column");
        json_text("forecast", kind);
        json_integer("steps", steps);
        json_text("name", name);
        json_number("rmse", sqrt(of->square / n));
        json_number("mae", of->absolute / n);
        json_number("naive_rmse", sqrt(of->naive_square / n));
        json_number("naive_mae", of->naive_absolute / n);
        json_integer("rows", of->count);
        json_end();
        return;
    }
    console_line("%-16s %4lld step%s  RMSE %-10.4g MAE %-10.4g naive RMSE %-10.4g MAE %.4g", name,
        (long long)steps, steps == 1 ? " " : "s", sqrt(of->square / n), of->absolute / n,
        sqrt(of->naive_square / n), of->naive_absolute / n);
}

static void tell(const opened *all, const errors *next, const errors *far, int64_t horizon,
    int64_t origins, int json)
{
    const series *source = &all->data;
    double ratio = errors_ratio(next, source), far_ratio = errors_ratio(far, source);

    for (int64_t c = 0; c < source->data.columns; c++) {
        tell_column("next", 1, source->data.names[c], &next[c], json);
        if (origins > 0) tell_column("far", horizon, source->data.names[c], &far[c], json);
    }
    if (json) {
        json_begin("done");
        json_number("ratio", ratio);
        json_number("far_ratio", origins > 0 ? far_ratio : NAN);
        json_integer("forecasts", origins);
        json_end();
        return;
    }
    console_line("next row: %.3f of the naive forecast's error", ratio);
    if (origins > 0)
        console_line("%lld rows ahead, from %lld places: %.3f of the naive forecast's error",
            (long long)horizon, (long long)origins, far_ratio);
}

static int evaluate(opened *all, const settings *options)
{
    const series *source = &all->data;
    int64_t rows = source->data.rows, columns = source->data.columns, origins = 0;
    int64_t first = rows - (int64_t)((double)rows * options->last);
    errors *both = calloc((size_t)columns * 2, sizeof *both);
    int outcome;

    if (both == NULL) return fail("out of memory");
    if (first < 1) first = 1;
    if (rows < 2 || first >= rows) {
        free(both);
        return fail("a series of %lld rows is too short to measure anything on", (long long)rows);
    }
    outcome = evaluate_next(&all->net, all->context, source, first, rows, both);
    if (outcome == OUTCOME_OK)
        outcome = evaluate_far(all, first, options->horizon, both + columns, &origins);
    if (outcome == OUTCOME_OK)
        tell(all, both, both + columns, options->horizon, origins, options->json);
    free(both);
    return outcome;
}

int evaluate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    opened all = {0};
    int outcome = opened_make(&all, options);

    if (outcome == OUTCOME_OK) outcome = evaluate(&all, options);
    opened_close(&all);
    return outcome;
}
