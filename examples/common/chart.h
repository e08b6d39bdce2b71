/* A chart of lines as an SVG picture, with labelled axes, grid and legend. */
#ifndef COMMON_CHART_H
#define COMMON_CHART_H

#include <stddef.h>

typedef struct chart_line {
    const char *name; /* in the legend */
    const char *colour;
    const double *x, *y; /* [count]; a y that is not finite is left out */
    size_t count;
    int marks; /* a dot at each point */
    int dashed;
} chart_line;

typedef struct chart {
    const char *title, *x_name, *y_name;
    double x_least, x_most; /* of the axis, which has whole numbers */
    const chart_line *lines;
    size_t count;
} chart;

/* Draws the chart into a file, replacing it whole. */
int chart_write(const char *path, const chart *source);

#endif
