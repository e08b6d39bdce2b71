/* The loss curves of a run: points (update, loss), for the plot and, as text, inside the model. */
#ifndef COMMON_CURVE_H
#define COMMON_CURVE_H

#include <stddef.h>
#include <stdint.h>

typedef struct curve_point {
    int64_t update;
    double loss;
} curve_point;

typedef struct curve {
    curve_point *points;
    size_t count, room;
} curve;

/* OUTCOME_FAILED, after a message, when memory is short or the text is no curve. */
int curve_add(curve *target, int64_t update, double loss);
int curve_read(curve *target, const char *text);

/* "update:loss ..."; the caller frees it; NULL when memory is short. */
char *curve_text(const curve *source);

void curve_free(curve *target);

#endif
