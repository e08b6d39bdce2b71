/* A decoder's gradients, back through its steps; see decoder.h.
 *
 * d is the gradient of out before its tanh. From the last step to the first, luong does: d (with
 * feeding also from step t + 1), what it gives to context and h, the attention's query, the layers
 * from the top down. Bahdanau, whose d is known for all steps at once, does the layers first; what
 * the first layer sends to its context joins that of d; then the attention's query adds to the h of
 * the step before. Each step leaves d, dz, dq, dscores and dcontext: weights, keys and memory take
 * these of all steps at once.
 */
#include "nn/decoder.h"

typedef struct gradients {
    void *out; /* [steps][rows][output]: d */
    void *top; /* [steps][rows][hidden]: of the top layer's h, from what looks and combines */
    void *context, *scores; /* [steps][rows][memory], [steps][rows][positions] */
    void *q;                /* [steps][rows][attention.width] */
    void *position;         /* [steps][rows][attention.width], with a window */
    void *centers;          /* [steps][rows], with a window */
    void **z;               /* [layers]: [steps][rows][gates hidden] */
    void **n;               /* GRU, [layers]: [steps][rows][hidden], dn of rki_cell_backward */
    void **h, **carry;      /* [layers]: [rows][hidden], on their way from step t to t - 1 */
    void *dropped;          /* [rows][hidden], with dropout */
    void *x;                /* of x, or NULL when not wanted */
} gradients;

static int32_t take_layers(
    rnnkit_tape *tape, const rki_decoder_layer *d, int64_t count, int zero, void ***out)
{
    const rki_device *device = tape->device;
    void *block;
    RKI_TRY(rki_tape_host(tape, d->settings.layers, sizeof(void *), &block));
    *out = block;
    for (int64_t l = 0; l < d->settings.layers; l++) {
        RKI_TRY(rki_tape_device(tape, count, &(*out)[l]));
        if (zero)
            RKI_TRY(device->ops->zero(device->self, (*out)[l], rki_device_bytes(device, count)));
    }
    return RNNKIT_OK;
}

static int32_t take(rnnkit_tape *tape, const rki_decoder_run *run, gradients *g)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch, all = run->a.steps * rows;
    RKI_TRY(rki_tape_device(tape, all * d->output, &g->out));
    RKI_TRY(rki_tape_device(tape, all * d->hidden, &g->top));
    RKI_TRY(rki_tape_device(tape, all * d->memory, &g->context));
    RKI_TRY(rki_tape_device(tape, all * run->source.positions, &g->scores));
    RKI_TRY(rki_tape_device(tape, all * d->attention.width, &g->q));
    if (d->attention.center) {
        RKI_TRY(rki_tape_device(tape, all * d->attention.width, &g->position));
        RKI_TRY(rki_tape_device(tape, all, &g->centers));
    }
    RKI_TRY(take_layers(tape, d, all * rki_decoder_gates(d) * d->hidden, 0, &g->z));
    if (d->settings.gru) RKI_TRY(take_layers(tape, d, all * d->hidden, 0, &g->n));
    RKI_TRY(take_layers(tape, d, rows * d->hidden, 1, &g->h));
    RKI_TRY(take_layers(tape, d, rows * d->hidden, 1, &g->carry));
    if (run->a.dropped) RKI_TRY(rki_tape_device(tape, rows * d->hidden, &g->dropped));
    return run->x->needs_gradient ? rki_tape_gradient_room(run->x, &g->x) : RNNKIT_OK;
}

/* y += x, `count` elements */
static int32_t add(const rnnkit_tape *tape, int64_t count, const void *x, void *y)
{
    return tape->device->ops->add_scaled(tape->device->self, count, 1, x, y);
}

/* The gradients of layer l's sums from step t on. */
static void *dz_of(
    const rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t, int64_t l)
{
    const rki_decoder_layer *d = run->d;
    return rki_tape_at(tape, g->z[l], t * run->a.batch * rki_decoder_gates(d) * d->hidden);
}

