/* Pointwise losses: every rule, with and without weights and gradients, some weights 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "operations.h"

/* Weights, or targets between 0 and 1; every third weight is 0. */
static void *weights(bench *b, int64_t count)
{
    double *values = malloc((size_t)count * sizeof(double));
    if (!values) fail_msg("no memory for weights");
    for (int64_t i = 0; i < count; i++)
        values[i] = i % 3 == 2 ? 0.0 : (double)(float)(1.0 + draw_value(b));
    void *device = upload(b, values, count);
    free(values);
    return device;
}

void run_pointwise_loss(bench *b, int shape)
{
    static const int64_t widths[] = {1, 5, 64}, large[] = {4096, 4097, 70000, 1100000};
    double loss = 0.0;
    rki_pointwise_loss call = {.rule = (rki_pointwise)(shape % 4),
        .width = widths[shape % 3],
        .positive = shape % 5 == 0 ? 1.0 : 2.5,
        .delta = 0.7,
        .scale = 0.3,
        .loss = &loss};
    int with_gradient = shape % 7 != 6, with_weights = shape % 2;
    int64_t parts = 1 + draw(b, 200), at = shape - (POINTWISE_LOSS_SHAPES - 4);
    if (at >= 0) parts = large[at] / call.width;
    call.count = parts * call.width;
    label(b, "rule=%d count=%d width=%d weights=%d gradient=%d", (int)call.rule, (int)call.count,
        (int)call.width, with_weights, with_gradient);
    call.x = input(b, call.count, shape % 3 == 1 ? 90.0 : 2.0); /* 90: exp would overflow */
    call.targets = input_positive(b, call.count, 1.0);
    if (with_weights) call.weights = weights(b, parts);
    if (with_gradient) call.dx = unwritten(b, call.count);
    succeed(b, b->on->ops->pointwise_loss(b->on->self, &call));
    keep_number(b, "loss", loss);
    if (with_gradient) keep(b, "dx", call.dx, call.count);
}
