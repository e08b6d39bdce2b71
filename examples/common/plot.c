/* Training and validation loss against updates. See plot.h. */
#include "plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "chart.h"
#include "console.h"

/* Adds a curve that has points; `room` gets its x and y. */
static void add_line(chart *target, chart_line *lines, const curve *source, chart_line line,
    double *room, int perplexity, char *name)
{
    double last;

    if (source->count == 0) return;
    last = source->points[source->count - 1].loss;
    if (perplexity)
        snprintf(name, 80, "%s, last %.3f (perplexity %.1f)", line.name, last, exp(last));
    else
        snprintf(name, 80, "%s, last %.3f", line.name, last);
    line.name = name;
    line.count = source->count;
    line.x = room;
    line.y = room + source->count;
    for (size_t i = 0; i < source->count; i++) {
        room[i] = (double)source->points[i].update;
        room[source->count + i] = source->points[i].loss;
    }
    lines[target->count++] = line;
}

int plot_write(const char *path, const curve *train, const curve *valid, int64_t last,
    const char *unit, int perplexity)
{
    char names[2][80], y_name[64];
    chart_line lines[2];
    chart picture = {.title = "Training and validation loss",
        .x_name = "updates",
        .y_name = y_name,
        .x_most = (double)last,
        .lines = lines};
    double *room = malloc((train->count + valid->count + 1) * 2 * sizeof *room);
    int outcome;

    if (room == NULL) return fail("out of memory");
    snprintf(y_name, sizeof y_name, "loss (nats per %s)", unit);
    add_line(&picture, lines, train, (chart_line){.name = "training", .colour = "#1f77b4"}, room,
        perplexity, names[0]);
    add_line(&picture, lines, valid,
        (chart_line){.name = "validation", .colour = "#d62728", .marks = 1},
        room + 2 * train->count, perplexity, names[1]);
    outcome = chart_write(path, &picture);
    free(room);
    return outcome;
}