static void *dn_of(
    const rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t, int64_t l)
{
    return g->n ? rki_tape_at(tape, g->n[l], t * run->a.batch * run->d->hidden) : NULL;
}

/* Steps. */

/* d of `steps` steps from t on, and what it gives to context and h. `d` holds what comes from
 * above. */
static int32_t through_combine(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g,
    const void *above, int64_t t, int64_t steps)
{
    const rki_decoder_layer *d = run->d;
    int64_t at = t * run->a.batch, rows = steps * run->a.batch;
    void *out = rki_tape_at(tape, g->out, at * d->output);
    RKI_TRY(tape->device->ops->tanh_backward(tape->device->self, rows * d->output,
        rki_tape_at(tape, run->a.out, at * d->output), above, out));
    RKI_TRY(rki_columns_back(tape, rki_decoder_combines_context(d), rows, out, 0,
        rki_tape_at(tape, g->context, at * d->memory)));
    return rki_columns_back(
        tape, rki_decoder_combines_h(d), rows, out, 0, rki_tape_at(tape, g->top, at * d->hidden));
}

/* With feeding: what comes from above and from step t + 1, which read this output. */
static int32_t output_of_step(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t)
{
    const rki_decoder_layer *d = run->d;
    const rki_device *device = tape->device;
    int64_t rows = run->a.batch, at = t * rows;
    void *out = rki_tape_at(tape, g->out, at * d->output);
    RKI_TRY(
        device->ops->copy(device->self, out, rki_tape_at(tape, run->out->gradient, at * d->output),
            rki_device_bytes(device, rows * d->output)));
    if (t + 1 < run->a.steps)
        RKI_TRY(rki_decoder_input_back(tape, d, rki_decoder_reads_fed(d), rows,
            dz_of(tape, run, g, t + 1, 0), dn_of(tape, run, g, t + 1, 0), 1, out));
    return through_combine(tape, run, g, out, t, 1);
}

/* The arguments of attention for steps t .. t + steps - 1. */
static rki_attention attention_of(
    const rnnkit_tape *tape, const rki_decoder_run *run, int64_t t, int64_t steps)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch, looks_after = d->settings.style == RKI_LUONG;
    rki_attention call =
        rki_attention_call(&d->attention, steps, run->source.positions, rows, d->memory);
    call.q = run->a.q ? rki_tape_at(tape, run->a.q, t * rows * d->attention.width)
                      : rki_tape_at(tape, run->a.h[d->settings.layers - 1],
                            (t + looks_after) * rows * d->hidden);
    if (d->attention.center) call.centers = rki_tape_at(tape, run->a.centers, t * rows);
    call.keys = run->source.keys;
    call.values = run->source.memory;
    call.lengths = run->source.lengths;
    return call;
}

/* dscores and dq of step t; dh += what goes to the query. */
static int32_t through_attention(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t, void *dh)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch, at = t * rows, positions = run->source.positions;
    rki_attention_backward call = {.attention = attention_of(tape, run, t, 1),
        .weights = rki_tape_at(tape, run->a.seen, at * positions),
        .dcontext = rki_tape_at(tape, g->context, at * d->memory),
        .dscores = rki_tape_at(tape, g->scores, at * positions),
        .dq = rki_tape_at(tape, g->q, at * d->attention.width)};
    if (d->attention.center) call.dcenters = rki_tape_at(tape, g->centers, at);
    RKI_TRY(tape->device->ops->attention_backward(tape->device->self, &call));
    if (d->attention.center)
        RKI_TRY(rki_attention_center_input(tape, &d->attention, rows, call.dcenters,
            rki_tape_at(tape, run->a.position, at * d->attention.width),
            rki_tape_at(tape, g->position, at * d->attention.width), dh));
    if (d->attention.query == NULL) return add(tape, rows * d->hidden, call.dq, dh);
    return rki_attention_query_input(tape, &d->attention, rows, call.dq, 1, dh);
}

