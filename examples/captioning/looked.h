/* Where a model looked for each word of its captions, as an SVG picture. */
#ifndef CAPTIONING_LOOKED_H
#define CAPTIONING_LOOKED_H

#include <stddef.h>
#include <stdint.h>

typedef struct looked {
    const char *name;
    char *caption;
    char **words;   /* [count] */
    float *weights; /* [count][rows * columns] */
    int64_t count;
    char *image; /* data URI, or NULL: then the places alone are drawn */
} looked;

/* For each item a line with its caption, and below it a tile for each word. */
int looked_draw(const char *path, const looked *items, size_t count, int64_t rows, int64_t columns);

#endif
