/* Update rules over dense arrays and chosen rows, and the sum of squares. */
#include "operations.h"

enum { MOST_ROWS = 4096 };

/* Every second or third row, out of `total`; NULL for all. */
static const int32_t *choose_rows(bench *b, int shape, int64_t total, int64_t *count)
{
    static int32_t rows[MOST_ROWS];
    *count = total;
    if (shape % 3 != 1) return NULL;
    *count = 0;
    for (int32_t row = (int32_t)draw(b, 2); row < total; row += 1 + (int32_t)draw(b, 3))
        rows[(*count)++] = row;
    if (*count == 0) rows[(*count)++] = 0;
    return rows;
}

/* Rows x width: odd small ones, then some for several threads. */
static void choose_size(bench *b, int shape, int shapes, int64_t *total, int64_t *width)
{
    int large = shape >= shapes - 12;
    *total = large ? 200 + draw(b, 400) : 1 + draw(b, 20);
    *width = large ? 100 + draw(b, 200) : 1 + draw(b, 40);
}

static void choose_rule(int shape, rki_update *call)
{
    call->rule = (rki_rule)(shape % 5);
    call->nesterov = shape >> 1 & 1;
    call->step = shape % 4 == 0 ? 1 : 1 + shape * shape;
    call->rate = 0.01;
    call->momentum = 0.9;
    call->beta1 = 0.9;
    call->beta2 = 0.999;
    call->alpha = 0.99;
    call->epsilon = 1e-6;
    call->weight_decay = shape % 4 >= 2 ? 0.1 : 0.0;
    call->clip_value = shape % 6 == 5 ? 0.4 : 0.0;
    call->gradient_scale = shape % 2 ? 0.7 : 1.0;
}

void run_update(bench *b, int shape)
{
    int64_t total, width;
    rki_update call = {.gradient_scale = 1.0};
    choose_size(b, shape, UPDATE_SHAPES, &total, &width);
    choose_rule(shape, &call);
    call.width = width;
    call.rows = choose_rows(b, shape, total, &call.row_count);
    int momentum = call.rule != RKI_SGD && call.rule != RKI_RMSPROP ? 1 : shape >> 2 & 1;
    int second = call.rule != RKI_SGD && call.rule != RKI_ADAGRAD;
    label(b, "rule=%d nesterov=%d step=%d decay=%g clip=%g rows=%d of %d width=%d buffers=%d",
        (int)call.rule, call.nesterov, (int)call.step, call.weight_decay, call.clip_value,
        (int)call.row_count, (int)total, (int)width, momentum + second);
    call.value = input(b, total * width, 1.0);
    call.gradient = input(b, total * width, 1.0);
    if (momentum) /* Adagrad's sum of squares is positive */
        call.first = call.rule == RKI_ADAGRAD ? input_positive(b, total * width, 1.0)
                                              : input(b, total * width, 0.1);
    if (second) call.second = input_positive(b, total * width, 0.1);
    succeed(b, b->on->ops->update(b->on->self, &call));
    keep(b, "value", call.value, total * width);
    keep(b, "gradient", call.gradient, total * width);
    if (momentum) keep(b, "first", call.first, total * width);
    if (second) keep(b, "second", call.second, total * width);
}

void run_square_sum(bench *b, int shape)
{
    int64_t total, width;
    double sum = 0.0;
    choose_size(b, shape, SQUARE_SUM_SHAPES, &total, &width);
    rki_square_sum call = {.width = width, .clip_value = shape % 2 ? 0.5 : 0.0, .sum = &sum};
    call.rows = choose_rows(b, shape, total, &call.row_count);
    label(b, "rows=%d of %d width=%d clip=%g", (int)call.row_count, (int)total, (int)width,
        call.clip_value);
    call.x = input(b, total * width, 1.0);
    succeed(b, b->on->ops->square_sum(b->on->self, 1, &call));
    keep_number(b, "sum", sum);
}