/* dh of layer l - 1 += what layer l read of it at step t. */
static int32_t through_below(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t, int64_t l)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch;
    const void *dz = dz_of(tape, run, g, t, l), *dn = dn_of(tape, run, g, t, l);
    rki_columns w = rki_decoder_reads_below(d, l);
    if (g->dropped == NULL) return rki_decoder_input_back(tape, d, w, rows, dz, dn, 1, g->h[l - 1]);
    RKI_TRY(rki_decoder_input_back(tape, d, w, rows, dz, dn, 0, g->dropped));
    rki_dropout call = rki_decoder_mask(&run->masks, d, t, l, rows);
    call.accumulate = 1;
    call.x = g->dropped;
    call.y = g->h[l - 1];
    return tape->device->ops->dropout(tape->device->self, &call);
}

/* The cell of layer l at step t, and what goes to its h before: of an LSTM what comes through W_hh,
 * of a GRU the carry too. */
static int32_t through_cell(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t, int64_t l)
{
    const rki_decoder_layer *d = run->d;
    const rki_decoder_arrays *a = &run->a;
    int64_t rows = a->batch, width = rows * d->hidden;
    rki_cell_backward call = {.gru = d->settings.gru,
        .batch = rows,
        .hidden = d->hidden,
        .gates = rki_tape_at(tape, a->z[l], t * rki_decoder_gates(d) * width),
        .dh = g->h[l],
        .carry = g->carry[l],
        .dz = dz_of(tape, run, g, t, l),
        .dn = dn_of(tape, run, g, t, l)};
    if (d->settings.gru) {
        call.reset = rki_tape_at(tape, a->reset[l], t * width);
        call.h_before = rki_tape_at(tape, a->h[l], t * width);
    } else {
        call.c_before = rki_tape_at(tape, a->c[l], t * width);
        call.c = rki_tape_at(tape, a->c[l], (t + 1) * width);
    }
    RKI_TRY(tape->device->ops->cell_backward(tape->device->self, &call));
    if (l > 0) RKI_TRY(through_below(tape, run, g, t, l));
    RKI_TRY(rki_columns_back(tape, rki_decoder_reads_h(d, l), rows, call.dz, 0, g->h[l]));
    return d->settings.gru ? add(tape, width, call.carry, g->h[l]) : RNNKIT_OK;
}

static int32_t through_layers(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t)
{
    for (int64_t l = run->d->settings.layers - 1; l >= 0; l--)
        RKI_TRY(through_cell(tape, run, g, t, l));
    return RNNKIT_OK;
}

static int32_t back_luong(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t)
{
    const rki_decoder_layer *d = run->d;
    int64_t width = run->a.batch * d->hidden;
    void *top = rki_tape_at(tape, g->top, t * width);
    if (rki_decoder_feeds_output(d)) RKI_TRY(output_of_step(tape, run, g, t));
    RKI_TRY(through_attention(tape, run, g, t, top));
    RKI_TRY(add(tape, width, top, g->h[d->settings.layers - 1]));
    return through_layers(tape, run, g, t);
}

static int32_t back_bahdanau(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t t)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch, width = rows * d->hidden;
    void *dh = g->h[d->settings.layers - 1];
    RKI_TRY(add(tape, width, rki_tape_at(tape, g->top, t * width), dh));
    RKI_TRY(through_layers(tape, run, g, t));
    RKI_TRY(
        rki_decoder_input_back(tape, d, rki_decoder_reads_fed(d), rows, dz_of(tape, run, g, t, 0),
            dn_of(tape, run, g, t, 0), 1, rki_tape_at(tape, g->context, t * rows * d->memory)));
    return through_attention(tape, run, g, t, dh);
}

