/* The command `forecast`: reads the series, then goes on by itself, each forecast row being the
 * next one's input and the state carried along.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/chart.h"
#include "../common/console.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"

int forecast_rows(network *net, rnnkit_context *context, const series *source, int64_t count,
    int64_t horizon, float *out)
{
    int64_t width = source->data.columns;
    float *all = malloc((size_t)((count + horizon) * width) * sizeof *all);
    rnnkit_tape *tape = NULL;
    rnnkit_state *state = NULL;
    int outcome = OUTCOME_FAILED;

    if (all == NULL) return fail("out of memory");
    if (!failed(rnnkit_tape_create(context, "train=0", &tape)) &&
        !failed(rnnkit_state_create(net->rnn, 1, &state)))
        outcome = network_continue(net, tape, state, source->z, count, horizon, all);
    if (outcome == OUTCOME_OK)
        memcpy(out, all + (count - 1) * width, (size_t)(horizon * width) * sizeof *out);
    rnnkit_state_destroy(state);
    rnnkit_tape_destroy(tape);
    free(all);
    return outcome;
}

/* Some of what was read, all that is true behind it, and the forecast, joined to the last row read.
 */
int forecast_draw(
    const char *path, const series *source, int64_t count, int64_t horizon, const float *forecast)
{
    int64_t width = source->data.columns, rows = source->data.rows;
    int64_t first = count > 3 * horizon ? count - 3 * horizon : 0;
    int64_t end = rows < count + horizon ? rows : count + horizon;
    size_t known = (size_t)(end - first), ahead = (size_t)horizon + 1;
    double *room = malloc(2 * (known + ahead) * sizeof *room);
    double *x = room, *y = x + known, *fx = y + known, *fy = fx + ahead;
    int outcome;

    if (room == NULL) return fail("out of memory");
    for (int64_t t = first; t < end; t++) {
        x[t - first] = (double)t + 1;
        y[t - first] = source->data.values[t * width];
    }
    for (int64_t t = 0; t <= horizon; t++) {
        fx[t] = (double)(count + t);
        fy[t] = t == 0 ? source->data.values[(count - 1) * width]
                       : series_value(source, 0, (double)forecast[(t - 1) * width]);
    }
    chart_line lines[2] = {
        {"truth", "#1f77b4", x, y, known, 0, 0}, {"forecast", "#d62728", fx, fy, ahead, 0, 1}};
    chart picture = {.title = "Forecast",
        .x_name = "row",
        .y_name = source->data.names[0],
        .x_least = (double)first + 1,
        .x_most = (double)(count + horizon),
        .lines = lines,
        .count = 2};
    outcome = chart_write(path, &picture);
    free(room);
    return outcome;
}

static void tell_row(const series *source, int64_t row, const float *z, int json)
{
    if (json) {
        json_begin("forecast");
        json_integer("row", row);
    } else {
        char number[32];

        console_text(number, (size_t)snprintf(number, sizeof number, "%lld", (long long)row));
    }
    for (int64_t c = 0; c < source->data.columns; c++) {
        double value = series_value(source, c, (double)z[c]);
        char text[40];

        if (json)
            json_number(source->data.names[c], value);
        else
            console_text(text, (size_t)snprintf(text, sizeof text, ",%.9g", value));
    }
    if (json)
        json_end();
    else
        console_line("%s", "");
}

/* A name in the line of names; quoted where it has to be. */
static void tell_name(const char *name)
{
    int quoted = strpbrk(name, ",\"\r\n") != NULL;

    console_text(quoted ? ",\"" : ",", quoted ? 2 : 1);
    for (const char *at = name; *at != '\0'; at++)
        console_text(*at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    if (quoted) console_text("\"", 1);
}

/* How the forecast does on the rows that it was not shown. */
static int compare(
    const series *source, int64_t count, int64_t horizon, const float *forecast, int json)
{
    int64_t width = source->data.columns;
    int64_t end = source->data.rows < count + horizon ? source->data.rows : count + horizon;
    errors *columns = calloc((size_t)width, sizeof *columns);
    double ratio;

    if (columns == NULL) return fail("out of memory");
    for (int64_t t = count; t < end; t++)
        for (int64_t c = 0; c < width; c++)
            errors_add(&columns[c], source->data.values[t * width + c],
                series_value(source, c, (double)forecast[(t - count) * width + c]),
                source->data.values[(count - 1) * width + c]);
    ratio = errors_ratio(columns, source);
    if (json) {
        json_begin("done");
        json_integer("compared", end - count);
        json_number("ratio", end > count ? ratio : NAN);
        json_number("rmse", end > count ? sqrt(columns[0].square / (double)columns[0].count) : NAN);
        json_end();
    } else if (end > count) {
        console_note("on %lld hidden rows: RMSE of %s %.4g, naive %.4g; %.3f of the naive "
                     "forecast's error",
            (long long)(end - count), source->data.names[0],
            sqrt(columns[0].square / (double)columns[0].count),
            sqrt(columns[0].naive_square / (double)columns[0].count), ratio);
    }
    free(columns);
    return OUTCOME_OK;
}

static int tell(const settings *options, const series *source, int64_t count, const float *forecast)
{
    int64_t width = source->data.columns;

    if (!options->json) {
        console_text("row", 3);
        for (int64_t c = 0; c < width; c++)
            tell_name(source->data.names[c]);
        console_line("%s", "");
    }
    for (int64_t t = 0; t < options->horizon; t++)
        tell_row(source, count + t + 1, forecast + t * width, options->json);
    return compare(source, count, options->horizon, forecast, options->json);
}

static int forecast(opened *all, const settings *options)
{
    const series *source = &all->data;
    int64_t count = source->data.rows - options->hide;
    float *out;
    int outcome;

    if (count < 1)
        return fail("--hide: the series has only %lld rows", (long long)source->data.rows);
    out = malloc((size_t)(options->horizon * source->data.columns) * sizeof *out);
    if (out == NULL) return fail("out of memory");
    outcome = forecast_rows(&all->net, all->context, source, count, options->horizon, out);
    if (outcome == OUTCOME_OK) outcome = tell(options, source, count, out);
    if (outcome == OUTCOME_OK && options->plot[0] != '\0')
        outcome = forecast_draw(options->plot, source, count, options->horizon, out);
    free(out);
    return outcome;
}

int forecast_command(arguments *parsed)
{
    const settings *options = parsed->values;
    opened all = {0};
    int outcome = OUTCOME_OK;

    if (options->plot[0] != '\0') outcome = output_check("plot", options->plot);
    if (outcome == OUTCOME_OK) outcome = opened_make(&all, options);
    if (outcome == OUTCOME_OK) outcome = forecast(&all, options);
    opened_close(&all);
    return outcome;
}
