/* Softmax cross-entropy, with and without bias, gradients and row losses. */
#include "operations.h"

enum { MOST_ROWS = 2048 };

static void choose_size(bench *b, int shape, rki_softmax_loss *call)
{
    static const int64_t large[][3] = {
        {700, 40, 999}, {1, 64, 5000}, {1500, 8, 67}, {513, 33, 300}};
    if (shape >= SOFTMAX_LOSS_SHAPES - 4) {
        const int64_t *size = large[shape - (SOFTMAX_LOSS_SHAPES - 4)];
        call->rows = size[0];
        call->inputs = size[1];
        call->classes = size[2];
    } else {
        call->rows = 1 + draw(b, 20);
        call->inputs = 1 + draw(b, 40);
        call->classes = shape < 36 ? shape + 1 : 1 + draw(b, 200);
    }
}

void run_softmax_loss(bench *b, int shape)
{
    static int32_t targets[MOST_ROWS];
    double loss = 0.0, steep = shape % 7 == 6 ? 40.0 : 1.0; /* steep: exp would overflow */
    int with_bias = shape & 1, with_gradients = shape % 5 != 4, with_row_loss = shape % 3 != 2;
    rki_softmax_loss call = {.scale = 0.3, .targets = targets, .loss = &loss};
    choose_size(b, shape, &call);
    label(b, "rows=%d inputs=%d classes=%d bias=%d gradients=%d row_loss=%d steep=%g",
        (int)call.rows, (int)call.inputs, (int)call.classes, with_bias, with_gradients,
        with_row_loss, steep);
    for (int64_t r = 0; r < call.rows; r++)
        targets[r] = (int32_t)draw(b, call.classes);
    call.x = input(b, call.rows * call.inputs, 1.0);
    call.weight = input(b, call.classes * call.inputs, steep);
    if (with_bias) call.bias = input(b, call.classes, 1.0);
    if (with_row_loss) call.row_loss = unwritten(b, call.rows);
    if (with_gradients) {
        call.dx = unwritten(b, call.rows * call.inputs);
        call.dweight = unwritten(b, call.classes * call.inputs);
        if (with_bias) call.dbias = unwritten(b, call.classes);
    }
    call.scratch = scratch(b, b->on->ops->softmax_loss_scratch(b->on->self, &call));
    succeed(b, b->on->ops->softmax_loss(b->on->self, &call));
    keep_number(b, "loss", loss);
    if (with_row_loss) keep(b, "row_loss", call.row_loss, call.rows);
    if (!with_gradients) return;
    keep(b, "dx", call.dx, call.rows * call.inputs);
    keep(b, "dweight", call.dweight, call.classes * call.inputs);
    if (with_bias) keep(b, "dbias", call.dbias, call.classes);
}
