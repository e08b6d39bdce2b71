/* Features of a scene: a convolution whose filters are random and always the same, ReLU, and the
 * mean over a window around each place. It stands for a network that was trained on photographs.
 */
#ifndef CAPTIONING_CONVOLUTION_H
#define CAPTIONING_CONVOLUTION_H

#include "scene.h"

enum {
    CONVOLUTION_SIDE = 8, /* places on a side */
    CONVOLUTION_PLACES = CONVOLUTION_SIDE * CONVOLUTION_SIDE,
    CONVOLUTION_FILTERS = 64
};

typedef struct convolution convolution;

convolution *convolution_create(void); /* NULL when memory is short */
void convolution_destroy(convolution *self);

/* [places][filters] of a scene. */
void convolution_run(convolution *self, const scene *source, float *features);

#endif
