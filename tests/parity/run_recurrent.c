/* Forward and backward pass of the recurrent layer, and single steps: every cell with its options,
 * hidden sizes 1 .. 70, batches 1 .. 13, 1 .. 9 steps, both directions, patterns of lengths and of
 * padding in front, and every optional array there and not there. */
#include "operations.h"

#include <math.h>

enum { MOST_BATCH = 64 };

static rki_recurrent_weights new_weights(bench *b, const rki_recurrent *layer, int with_bias)
{
    int64_t rows = rki_cell_gates(layer->cell) * layer->hidden;
    int lstm = layer->cell == RKI_CELL_LSTM;
    rki_recurrent_weights w = {0};
    w.weight_ih = weight(b, rows, layer->input, 2.0 / sqrt((double)layer->input));
    w.weight_hh = weight(b, rows, layer->output, 2.0 / sqrt((double)layer->output));
    if (with_bias) {
        w.bias_ih = input(b, rows, 1.0);
        w.bias_hh = input(b, rows, 1.0);
    }
    if (layer->output < layer->hidden)
        w.weight_hr = weight(b, layer->output, layer->hidden, 2.0 / sqrt((double)layer->hidden));
    if (layer->layer_norm) {
        /* Small: layer norm over few units may divide by next to nothing, and time goes on from there. */
        w.norm_ih = input(b, rows, 0.3);
        w.norm_hh = input(b, rows, 0.3);
    }
    if (layer->layer_norm && lstm) {
        w.norm_c = input(b, layer->hidden, 1.0);
        w.norm_c_bias = input(b, layer->hidden, 1.0);
    }
    return w;
}

/* Cell and options, which go through all of their combinations as the shape counts up. */
static rki_recurrent choose_kind(int shape)
{
    static const rki_cell cells[] = {
        RKI_CELL_LSTM, RKI_CELL_GRU, RKI_CELL_TANH, RKI_CELL_GRU_BEFORE, RKI_CELL_RELU};
    rki_recurrent layer = {.cell = cells[shape % 5]};
    int option = shape / 5 % 8; /* 0 .. 3: none */
    layer.layer_norm = layer.cell != RKI_CELL_GRU_BEFORE && (option == 4 || option == 7);
    layer.zoneout_h = option == 5 || option == 7 ? 0.3 : 0.0;
    layer.zoneout_c = layer.cell == RKI_CELL_LSTM && option >= 6 ? 0.45 : 0.0;
    layer.random = (rki_random){.seed = 77, .purpose = RKI_PURPOSE_DROPOUT, .stream = 5};
    layer.random_step = (uint64_t)shape;
    layer.hidden = 1 + shape % 70;
    layer.output = layer.hidden;
    if (layer.cell == RKI_CELL_LSTM && shape / 5 % 3 == 2) layer.output = (layer.hidden + 1) / 2;
    return layer;
}

static rki_recurrent choose_layer(bench *b, int shape)
{
    rki_recurrent layer = choose_kind(shape);
    layer.steps = 1 + draw(b, 9);
    layer.batch = 1 + draw(b, 13);
    layer.input = 1 + draw(b, 70);
    layer.reverse = shape / 7 % 2;
    if (shape >= RECURRENT_SHAPES - 8) { /* for several threads */
        layer.batch = 24 + 8 * (shape % 5);
        layer.hidden = 90 + shape % 41;
        layer.output = layer.hidden;
    }
    return layer;
}

/* Pattern 0: none given; 1: all full; 2: any; 3: any, at least one row empty; 4: all empty; 5: any,
 * behind padding; 6: to the end, behind padding. */
static void choose_lengths(bench *b, int pattern, rki_recurrent *layer, int32_t lengths[MOST_BATCH],
    int32_t starts[MOST_BATCH])
{
    if (pattern == 0) return;
    for (int64_t i = 0; i < layer->batch; i++) {
        lengths[i] = pattern == 1   ? (int32_t)layer->steps
                     : pattern == 4 ? 0
                                    : (int32_t)draw(b, layer->steps + 1);
        starts[i] = (int32_t)draw(b, layer->steps - lengths[i] + 1);
        if (pattern == 6) starts[i] = (int32_t)layer->steps - lengths[i];
    }
    if (pattern == 3) lengths[draw(b, layer->batch)] = 0;
    if (pattern != 6) layer->lengths = lengths;
    if (pattern >= 5) layer->starts = starts;
}

