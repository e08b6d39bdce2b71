/* Series from files and formulas, their scale, and both in a model's entries. See series.h. */
#include "series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

#define PREFIX "time_series."

/* Two sines whose periods have no small common multiple: a pattern that does not repeat soon. */
static int make_sine(table *target, int64_t rows)
{
    *target = (table){.rows = rows, .columns = 1};
    target->values = malloc((size_t)rows * sizeof *target->values);
    target->names = calloc(1, sizeof *target->names);
    if (target->values == NULL || target->names == NULL) return fail("out of memory");
    target->names[0] = strdup("sine");
    if (target->names[0] == NULL) return fail("out of memory");
    for (int64_t t = 0; t < rows; t++)
        target->values[t] = sin(0.25 * (double)t) + 0.5 * sin(0.1 * sqrt(2.0) * (double)t + 1);
    return OUTCOME_OK;
}

int series_open(series *target, const settings *options, const argument_list *columns)
{
    int outcome;

    if (options->data[0] != '\0' && options->sine > 0)
        return fail("--data and --sine: give one of them");
    if (options->data[0] == '\0' && options->sine == 0)
        return fail("give the series: --data FILE or --sine N");
    if (options->data[0] != '\0') return csv_read(&target->data, options->data, columns);
    outcome = make_sine(&target->data, options->sine);
    if (outcome != OUTCOME_OK) csv_free(&target->data);
    return outcome;
}

static int make_room(series *target)
{
    size_t columns = (size_t)target->data.columns;

    target->mean = calloc(columns, sizeof *target->mean);
    target->deviation = calloc(columns, sizeof *target->deviation);
    target->z = malloc((size_t)target->data.rows * columns * sizeof *target->z);
    if (target->mean == NULL || target->deviation == NULL || target->z == NULL)
        return fail("out of memory");
    return OUTCOME_OK;
}

static void fill(series *target)
{
    int64_t columns = target->data.columns;

    for (int64_t i = 0; i < target->data.rows * columns; i++)
        target->z[i] = (float)((target->data.values[i] - target->mean[i % columns]) /
                               target->deviation[i % columns]);
}

/* A constant column has no deviation: 1 will do. */
int series_scale(series *target, int64_t rows)
{
    int64_t columns = target->data.columns;

    if (make_room(target) != OUTCOME_OK) return OUTCOME_FAILED;
    for (int64_t c = 0; c < columns; c++) {
        double mean = 0, square = 0;

        for (int64_t t = 0; t < rows; t++)
            mean += target->data.values[t * columns + c] / (double)rows;
        for (int64_t t = 0; t < rows; t++) {
            double d = target->data.values[t * columns + c] - mean;

            square += d * d / (double)rows;
        }
        target->mean[c] = mean;
        target->deviation[c] = square > 0 && isfinite(square) ? sqrt(square) : 1;
        if (!isfinite(mean) || !isfinite(square))
            return fail("column %s: its numbers are too large to be scaled", target->data.names[c]);
    }
    fill(target);
    return OUTCOME_OK;
}

/* One entry a column: "mean deviation name". */
int series_record(const series *source, rnnkit_model *model)
{
    char key[64], value[64];
    int outcome = OUTCOME_OK;

    snprintf(value, sizeof value, "%lld", (long long)source->data.columns);
    if (failed(rnnkit_model_set_entry(model, PREFIX "columns", value))) return OUTCOME_FAILED;
    for (int64_t c = 0; c < source->data.columns && outcome == OUTCOME_OK; c++) {
        size_t length = strlen(source->data.names[c]) + 80;
        char *line = malloc(length);

        if (line == NULL) return fail("out of memory");
        snprintf(key, sizeof key, PREFIX "column.%lld", (long long)c);
        snprintf(line, length, "%.17g %.17g %s", source->mean[c], source->deviation[c],
            source->data.names[c]);
        outcome = failed(rnnkit_model_set_entry(model, key, line));
        free(line);
    }
    return outcome;
}

/* The entry of column c: its scale, and where its name stands; NULL when it is damaged. */
static const char *column_entry(rnnkit_model *model, int64_t c, double *mean, double *deviation)
{
    char key[64], *end;
    const char *text;

    snprintf(key, sizeof key, PREFIX "column.%lld", (long long)c);
    text = rnnkit_model_entry(model, key);
    if (text == NULL) return NULL;
    *mean = strtod(text, &end);
    if (*end != ' ') return NULL;
    *deviation = strtod(end + 1, &end);
    return *end == ' ' && isfinite(*mean) && isfinite(*deviation) && *deviation > 0 ? end + 1
                                                                                    : NULL;
}

/* The model's columns by name: a file without names has those that csv.c gives. */
static int open_columns(series *target, const settings *options, rnnkit_model *model, int64_t count)
{
    argument_list columns = {.items = calloc((size_t)count, sizeof *columns.items)};
    double mean, deviation;
    int outcome = OUTCOME_OK;

    if (columns.items == NULL) return fail("out of memory");
    for (int64_t c = 0; c < count && outcome == OUTCOME_OK; c++) {
        int number;
        const char *name = column_entry(model, c, &mean, &deviation);

        if (name == NULL)
            outcome = fail(
                "%s: its entries about column %lld are damaged", options->model, (long long)c + 1);
        else if (sscanf(name, "column%d", &number) == 1)
            name += strlen("column");
        columns.items[columns.count++] = name;
    }
    if (outcome == OUTCOME_OK) outcome = series_open(target, options, &columns);
    free(columns.items);
    return outcome;
}

int series_open_for(series *target, const settings *options, rnnkit_model *model)
{
    const char *columns = rnnkit_model_entry(model, PREFIX "columns");
    int64_t count = columns == NULL ? 0 : strtoll(columns, NULL, 10);

    if (count < 1 || count > 1024)
        return fail("%s was not written by time_series train", options->model);
    if (open_columns(target, options, model, count) != OUTCOME_OK ||
        make_room(target) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (target->data.columns != count)
        return fail("%s was trained on %lld columns; this series has %lld", options->model,
            (long long)count, (long long)target->data.columns);
    for (int64_t c = 0; c < count; c++)
        if (column_entry(model, c, &target->mean[c], &target->deviation[c]) == NULL)
            return fail("%s: its entries are damaged", options->model);
    fill(target);
    return OUTCOME_OK;
}

double series_value(const series *source, int64_t column, double z)
{
    return source->mean[column] + z * source->deviation[column];
}

void series_close(series *target)
{
    csv_free(&target->data);
    free(target->mean);
    free(target->deviation);
    free(target->z);
    *target = (series){0};
}
