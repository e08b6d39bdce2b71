/* Labels, placed greedily. See labels.h. */
#include "labels.h"

#include <math.h>

typedef struct box {
    double left, top, right, bottom;
} box;

static box box_of(const double *point, double width, label_side side)
{
    const double gap = 4, half = LABEL_HEIGHT / 2.0;
    double x = point[0], y = point[1];

    switch (side) {
    case LABEL_LEFT: return (box){x - gap - width, y - half, x - gap, y + half};
    case LABEL_ABOVE: return (box){x - width / 2, y - gap - LABEL_HEIGHT, x + width / 2, y - gap};
    case LABEL_BELOW: return (box){x - width / 2, y + gap, x + width / 2, y + gap + LABEL_HEIGHT};
    default: return (box){x + gap, y - half, x + gap + width, y + half};
    }
}

static double shared(box a, box b)
{
    double across = fmin(a.right, b.right) - fmax(a.left, b.left);
    double down = fmin(a.bottom, b.bottom) - fmax(a.top, b.top);

    return across > 0 && down > 0 ? across * down : 0;
}

void labels_place(const double *points, const double *widths, size_t count, label_side *sides)
{
    const double radius = 3;

    for (size_t i = 0; i < count; i++) {
        double least = INFINITY;

        for (int side = 0; side < LABEL_SIDES; side++) {
            box own = box_of(points + 2 * i, widths[i], (label_side)side);
            double covered = 0;

            for (size_t j = 0; j < count; j++) {
                const double *at = points + 2 * j;

                if (j == i) continue;
                covered += shared(
                    own, (box){at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius});
                if (j < i) covered += shared(own, box_of(at, widths[j], sides[j]));
            }
            if (covered < least) {
                least = covered;
                sides[i] = (label_side)side;
            }
        }
    }
}
