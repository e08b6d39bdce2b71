/* Recurrent layers as large as those of programs: more hidden units than one block of threads, core
 * or cache has room for, and more rows than there are groups of them. LSTMs, then the other cells,
 * without options, forward and backward, with and without lengths. */
#include "operations.h"

#include <math.h>

enum { MOST_BATCH = 512 };

static const int64_t sizes[][4] = {/* steps, batch, input, hidden */
    {6, 5, 12, 256}, {4, 3, 8, 450}, {5, 2, 4, 900}, {4, 400, 8, 96}, {9, 64, 20, 130},
    {4, 2, 6, 1200}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void run_backward(bench *b, const rki_recurrent_forward *forward)
{
    const rki_recurrent *layer = &forward->layer;
    int64_t state = layer->batch * layer->hidden;
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    int lstm = layer->cell == RKI_CELL_LSTM;
    int64_t x_count = layer->steps * layer->batch * layer->input;
    rki_recurrent_backward call = {.layer = *layer,
        .weights = forward->weights,
        .x = forward->x,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .ldy = forward->ldy,
        .stash = forward->stash,
        .lddy = layer->hidden};
    call.dy = input(b, layer->steps * state, 1.0);
    call.dhn = input(b, state, 1.0);
    if (lstm) call.dcn = input(b, state, 1.0);
    call.dx = unwritten(b, x_count);
    call.dh0 = unwritten(b, state);
    if (lstm) call.dc0 = unwritten(b, state);
    call.gradients.weight_ih = input(b, gates * layer->input, 0.0);
    call.gradients.weight_hh = input(b, gates * layer->hidden, 0.0);
    call.gradients.bias_ih = input(b, gates, 0.0);
    call.gradients.bias_hh = input(b, gates, 0.0);
    call.scratch = scratch(b, b->on->ops->recurrent_backward_scratch(b->on->self, layer));
    succeed(b, b->on->ops->recurrent_backward(b->on->self, &call));
    keep(b, "dx", call.dx, x_count);
    keep(b, "dh0", call.dh0, state);
    if (lstm) keep(b, "dc0", call.dc0, state);
    keep(b, "dweight_ih", call.gradients.weight_ih, gates * layer->input);
    keep(b, "dweight_hh", call.gradients.weight_hh, gates * layer->hidden);
    keep(b, "dbias_hh", call.gradients.bias_hh, gates);
}

void run_recurrent_large(bench *b, int shape)
{
    static int32_t lengths[MOST_BATCH];
    static const rki_cell cells[] = {RKI_CELL_LSTM, RKI_CELL_LSTM, RKI_CELL_GRU, RKI_CELL_TANH};
    const int64_t *size = sizes[shape % SIZES];
    rki_recurrent layer = {.cell = cells[shape / SIZES],
        .steps = size[0],
        .batch = size[1],
        .input = size[2],
        .hidden = size[3],
        .output = size[3],
        .reverse = shape % 4 == 3,
        .training = 1};
    int with_lengths = shape / SIZES == 1 || (shape / SIZES > 1 && shape % 2),
        lstm = layer.cell == RKI_CELL_LSTM;
    for (int64_t i = 0; i < layer.batch; i++)
        lengths[i] = (int32_t)draw(b, layer.steps + 1);
    if (with_lengths) layer.lengths = lengths;
    label(b, "cell=%d T=%d B=%d I=%d H=%d reverse=%d lengths=%d", (int)layer.cell, (int)layer.steps,
        (int)layer.batch, (int)layer.input, (int)layer.hidden, layer.reverse, with_lengths);
    int64_t state = layer.batch * layer.hidden;
    int64_t gates = rki_cell_gates(layer.cell) * layer.hidden;
    rki_recurrent_forward call = {.layer = layer, .ldy = layer.hidden};
    call.weights.weight_ih = input(b, gates * layer.input, 2.0 / sqrt((double)layer.input));
    call.weights.weight_hh = input(b, gates * layer.hidden, 2.0 / sqrt((double)layer.hidden));
    call.weights.bias_ih = input(b, gates, 1.0);
    call.weights.bias_hh = input(b, gates, 1.0);
    call.x = input(b, layer.steps * layer.batch * layer.input, 1.0);
    call.h0 = input(b, state, 1.0);
    if (lstm) call.c0 = input(b, state, 1.0);
    call.y = unwritten(b, layer.steps * state);
    call.hn = unwritten(b, state);
    if (lstm) call.cn = unwritten(b, state);
    call.stash = scratch(b, b->on->ops->recurrent_stash(b->on->self, &layer));
    call.scratch = scratch(b, b->on->ops->recurrent_forward_scratch(b->on->self, &layer));
    succeed(b, b->on->ops->recurrent_forward(b->on->self, &call));
    keep(b, "y", call.y, layer.steps * state);
    keep(b, "hn", call.hn, state);
    if (lstm) keep(b, "cn", call.cn, state);
    run_backward(b, &call);
}
