/* The picture of a translation: where the model looked in the source for each word it wrote. */
#ifndef TRANSLATION_HEATMAP_H
#define TRANSLATION_HEATMAP_H

#include <stdint.h>

typedef struct heatmap {
    const char *const *columns, *const *rows; /* the source's and the translation's words */
    int64_t column_count, row_count;
    const float *weights; /* [row_count][column_count] */
} heatmap;

/* Draws it into an SVG file, replacing it whole. */
int heatmap_write(const char *path, const heatmap *source);

#endif
