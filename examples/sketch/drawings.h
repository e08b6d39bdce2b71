/* Drawings in the form stroke-3: movements of a pen, and whether it is lifted behind each. A file has
 * a drawing a line, a JSON array of [dx, dy, lifted].
 */
#ifndef SKETCH_DRAWINGS_H
#define SKETCH_DRAWINGS_H

#include <stddef.h>
#include <stdint.h>

#include "mixture.h"

typedef struct drawings {
    pen_point *points; /* of all drawings, one behind the other */
    size_t point_count, point_room;
    size_t *starts;   /* [count + 1] */
    int64_t *lengths; /* [count], in points */
    size_t count, room;
} drawings;

/* Reads a file, or standard input for -; blank lines are passed over. `most` points of a drawing are
 * kept, its first ones. OUTCOME_FAILED after a message that names file, line and column;
 * drawings_free takes any state. */
int drawings_read(drawings *target, const char *path, int64_t most);
void drawings_free(drawings *target);

/* The deviation of all dx and dy of the first drawings, around 0. */
double drawings_scale(const drawings *source, const size_t *chosen, size_t count);

#endif
