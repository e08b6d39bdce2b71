/* Forward and backward pass of the recurrent layer, and single steps: hidden sizes 1 .. 70, batches
 * 1 .. 13, 1 .. 9 steps, five patterns of lengths, and every optional array there and not there. */
#include "operations.h"

#include <math.h>

enum { MOST_BATCH = 64 };

typedef struct layer {
    int64_t input, hidden;
    void *weight_ih, *weight_hh, *bias_ih, *bias_hh;
} layer;

static layer new_layer(bench *b, int64_t inputs, int64_t hidden, int with_bias)
{
    layer l = {.input = inputs, .hidden = hidden};
    l.weight_ih = input(b, 4 * hidden * inputs, 2.0 / sqrt((double)inputs));
    l.weight_hh = input(b, 4 * hidden * hidden, 2.0 / sqrt((double)hidden));
    if (with_bias) {
        l.bias_ih = input(b, 4 * hidden, 1.0);
        l.bias_hh = input(b, 4 * hidden, 1.0);
    }
    return l;
}

static rki_recurrent_size choose_size(bench *b, int shape)
{
    rki_recurrent_size size = {.steps = 1 + draw(b, 9), .batch = 1 + draw(b, 13)};
    size.hidden = 1 + shape % 70;
    size.input = 1 + draw(b, 70);
    if (shape >= RECURRENT_SHAPES - 4) { /* for several threads */
        size.batch = 24 + 8 * (shape % 5);
        size.hidden = 90 + shape % 41;
    }
    return size;
}

/* Pattern 0: none given; 1: all full; 2: any; 3: any, at least one row empty; 4: all empty. */
static const int32_t *choose_lengths(
    bench *b, int pattern, const rki_recurrent_size *size, int32_t lengths[MOST_BATCH])
{
    if (pattern == 0) return NULL;
    for (int64_t i = 0; i < size->batch; i++)
        lengths[i] = pattern == 1   ? (int32_t)size->steps
                     : pattern == 4 ? 0
                                    : (int32_t)draw(b, size->steps + 1);
    if (pattern == 3) lengths[draw(b, size->batch)] = 0;
    return lengths;
}

/* The gradients that were not asked for are left out of the outcome. */
static void run_backward(bench *b, int shape, const layer *l, const rki_recurrent_forward *forward)
{
    const rki_recurrent_size *s = &forward->size;
    int64_t state = s->batch * s->hidden, sequence = s->steps * state;
    int64_t x_count = s->steps * s->batch * s->input;
    rki_recurrent_backward call = {.size = *s,
        .lengths = forward->lengths,
        .x = forward->x,
        .weight_ih = l->weight_ih,
        .weight_hh = l->weight_hh,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .stash = forward->stash};
    call.dy = input(b, sequence, 1.0);
    if (shape % 3 != 0) call.dhn = input(b, state, 1.0);
    if (shape % 3 == 1) call.dcn = input(b, state, 1.0);
    if (shape % 4 != 3) call.dx = unwritten(b, x_count);
    if (shape % 5 != 4) call.dh0 = unwritten(b, state);
    if (shape % 5 != 3) call.dc0 = unwritten(b, state);
    call.dweight_ih = input(b, 4 * s->hidden * s->input, 1.0);
    call.dweight_hh = input(b, 4 * s->hidden * s->hidden, 1.0);
    if (l->bias_ih) {
        call.dbias_ih = input(b, 4 * s->hidden, 1.0);
        call.dbias_hh = input(b, 4 * s->hidden, 1.0);
    }
    call.scratch = scratch(b, b->on->ops->recurrent_backward_scratch(b->on->self, s));
    succeed(b, b->on->ops->recurrent_backward(b->on->self, &call));
    if (call.dx) keep(b, "dx", call.dx, x_count);
    if (call.dh0) keep(b, "dh0", call.dh0, state);
    if (call.dc0) keep(b, "dc0", call.dc0, state);
    keep(b, "dweight_ih", call.dweight_ih, 4 * s->hidden * s->input);
    keep(b, "dweight_hh", call.dweight_hh, 4 * s->hidden * s->hidden);
    if (!l->bias_ih) return;
    keep(b, "dbias_ih", call.dbias_ih, 4 * s->hidden);
    keep(b, "dbias_hh", call.dbias_hh, 4 * s->hidden);
}

void run_recurrent(bench *b, int shape)
{
    int32_t lengths[MOST_BATCH];
    rki_recurrent_size size = choose_size(b, shape);
    size.training = shape % 6 != 5;
    int with_bias = shape % 4 != 2, pattern = shape % 9 < 5 ? shape % 9 : 2;
    int64_t state = size.batch * size.hidden;
    label(b, "T=%d B=%d I=%d H=%d lengths=%d bias=%d training=%d", (int)size.steps, (int)size.batch,
        (int)size.input, (int)size.hidden, pattern, with_bias, size.training);
    layer l = new_layer(b, size.input, size.hidden, with_bias);
    rki_recurrent_forward call = {.size = size,
        .weight_ih = l.weight_ih,
        .weight_hh = l.weight_hh,
        .bias_ih = l.bias_ih,
        .bias_hh = l.bias_hh};
    call.lengths = choose_lengths(b, pattern, &size, lengths);
    call.x = input(b, size.steps * size.batch * size.input, 1.0);
    call.h0 = input(b, state, 1.0);
    call.c0 = input(b, state, 1.0);
    call.y = unwritten(b, size.steps * state);
    call.hn = unwritten(b, state);
    call.cn = unwritten(b, state);
    call.stash = scratch(b, b->on->ops->recurrent_stash(b->on->self, &size));
    call.scratch = scratch(b, b->on->ops->recurrent_forward_scratch(b->on->self, &size));
    succeed(b, b->on->ops->recurrent_forward(b->on->self, &call));
    keep(b, "y", call.y, size.steps * state);
    keep(b, "hn", call.hn, state);
    keep(b, "cn", call.cn, state);
    if (size.training) run_backward(b, shape, &l, &call);
}

void run_recurrent_step(bench *b, int shape)
{
    int64_t batch = shape % 5 == 4 ? 1 + draw(b, 40) : 1 + shape % 3;
    layer l = new_layer(b, 1 + draw(b, 70), 1 + shape, shape % 4 != 2);
    rki_recurrent_step call = {.batch = batch,
        .input = l.input,
        .hidden = l.hidden,
        .weight_ih = l.weight_ih,
        .weight_hh = l.weight_hh,
        .bias_ih = l.bias_ih,
        .bias_hh = l.bias_hh};
    label(b, "B=%d I=%d H=%d bias=%d", (int)batch, (int)l.input, (int)l.hidden, l.bias_ih != NULL);
    call.x = input(b, batch * l.input, 1.0);
    call.h = input(b, batch * l.hidden, 1.0);
    call.c = input(b, batch * l.hidden, 1.0);
    call.scratch =
        scratch(b, b->on->ops->recurrent_step_scratch(b->on->self, batch, l.input, l.hidden));
    succeed(b, b->on->ops->recurrent_step(b->on->self, &call));
    keep(b, "h", call.h, batch * l.hidden);
    keep(b, "c", call.c, batch * l.hidden);
}
