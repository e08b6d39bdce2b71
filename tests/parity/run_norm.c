/* Layer normalisation both ways, and ReLU both ways. */
#include "operations.h"

void run_norm(bench *b, int shape)
{
    int64_t rows = 1 + draw(b, 9), width = shape < 40 ? 2 + shape : 60 + draw(b, 400);
    if (shape >= NORM_SHAPES - 4) rows = 300 + shape; /* for several threads */
    int64_t count = rows * width;
    label(b, "rows=%d width=%d", (int)rows, (int)width);
    rki_norm_forward forward = {.rows = rows, .width = width, .epsilon = 1e-5};
    forward.x = input(b, count, shape % 3 == 0 ? 0.1 : 2.0);
    forward.weight = input(b, width, 1.0);
    forward.bias = input(b, width, 1.0);
    forward.y = unwritten(b, count);
    forward.stash = unwritten(b, 2 * rows);
    succeed(b, b->on->ops->norm_forward(b->on->self, &forward));
    keep(b, "y", forward.y, count);
    rki_norm_backward backward = {.rows = rows,
        .width = width,
        .x = forward.x,
        .weight = forward.weight,
        .stash = forward.stash};
    backward.dy = input(b, count, 1.0);
    backward.dx = unwritten(b, count);
    backward.dweight = input(b, width, 1.0);
    backward.dbias = input(b, width, 1.0);
    succeed(b, b->on->ops->norm_backward(b->on->self, &backward));
    keep(b, "dx", backward.dx, count);
    keep(b, "dweight", backward.dweight, width);
    keep(b, "dbias", backward.dbias, width);
}

void run_relu(bench *b, int shape)
{
    int64_t count = shape < 20 ? 1 + 3 * shape : 16000 + 777 * shape;
    label(b, "count=%d", (int)count);
    void *x = input(b, count, 4.0), *dy = input(b, count, 1.0);
    int in_place = shape & 1;
    void *y = in_place ? x : unwritten(b, count), *dx = in_place ? dy : unwritten(b, count);
    succeed(b, b->on->ops->relu(b->on->self, count, x, y));
    succeed(b, b->on->ops->relu_backward(b->on->self, count, y, dy, dx));
    keep(b, "y", y, count);
    keep(b, "dx", dx, count);
}
