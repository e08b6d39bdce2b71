/* Small made-up pictures: one to three coloured shapes in places, and a caption that names them.
 *
 *   one shape     "a red circle at the top left"
 *   two           "a red circle left of a blue square", "a green star above a yellow cross"
 *   three         "a red circle, a blue square and a green star", from left to right
 *
 * So a caption can be told from the picture alone, and there is one that is right.
 */
#ifndef CAPTIONING_SCENE_H
#define CAPTIONING_SCENE_H

#include <stdint.h>
#include <stdio.h>

enum { SCENE_SHAPES = 3, SCENE_SIDE = 64, SCENE_CAPTION = 96 };

typedef struct scene_shape {
    int kind, colour;
    double x, y, radius; /* in a square of side SCENE_SIDE, y downwards */
} scene_shape;

typedef struct scene {
    scene_shape shapes[SCENE_SHAPES]; /* in the order of the caption */
    int count;
    char caption[SCENE_CAPTION];
} scene;

void scene_make(scene *target, uint64_t *random);

/* The picture's colours at the middle of pixel (x, y) of a picture with `pixels` a side, averaged
 * over a few points within it: red, green and blue from 0 to 1. */
void scene_pixel(const scene *source, int x, int y, int pixels, float colours[3]);

/* The same picture as SVG, with straight edges at any size. */
void scene_draw(const scene *source, FILE *out);

#endif
