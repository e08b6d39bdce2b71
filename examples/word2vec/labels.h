/* Where the labels of points go, so that they cover little of each other. */
#ifndef WORD2VEC_LABELS_H
#define WORD2VEC_LABELS_H

#include <stddef.h>

typedef enum label_side {
    LABEL_RIGHT,
    LABEL_LEFT,
    LABEL_ABOVE,
    LABEL_BELOW,
    LABEL_SIDES
} label_side;

enum { LABEL_HEIGHT = 10 };

/* Chooses for point after point, in their order, the side on which its label, `widths[i]` wide,
 * covers least of the points and of the labels before. points[count][2]; y grows downwards. */
void labels_place(const double *points, const double *widths, size_t count, label_side *sides);

#endif
