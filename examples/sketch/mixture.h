/* The loss of a mixture density network over pen movements, its gradient, and draws from it.
 *
 * A row of 6 M + 3 numbers is read as the parameters of (Ha and Eck 2017, equations 3 and 4)
 *   p(dx, dy) = sum over j < M of w[j] N(dx, dy; mx[j], my[j], sx[j], sy[j], r[j])
 *   p(pen)    = q[pen]
 * in the order w mx my sx sy r q: w and q by softmax, mx and my as they are, sx and sy as
 * exp(5 tanh(z / 5)), r as 0.98 tanh(z): bounded, so that no row of finite numbers overflows and no
 * component becomes a point. The loss is -log p(dx, dy) - log p(pen), in nats.
 */
#ifndef SKETCH_MIXTURE_H
#define SKETCH_MIXTURE_H

#include <stdint.h>

enum { PEN_DOWN, PEN_LIFTED, PEN_END, PENS };

/* A movement, and what the pen does behind it. PEN_END: the drawing is over, there is no movement. */
typedef struct pen_point {
    float dx, dy;
    int pen;
} pen_point;

enum { MIXTURE_MOST = 256 }; /* components */

/* How many numbers a row has. */
int64_t mixture_width(int64_t components);

typedef struct mixture_loss {
    double offset, pen;
} mixture_loss;

/* The loss of a row; gradient [width] gets `scale` times its derivative, unless it is NULL. */
mixture_loss mixture_measure(
    const float *row, int64_t components, const pen_point *truth, double scale, float *gradient);

/* A draw from the distribution at temperatures from 0 (the likeliest component's middle, the
 * likeliest pen) to 1 (as it is) and beyond: w to the power 1 / temperature, variances times
 * temperature, q to the power 1 / pen_temperature. */
pen_point mixture_draw(const float *row, int64_t components, double temperature,
    double pen_temperature, uint64_t *random);

#endif
