/* A series: rows of one or more columns, and the scale on which the network sees them. */
#ifndef TIME_SERIES_SERIES_H
#define TIME_SERIES_SERIES_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "csv.h"
#include "settings.h"

typedef struct series {
    table data;
    double *mean, *deviation; /* [columns]: z = (value - mean) / deviation */
    float *z;                 /* [rows][columns] */
} series;

/* Reads --data with the columns, or makes --sine. */
int series_open(series *target, const settings *options, const argument_list *columns);

/* Measures mean and deviation on the first rows, and fills z. */
int series_scale(series *target, int64_t rows);

/* The same with the scale and columns that a model was trained with. */
int series_open_for(series *target, const settings *options, rnnkit_model *model);

/* Writes columns and scale into a model. */
int series_record(const series *source, rnnkit_model *model);

double series_value(const series *source, int64_t column, double z);
void series_close(series *target);

#endif
