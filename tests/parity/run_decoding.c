/* The cell both ways, LSTM and GRU, tanh both ways, and the most likely classes. */
#include "operations.h"

enum { MOST_ROWS = 64, MOST_COUNT = 16, BANNED = 3 };

void run_cell(bench *b, int shape)
{
    int64_t batch = 1 + draw(b, 9), hidden = shape < 40 ? 1 + shape : 60 + draw(b, 400);
    if (shape >= CELL_SHAPES - 4) batch = 40 + shape; /* for several threads */
    int64_t count = batch * hidden;
    rki_cell_forward forward = {.gru = shape % 3 == 1, .batch = batch, .hidden = hidden};
    int64_t gates = forward.gru ? 3 : 4;
    label(b, "B=%d H=%d gru=%d", (int)batch, (int)hidden, forward.gru);
    forward.z = input(b, gates * count, 3.0);
    if (forward.gru) {
        forward.reset = input(b, count, 1.0);
        forward.h_before = input(b, count, 1.0);
    } else {
        forward.c_before = input(b, count, 1.0);
        forward.c = unwritten(b, count);
    }
    forward.h = unwritten(b, count);
    succeed(b, b->on->ops->cell_forward(b->on->self, &forward));
    keep(b, "gates", forward.z, gates * count);
    keep(b, "h", forward.h, count);
    if (forward.c) keep(b, "c", forward.c, count);
    rki_cell_backward backward = {.gru = forward.gru,
        .batch = batch,
        .hidden = hidden,
        .gates = forward.z,
        .reset = forward.reset,
        .h_before = forward.h_before,
        .c_before = forward.c_before,
        .c = forward.c};
    backward.dh = input(b, count, 1.0);
    backward.carry = forward.gru ? unwritten(b, count) : input(b, count, 1.0);
    backward.dz = unwritten(b, gates * count);
    if (forward.gru) backward.dn = unwritten(b, count);
    succeed(b, b->on->ops->cell_backward(b->on->self, &backward));
    keep(b, "dz", backward.dz, gates * count);
    keep(b, "carry", backward.carry, count);
    if (forward.gru) keep(b, "dn", backward.dn, count);
}

void run_tanh(bench *b, int shape)
{
    int64_t count = shape < 20 ? 1 + 3 * shape : 16000 + 777 * shape;
    label(b, "count=%d", (int)count);
    void *x = input(b, count, 4.0), *dy = input(b, count, 1.0);
    int in_place = shape & 1;
    void *y = in_place ? x : unwritten(b, count), *dx = in_place ? dy : unwritten(b, count);
    succeed(b, b->on->ops->tanh(b->on->self, count, x, y));
    succeed(b, b->on->ops->tanh_backward(b->on->self, count, y, dy, dx));
    keep(b, "y", y, count);
    keep(b, "dx", dx, count);
}

/* Logits in steps, so that some are equal; the ids are compared as numbers. */
void run_top(bench *b, int shape)
{
    int32_t ids[MOST_ROWS * MOST_COUNT], banned[BANNED];
    double values[MOST_ROWS * MOST_COUNT], logits[8192];
    int64_t rows = 1 + draw(b, 8), classes = shape < 30 ? 4 + shape : 100 + draw(b, 900);
    rki_top call = {.rows = rows, .classes = classes, .ids = ids, .values = values};
    call.banned_count = shape % (BANNED + 1);
    call.count = 1 + draw(b, classes - call.banned_count);
    if (call.count > MOST_COUNT) call.count = MOST_COUNT;
    for (int64_t i = 0; i < call.banned_count; i++)
        banned[i] = (int32_t)(i + draw(b, classes / BANNED) * BANNED);
    call.banned = banned;
    label(b, "rows=%d classes=%d count=%d banned=%d", (int)rows, (int)classes, (int)call.count,
        (int)call.banned_count);
    for (int64_t i = 0; i < rows * classes; i++)
        logits[i] = (double)draw(b, 40) / 8.0;
    call.x = upload(b, logits, rows * classes);
    succeed(b, b->on->ops->top(b->on->self, &call));
    for (int64_t i = 0; i < rows * call.count; i++)
        logits[i] = (double)ids[i];
    keep(b, "ids", upload(b, logits, rows * call.count), rows * call.count);
    keep(b, "values", upload(b, values, rows * call.count), rows * call.count);
}