static int32_t through_steps(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g)
{
    int luong = run->d->settings.style == RKI_LUONG;
    int32_t status = RNNKIT_OK;
    rki_steady steady;
    if (run->a.steps > 1) rki_tape_steady(tape, &steady);
    for (int64_t t = run->a.steps; t-- > 0 && status == RNNKIT_OK;)
        status = luong ? back_luong(tape, run, g, t) : back_bahdanau(tape, run, g, t);
    rki_tape_unsteady(tape);
    return status;
}

/* All steps at once. */

static int32_t learn_layer(
    rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g, int64_t l)
{
    const rki_decoder_layer *d = run->d;
    const rki_decoder_arrays *a = &run->a;
    rnnkit_model *model = run->model;
    int64_t rows = a->batch, all = a->steps * rows;
    const void *dz = dz_of(tape, run, g, 0, l), *dn = dn_of(tape, run, g, 0, l);
    RKI_TRY(rki_columns_learn(tape, model, rki_decoder_reads_h(d, l), all, dz, a->h[l]));
    RKI_TRY(rki_decoder_bias_learn(tape, model, d, l, all, dz, dn));
    if (l > 0)
        return rki_decoder_input_learn(tape, model, d, rki_decoder_reads_below(d, l), all, dz, dn,
            a->dropped ? a->dropped[l] : rki_tape_at(tape, a->h[l - 1], rows * d->hidden));
    RKI_TRY(rki_decoder_input_learn(tape, model, d, rki_decoder_reads_x(d), all, dz, dn, a->x));
    rki_columns fed = rki_decoder_reads_fed(d);
    if (d->settings.style == RKI_BAHDANAU)
        return rki_decoder_input_learn(tape, model, d, fed, all, dz, dn, a->context);
    if (!rki_decoder_feeds_output(d) || a->steps == 1) return RNNKIT_OK;
    return rki_decoder_input_learn(tape, model, d, fed, all - rows, dz_of(tape, run, g, 1, l),
        dn_of(tape, run, g, 1, l), a->out); /* zeros were fed at the first step */
}

static int32_t learn_combine(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g)
{
    const rki_decoder_layer *d = run->d;
    const rki_decoder_arrays *a = &run->a;
    int64_t rows = a->batch, all = a->steps * rows;
    const void *h = rki_tape_at(tape, a->h[d->settings.layers - 1], rows * d->hidden);
    RKI_TRY(rki_columns_learn(
        tape, run->model, rki_decoder_combines_context(d), all, g->out, a->context));
    RKI_TRY(rki_columns_learn(tape, run->model, rki_decoder_combines_h(d), all, g->out, h));
    if (d->settings.style == RKI_BAHDANAU)
        RKI_TRY(rki_columns_learn(tape, run->model, rki_decoder_combines_x(d), all, g->out, a->x));
    return rki_bias_learn(tape, run->model, d->combine_bias, all, g->out);
}

static int32_t learn_attention(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g)
{
    const rki_decoder_layer *d = run->d;
    int64_t all = run->a.steps * run->a.batch;
    int64_t keys = run->source.positions * run->a.batch;
    int64_t looks_after = d->settings.style == RKI_LUONG;
    const void *h =
        rki_tape_at(tape, run->a.h[d->settings.layers - 1], looks_after * run->a.batch * d->hidden);
    RKI_TRY(rki_attention_query_learn(tape, run->model, &d->attention, all, g->q, h));
    RKI_TRY(rki_attention_center_learn(
        tape, run->model, &d->attention, all, g->centers, g->position, run->a.position, h));
    rki_attention_source call = {.attention = attention_of(tape, run, 0, run->a.steps),
        .weights = run->a.seen,
        .dscores = g->scores,
        .dcontext = g->context};
    RKI_TRY(rki_attention_score_gradient(run->model, &d->attention, &call.dv));
    RKI_TRY(rki_tape_device(tape, keys * d->attention.width, &call.dkeys));
    if (run->memory->needs_gradient) RKI_TRY(rki_tape_gradient_room(run->memory, &call.dvalues));
    RKI_TRY(rki_attention_run_source(tape, call));
    RKI_TRY(rki_attention_key_learn(
        tape, run->model, &d->attention, keys, call.dkeys, run->memory->data));
    if (call.dvalues == NULL) return RNNKIT_OK;
    if (d->attention.key)
        RKI_TRY(rki_attention_key_input(tape, &d->attention, keys, call.dkeys, 1, call.dvalues));
    else
        RKI_TRY(add(tape, keys * d->memory, call.dkeys, call.dvalues));
    return rki_tape_gradient_adopt(run->memory, call.dvalues);
}