static rki_recurrent_gradients new_gradients(
    bench *b, const rki_recurrent *layer, const rki_recurrent_weights *w)
{
    int64_t rows = rki_cell_gates(layer->cell) * layer->hidden;
    rki_recurrent_gradients g = {0};
    g.weight_ih = input(b, rows * layer->input, 1.0);
    g.weight_hh = input(b, rows * layer->output, 1.0);
    if (w->bias_ih) {
        g.bias_ih = input(b, rows, 1.0);
        g.bias_hh = input(b, rows, 1.0);
    }
    if (w->weight_hr) g.weight_hr = input(b, layer->output * layer->hidden, 1.0);
    if (w->norm_ih) {
        g.norm_ih = input(b, rows, 1.0);
        g.norm_hh = input(b, rows, 1.0);
    }
    if (w->norm_c) {
        g.norm_c = input(b, layer->hidden, 1.0);
        g.norm_c_bias = input(b, layer->hidden, 1.0);
    }
    return g;
}

static void keep_gradients(bench *b, const rki_recurrent *layer, const rki_recurrent_gradients *g)
{
    int64_t rows = rki_cell_gates(layer->cell) * layer->hidden;
    keep(b, "dweight_ih", g->weight_ih, rows * layer->input);
    keep(b, "dweight_hh", g->weight_hh, rows * layer->output);
    if (g->bias_ih) {
        keep(b, "dbias_ih", g->bias_ih, rows);
        keep(b, "dbias_hh", g->bias_hh, rows);
    }
    if (g->weight_hr) keep(b, "dweight_hr", g->weight_hr, layer->output * layer->hidden);
    if (g->norm_ih) {
        keep(b, "dnorm_ih", g->norm_ih, rows);
        keep(b, "dnorm_hh", g->norm_hh, rows);
    }
    if (g->norm_c) {
        keep(b, "dnorm_c", g->norm_c, layer->hidden);
        keep(b, "dnorm_c_bias", g->norm_c_bias, layer->hidden);
    }
}

/* The gradients that were not asked for are left out of the outcome. */
static void run_backward(bench *b, int shape, const rki_recurrent_forward *forward)
{
    const rki_recurrent *layer = &forward->layer;
    int64_t h_count = layer->batch * layer->output, c_count = layer->batch * layer->hidden;
    int64_t x_count = layer->steps * layer->batch * layer->input;
    int lstm = layer->cell == RKI_CELL_LSTM;
    rki_recurrent_backward call = {.layer = *layer,
        .weights = forward->weights,
        .x = forward->x,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .ldy = forward->ldy,
        .stash = forward->stash};
    call.lddy = layer->output + (shape % 4 == 1 ? 3 : 0);
    call.dy = input(b, layer->steps * layer->batch * call.lddy, 1.0);
    if (shape % 3 != 0) call.dhn = input(b, h_count, 1.0);
    if (shape % 3 == 1 && lstm) call.dcn = input(b, c_count, 1.0);
    call.accumulate_dx = shape % 7 == 2;
    if (shape % 4 != 3)
        call.dx = call.accumulate_dx ? input(b, x_count, 1.0) : unwritten(b, x_count);
    if (shape % 6 != 4) call.dh0 = unwritten(b, h_count);
    if (shape % 6 != 3 && lstm) call.dc0 = unwritten(b, c_count);
    call.gradients = new_gradients(b, layer, &forward->weights);
    call.scratch = scratch(b, b->on->ops->recurrent_backward_scratch(b->on->self, layer));
    succeed(b, b->on->ops->recurrent_backward(b->on->self, &call));
    if (call.dx) keep(b, "dx", call.dx, x_count);
    if (call.dh0) keep(b, "dh0", call.dh0, h_count);
    if (call.dc0) keep(b, "dc0", call.dc0, c_count);
    keep_gradients(b, layer, &call.gradients);
}

static void run_gates(bench *b, const rki_recurrent_forward *forward)
{
    const rki_recurrent *layer = &forward->layer;
    int64_t rows = layer->steps * layer->batch;
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    rki_recurrent_gates call = {
        .layer = *layer, .stash = forward->stash, .y = forward->y, .ldy = forward->ldy};
    call.gates = unwritten(b, rows * gates);
    if (layer->cell == RKI_CELL_LSTM) call.cells = unwritten(b, rows * layer->hidden);
    succeed(b, b->on->ops->recurrent_gates(b->on->self, &call));
    keep(b, "gates", call.gates, rows * gates);
    if (call.cells) keep(b, "cells", call.cells, rows * layer->hidden);
}

/* y with whatever stands between its rows: an operation leaves that alone. */
static void *new_output(bench *b, int64_t rows, int64_t width, int64_t stride)
{
    return stride == width ? unwritten(b, rows * width) : input(b, rows * stride, 1.0);
}

