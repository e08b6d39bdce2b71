/* A decoder's steps, for training and search alike. See decoder.h. */
#include "nn/decoder.h"

static int64_t rows_of(const rki_decoder_arrays *a)
{
    return a->queries * a->batch;
}

/* Arrays. */

static int32_t take_layers(
    rnnkit_tape *tape, const rki_decoder_layer *d, int64_t count, void ***out)
{
    void *block;
    RKI_TRY(rki_tape_host(tape, d->settings.layers, sizeof(void *), &block));
    *out = block;
    for (int64_t l = 0; l < d->settings.layers; l++)
        RKI_TRY(rki_tape_device(tape, count, &(*out)[l]));
    return RNNKIT_OK;
}

int32_t rki_decoder_take(rnnkit_tape *tape, const rki_decoder_layer *d, int64_t positions,
    int dropout, rki_decoder_arrays *a)
{
    int64_t step = rows_of(a), all = a->steps * step;
    const rki_device *device = tape->device;
    RKI_TRY(take_layers(tape, d, (all + step) * d->hidden, &a->h));
    if (d->settings.gru)
        RKI_TRY(take_layers(tape, d, all * d->hidden, &a->reset));
    else
        RKI_TRY(take_layers(tape, d, (all + step) * d->hidden, &a->c));
    RKI_TRY(take_layers(tape, d, all * rki_decoder_gates(d) * d->hidden, &a->z));
    if (dropout) RKI_TRY(take_layers(tape, d, all * d->hidden, &a->dropped));
    if (d->attention.query) RKI_TRY(rki_tape_device(tape, all * d->attention.width, &a->q));
    if (d->attention.center) {
        RKI_TRY(rki_tape_device(tape, all * d->attention.width, &a->position));
        RKI_TRY(rki_tape_device(tape, all, &a->centers));
    }
    if (a->seen == NULL) RKI_TRY(rki_tape_device(tape, all * positions, &a->seen));
    RKI_TRY(rki_tape_device(tape, all * d->memory, &a->context));
    if (!rki_decoder_feeds_output(d)) return RNNKIT_OK;
    void *zeros;
    RKI_TRY(rki_tape_device(tape, step * d->output, &zeros));
    a->first_fed = zeros;
    return device->ops->zero(device->self, zeros, rki_device_bytes(device, step * d->output));
}

rki_dropout rki_decoder_mask(
    const rki_decoder_masks *masks, const rki_decoder_layer *d, int64_t t, int64_t l, int64_t rows)
{
    rki_dropout call = {.count = rows * d->hidden,
        .rate = d->settings.dropout,
        .random = masks->random,
        .step = masks->step};
    call.random.stream += (uint32_t)(t * (d->settings.layers - 1) + l - 1);
    return call;
}

/* Steps. */

static int32_t start_part(rnnkit_tape *tape, const rki_decoder_layer *d, const void *start,
    int64_t l, int64_t part, int64_t rows, void *out)
{
    const rki_device *device = tape->device;
    int64_t count = rows * d->hidden;
    if (start == NULL) return device->ops->zero(device->self, out, rki_device_bytes(device, count));
    RKI_TRY(rki_columns_product(tape, rki_decoder_starts(d, l, part), rows, start,
        d->first[l * rki_decoder_states(d) + part].bias, 0, out));
    return device->ops->tanh(device->self, count, out, out);
}

int32_t rki_decoder_start(
    rnnkit_tape *tape, const rki_decoder_layer *d, const void *start, const rki_decoder_arrays *a)
{
    for (int64_t l = 0; l < d->settings.layers; l++) {
        RKI_TRY(start_part(tape, d, start, l, 0, rows_of(a), a->h[l]));
        if (!d->settings.gru) RKI_TRY(start_part(tape, d, start, l, 1, rows_of(a), a->c[l]));
    }
    return RNNKIT_OK;
}

int32_t rki_decoder_read(rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a)
{
    return rki_columns_product(tape, rki_decoder_reads_x(d), a->steps * rows_of(a), a->x,
        d->weights[0].bias_ih, 0, a->z[0]);
}

/* context and weights of step t, from the top layer's state `h`. */
static int32_t look(rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_source *source,
    const rki_decoder_arrays *a, int64_t t, const void *h)
{
    int64_t rows = rows_of(a), at = t * rows;
    rki_attention call =
        rki_attention_call(&d->attention, a->queries, source->positions, source->batch, d->memory);
    void *room = a->q ? rki_tape_at(tape, a->q, at * d->attention.width) : NULL;
    RKI_TRY(rki_attention_query(tape, &d->attention, rows, h, room, &call.q));
    if (d->attention.center) {
        void *centers = rki_tape_at(tape, a->centers, at);
        RKI_TRY(rki_attention_center(tape, &d->attention, rows, h,
            rki_tape_at(tape, a->position, at * d->attention.width), centers));
        call.centers = centers;
    }
    call.keys = source->keys;
    call.values = source->memory;
    call.lengths = source->lengths;
    rki_attention_forward forward = {call, rki_tape_at(tape, a->seen, at * source->positions),
        rki_tape_at(tape, a->context, at * d->memory)};
    return tape->device->ops->attention_forward(tape->device->self, &forward);
}