/* dfirst is that of h or c before the first step. */
static int32_t learn_first(rnnkit_tape *tape, const rki_decoder_run *run, int64_t l, int64_t part,
    const void *first, void *dfirst, void *dstart)
{
    const rki_decoder_layer *d = run->d;
    int64_t rows = run->a.batch;
    RKI_TRY(tape->device->ops->tanh_backward(
        tape->device->self, rows * d->hidden, first, dfirst, dfirst));
    RKI_TRY(rki_columns_learn(
        tape, run->model, rki_decoder_starts(d, l, part), rows, dfirst, run->start->data));
    RKI_TRY(rki_bias_learn(
        tape, run->model, d->first[l * rki_decoder_states(d) + part].bias, rows, dfirst));
    if (dstart == NULL) return RNNKIT_OK;
    int accumulate = l > 0 || part > 0;
    return rki_columns_back(tape, rki_decoder_starts(d, l, part), rows, dfirst, accumulate, dstart);
}

static int32_t learn_start(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g)
{
    void *dstart = NULL;
    if (run->start == NULL) return RNNKIT_OK;
    if (run->start->needs_gradient) RKI_TRY(rki_tape_gradient_room(run->start, &dstart));
    for (int64_t l = 0; l < run->d->settings.layers; l++) {
        RKI_TRY(learn_first(tape, run, l, 0, run->a.h[l], g->h[l], dstart));
        if (!run->d->settings.gru)
            RKI_TRY(learn_first(tape, run, l, 1, run->a.c[l], g->carry[l], dstart));
    }
    return dstart == NULL ? RNNKIT_OK : rki_tape_gradient_adopt(run->start, dstart);
}

static int32_t pass_to_x(rnnkit_tape *tape, const rki_decoder_run *run, const gradients *g)
{
    const rki_decoder_layer *d = run->d;
    int64_t all = run->a.steps * run->a.batch;
    int combined = d->settings.style == RKI_BAHDANAU;
    if (g->x == NULL) return RNNKIT_OK;
    if (combined) RKI_TRY(rki_columns_back(tape, rki_decoder_combines_x(d), all, g->out, 0, g->x));
    RKI_TRY(rki_decoder_input_back(tape, d, rki_decoder_reads_x(d), all, dz_of(tape, run, g, 0, 0),
        dn_of(tape, run, g, 0, 0), combined, g->x));
    return rki_tape_gradient_adopt(run->x, g->x);
}

int32_t rki_decoder_backward(rki_node *node, rnnkit_tape *tape)
{
    rki_decoder_run *run = (rki_decoder_run *)node;
    const rki_decoder_layer *d = run->d;
    gradients g = {0};
    if (run->out->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(take(tape, run, &g));
    if (!rki_decoder_feeds_output(d))
        RKI_TRY(through_combine(tape, run, &g, run->out->gradient, 0, run->a.steps));
    RKI_TRY(through_steps(tape, run, &g));
    for (int64_t l = 0; l < d->settings.layers; l++)
        RKI_TRY(learn_layer(tape, run, &g, l));
    RKI_TRY(learn_combine(tape, run, &g));
    RKI_TRY(learn_attention(tape, run, &g));
    RKI_TRY(learn_start(tape, run, &g));
    return pass_to_x(tape, run, &g);
}