void run_recurrent(bench *b, int shape)
{
    int32_t lengths[MOST_BATCH], starts[MOST_BATCH];
    rki_recurrent layer = choose_layer(b, shape);
    layer.training = shape % 6 != 5 && b->format == RKI_PLAIN;
    layer.format = held(b);
    int with_bias = shape % 4 != 2, pattern = shape % 11 < 7 ? shape % 11 : 2;
    int lstm = layer.cell == RKI_CELL_LSTM;
    int64_t h_count = layer.batch * layer.output, c_count = layer.batch * layer.hidden;
    label(b,
        "cell=%d T=%d B=%d I=%d H=%d P=%d reverse=%d norm=%d zoneout=%g,%g lengths=%d bias=%d "
        "training=%d",
        (int)layer.cell, (int)layer.steps, (int)layer.batch, (int)layer.input, (int)layer.hidden,
        (int)layer.output, layer.reverse, layer.layer_norm, layer.zoneout_h, layer.zoneout_c,
        pattern, with_bias, layer.training);
    choose_lengths(b, pattern, &layer, lengths, starts);
    rki_recurrent_forward call = {.layer = layer, .weights = new_weights(b, &layer, with_bias)};
    call.x = input(b, layer.steps * layer.batch * layer.input, 1.0);
    call.h0 = input(b, h_count, 1.0);
    if (lstm) call.c0 = input(b, c_count, 1.0);
    call.ldy = layer.output + (shape % 3 == 1 ? 5 : 0);
    call.y = new_output(b, layer.steps * layer.batch, layer.output, call.ldy);
    call.hn = unwritten(b, h_count);
    if (lstm) call.cn = unwritten(b, c_count);
    call.stash = scratch(b, b->on->ops->recurrent_stash(b->on->self, &layer));
    call.scratch = scratch(b, b->on->ops->recurrent_forward_scratch(b->on->self, &layer));
    succeed(b, b->on->ops->recurrent_forward(b->on->self, &call));
    keep(b, "y", call.y, layer.steps * layer.batch * call.ldy);
    keep(b, "hn", call.hn, h_count);
    if (lstm) keep(b, "cn", call.cn, c_count);
    if (!layer.training) return;
    run_gates(b, &call);
    run_backward(b, shape, &call);
}

void run_recurrent_step(bench *b, int shape)
{
    rki_recurrent layer = choose_kind(shape);
    layer.steps = 1;
    layer.format = held(b);
    layer.batch = shape % 7 == 4 ? 1 + draw(b, 40) : 1 + shape % 3;
    layer.input = 1 + draw(b, 70);
    int lstm = layer.cell == RKI_CELL_LSTM;
    rki_recurrent_step call = {.layer = layer, .weights = new_weights(b, &layer, shape % 4 != 2)};
    label(b, "cell=%d B=%d I=%d H=%d P=%d bias=%d", (int)layer.cell, (int)layer.batch,
        (int)layer.input, (int)layer.hidden, (int)layer.output, call.weights.bias_ih != NULL);
    call.x = input(b, layer.batch * layer.input, 1.0);
    call.h = input(b, layer.batch * layer.output, 1.0);
    if (lstm) call.c = input(b, layer.batch * layer.hidden, 1.0);
    call.scratch = scratch(b, b->on->ops->recurrent_step_scratch(b->on->self, &layer));
    succeed(b, b->on->ops->recurrent_step(b->on->self, &call));
    keep(b, "h", call.h, layer.batch * layer.output);
    if (lstm) keep(b, "c", call.c, layer.batch * layer.hidden);
}

void run_pool(bench *b, int shape)
{
    int32_t lengths[MOST_BATCH], starts[MOST_BATCH];
    static const rki_pooling poolings[] = {RKI_POOL_LAST, RKI_POOL_MEAN, RKI_POOL_MAX};
    rki_recurrent places = {.steps = 1 + draw(b, 9), .batch = 1 + draw(b, 13)};
    rki_pool call = {.pooling = poolings[shape % 3], .width = 1 + draw(b, 40)};
    choose_lengths(b, shape % 7, &places, lengths, starts);
    call.steps = places.steps;
    call.batch = places.batch;
    call.forward = draw(b, call.width + 1);
    call.starts = places.starts;
    call.lengths = places.lengths;
    label(b, "pooling=%d T=%d B=%d width=%d forward=%d lengths=%d", (int)call.pooling,
        (int)call.steps, (int)call.batch, (int)call.width, (int)call.forward, shape % 7);
    call.x = input(b, call.steps * call.batch * call.width, 1.0);
    call.out = unwritten(b, call.batch * call.width);
    succeed(b, b->on->ops->pool(b->on->self, &call));
    keep(b, "out", call.out, call.batch * call.width);
    rki_pool_backward back = {.forward = call};
    back.dout = input(b, call.batch * call.width, 1.0);
    back.dx = unwritten(b, call.steps * call.batch * call.width);
    succeed(b, b->on->ops->pool_backward(b->on->self, &back));
    keep(b, "dx", back.dx, call.steps * call.batch * call.width);
}