/* What the layer below gives to layer l > 0 at step t. */
static int32_t read_below(rnnkit_tape *tape, const rki_decoder_layer *d,
    const rki_decoder_arrays *a, const rki_decoder_masks *masks, int64_t t, int64_t l, void *z)
{
    int64_t rows = rows_of(a), width = rows * d->hidden;
    const void *x = rki_tape_at(tape, a->h[l - 1], (t + 1) * width);
    if (a->dropped) {
        rki_dropout call = rki_decoder_mask(masks, d, t, l, rows);
        call.x = x;
        call.y = rki_tape_at(tape, a->dropped[l], t * width);
        RKI_TRY(tape->device->ops->dropout(tape->device->self, &call));
        x = call.y;
    }
    return rki_columns_product(
        tape, rki_decoder_reads_below(d, l), rows, x, d->weights[l].bias_ih, 0, z);
}

static int32_t read_fed(
    rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a, int64_t t, void *z)
{
    int64_t rows = rows_of(a);
    const void *fed = rki_tape_at(tape, a->context, t * rows * d->memory);
    if (d->fed == 0) return RNNKIT_OK;
    if (rki_decoder_feeds_output(d))
        fed = t == 0 ? a->first_fed : rki_tape_at(tape, a->out, (t - 1) * rows * d->output);
    return rki_columns_product(tape, rki_decoder_reads_fed(d), rows, fed, NULL, 1, z);
}

static int32_t run_layer(rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a,
    const rki_decoder_masks *masks, int64_t t, int64_t l)
{
    int64_t rows = rows_of(a), width = rows * d->hidden;
    void *z = rki_tape_at(tape, a->z[l], t * rki_decoder_gates(d) * width);
    void *reset = d->settings.gru ? rki_tape_at(tape, a->reset[l], t * width) : NULL;
    rki_cell_forward call = {.gru = d->settings.gru,
        .batch = rows,
        .hidden = d->hidden,
        .z = z,
        .reset = reset,
        .h_before = rki_tape_at(tape, a->h[l], t * width),
        .h = rki_tape_at(tape, a->h[l], (t + 1) * width)};
    if (!d->settings.gru) {
        call.c_before = rki_tape_at(tape, a->c[l], t * width);
        call.c = rki_tape_at(tape, a->c[l], (t + 1) * width);
    }
    RKI_TRY(l == 0 ? read_fed(tape, d, a, t, z) : read_below(tape, d, a, masks, t, l, z));
    RKI_TRY(rki_decoder_recur(tape, d, l, rows, call.h_before, z, reset));
    return tape->device->ops->cell_forward(tape->device->self, &call);
}

/* out = tanh(Wc [context; h; x] + b) from step `first` on. */
static int32_t combine(rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a,
    int64_t first, int64_t steps)
{
    int64_t rows = rows_of(a), at = first * rows, count = steps * rows;
    const void *h = a->h[d->settings.layers - 1];
    void *out = rki_tape_at(tape, a->out, at * d->output);
    RKI_TRY(rki_columns_product(tape, rki_decoder_combines_context(d), count,
        rki_tape_at(tape, a->context, at * d->memory), d->combine_bias, 0, out));
    RKI_TRY(rki_columns_product(tape, rki_decoder_combines_h(d), count,
        rki_tape_at(tape, h, (at + rows) * d->hidden), NULL, 1, out));
    if (d->settings.style == RKI_BAHDANAU)
        RKI_TRY(rki_columns_product(tape, rki_decoder_combines_x(d), count,
            rki_tape_at(tape, a->x, at * d->inputs), NULL, 1, out));
    return tape->device->ops->tanh(tape->device->self, count * d->output, out, out);
}

int32_t rki_decoder_step(rnnkit_tape *tape, const rki_decoder_layer *d,
    const rki_decoder_source *source, const rki_decoder_arrays *a, const rki_decoder_masks *masks,
    int64_t t)
{
    int64_t layers = d->settings.layers, width = rows_of(a) * d->hidden;
    const void *top = a->h[layers - 1];
    if (d->settings.style == RKI_BAHDANAU)
        RKI_TRY(look(tape, d, source, a, t, rki_tape_at(tape, top, t * width)));
    for (int64_t l = 0; l < layers; l++)
        RKI_TRY(run_layer(tape, d, a, masks, t, l));
    if (d->settings.style == RKI_LUONG)
        RKI_TRY(look(tape, d, source, a, t, rki_tape_at(tape, top, (t + 1) * width)));
    return rki_decoder_feeds_output(d) ? combine(tape, d, a, t, 1) : RNNKIT_OK;
}

int32_t rki_decoder_finish(
    rnnkit_tape *tape, const rki_decoder_layer *d, const rki_decoder_arrays *a)
{
    return rki_decoder_feeds_output(d) ? RNNKIT_OK : combine(tape, d, a, 0, a->steps);
}
