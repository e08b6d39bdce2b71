/* Drawings side by side on a page, as an SVG picture. */
#ifndef SKETCH_PAGE_H
#define SKETCH_PAGE_H

#include "mixture.h"

typedef struct page_drawing {
    const pen_point *points; /* [count] */
    int64_t count, given;    /* the first `given` ones are drawn in another colour */
} page_drawing;

int page_draw(const char *path, const page_drawing *drawings, int64_t count);

#endif
