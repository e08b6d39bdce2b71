/* See convolution.h. Every other filter has mean 0 in each colour: it sees edges, not areas. */
#include "convolution.h"

#include <math.h>
#include <stdlib.h>

#include "../common/random.h"

enum {
    PIXELS = 48, /* of the picture's side */
    KERNEL = 5,
    MARGIN = KERNEL / 2,
    EDGE = PIXELS + 2 * MARGIN, /* of the picture with a margin of 0 around it */
    WEIGHTS = KERNEL * KERNEL * 3,
    STRIDE = 2,
    MAP = PIXELS / STRIDE,         /* of the map that the filters make */
    STEP = MAP / CONVOLUTION_SIDE, /* from place to place, on the map */
    WINDOW = 3 * STEP,             /* a place and its neighbours */
    SEED = 20150706
};

struct convolution {
    float filters[WEIGHTS][CONVOLUTION_FILTERS];
    float picture[EDGE * EDGE][3];
    float map[MAP * MAP][CONVOLUTION_FILTERS];
};

static void centre(convolution *self, int filter)
{
    for (int colour = 0; colour < 3; colour++) {
        float sum = 0;

        for (int i = colour; i < WEIGHTS; i += 3)
            sum += self->filters[i][filter];
        for (int i = colour; i < WEIGHTS; i += 3)
            self->filters[i][filter] -= sum / (KERNEL * KERNEL);
    }
}

convolution *convolution_create(void)
{
    convolution *self = calloc(1, sizeof *self);
    uint64_t random = SEED;

    if (self == NULL) return NULL;
    for (int i = 0; i < WEIGHTS; i++)
        for (int f = 0; f < CONVOLUTION_FILTERS; f++)
            self->filters[i][f] = (float)(random_normal(&random) / sqrt(WEIGHTS));
    for (int f = 1; f < CONVOLUTION_FILTERS; f += 2)
        centre(self, f);
    return self;
}

void convolution_destroy(convolution *self)
{
    free(self);
}

static void filter_pixel(convolution *self, int row, int column)
{
    float *sums = self->map[row * MAP + column];

    for (int f = 0; f < CONVOLUTION_FILTERS; f++)
        sums[f] = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        int y = row * STRIDE + i / (3 * KERNEL), x = column * STRIDE + i / 3 % KERNEL;
        float seen = self->picture[y * EDGE + x][i % 3];

        for (int f = 0; f < CONVOLUTION_FILTERS; f++)
            sums[f] += seen * self->filters[i][f];
    }
    for (int f = 0; f < CONVOLUTION_FILTERS; f++)
        sums[f] = sums[f] > 0 ? sums[f] : 0;
}

/* What lies outside the map counts as 0. */
static void pool_place(const convolution *self, int row, int column, float *out)
{
    int top = row * STEP - (WINDOW - STEP) / 2, left = column * STEP - (WINDOW - STEP) / 2;

    for (int f = 0; f < CONVOLUTION_FILTERS; f++)
        out[f] = 0;
    for (int y = top < 0 ? 0 : top; y < top + WINDOW && y < MAP; y++)
        for (int x = left < 0 ? 0 : left; x < left + WINDOW && x < MAP; x++)
            for (int f = 0; f < CONVOLUTION_FILTERS; f++)
                out[f] += self->map[y * MAP + x][f] / (WINDOW * WINDOW);
}

void convolution_run(convolution *self, const scene *source, float *features)
{
    for (int y = 0; y < PIXELS; y++)
        for (int x = 0; x < PIXELS; x++)
            scene_pixel(source, x, y, PIXELS, self->picture[(y + MARGIN) * EDGE + x + MARGIN]);
    for (int i = 0; i < MAP * MAP; i++)
        filter_pixel(self, i / MAP, i % MAP);
    for (int place = 0; place < CONVOLUTION_PLACES; place++)
        pool_place(self, place / CONVOLUTION_SIDE, place % CONVOLUTION_SIDE,
            features + place * CONVOLUTION_FILTERS);
}
