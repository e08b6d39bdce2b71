/* A decoder over a whole target sequence, on a tape: one node. See decoder.h.
 */
#include "nn/decoder.h"

/* Checks. */

static int32_t check_width(
    const rnnkit_tensor *x, const char *argument, int64_t batch, int64_t width)
{
    char text[RKI_SHAPE_TEXT];
    const int64_t *dims = x->shape.dims;
    if (x->shape.rank == 3 && dims[2] == width && (batch == 0 || dims[1] == batch))
        return RNNKIT_OK;
    if (batch == 0)
        return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, expected [steps, batch, %lld]", argument,
            rki_shape_text(&x->shape, text), (long long)width);
    return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, expected [steps, %lld, %lld]", argument,
        rki_shape_text(&x->shape, text), (long long)batch, (long long)width);
}

static int32_t check_start(
    const rki_decoder_layer *d, rnnkit_tape *tape, const rnnkit_tensor *start, int64_t batch)
{
    char text[RKI_SHAPE_TEXT];
    int64_t width = d->settings.start;
    if (width == 0 && start == NULL) return RNNKIT_OK;
    if (width == 0)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "start is given, but decoder \"%s\" was made without option start", d->layer.name);
    if (start == NULL)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "start is NULL, but decoder \"%s\" has start = %lld: its "
            "first state comes from it",
            d->layer.name, (long long)width);
    RKI_TRY(rki_tape_check(tape, start, "start"));
    int64_t rank = start->shape.rank;
    const int64_t *dims = start->shape.dims;
    int fits = rank == 2 || (rank == 3 && dims[0] == 1);
    if (fits && dims[rank - 1] == width && dims[rank - 2] == batch) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "start has shape %s, expected [%lld, %lld]",
        rki_shape_text(&start->shape, text), (long long)batch, (long long)width);
}

int32_t rki_decoder_check_source(const rki_decoder_layer *d, rnnkit_tape *tape,
    const rnnkit_tensor *memory, const rnnkit_tensor *start, int64_t batch)
{
    RKI_TRY(rki_tape_check(tape, memory, "memory"));
    RKI_TRY(check_width(memory, "memory", batch, d->memory));
    return check_start(d, tape, start, memory->shape.dims[1]);
}

static int32_t check(const rnnkit_decoder *decoder, rnnkit_tape *tape, const rnnkit_tensor *x,
    const rnnkit_tensor *memory, const rnnkit_tensor *start)
{
    const rki_decoder_layer *d = rki_decoder_of(decoder);
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, decoder->handle.model->context->device));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(check_width(x, "x", 0, d->inputs));
    return rki_decoder_check_source(d, tape, memory, start, x->shape.dims[1]);
}

/* The run. */

int32_t rki_decoder_prepare(rnnkit_tape *tape, const rki_decoder_layer *d,
    const rnnkit_tensor *memory, const int32_t *lengths, rki_decoder_source *out)
{
    const int64_t *dims = memory->shape.dims;
    void *room = NULL;
    rki_shape shape;
    const int64_t keys[3] = {dims[0], dims[1], d->attention.width};
    *out = (rki_decoder_source){.positions = dims[0], .batch = dims[1], .memory = memory->data};
    RKI_TRY(rki_attention_lengths(tape, lengths, dims[1], dims[0], &out->lengths));
    RKI_TRY(rki_shape_make(keys, 3, &shape));
    if (d->attention.key) RKI_TRY(rki_tape_device(tape, rki_shape_count(&shape), &room));
    return rki_attention_key(
        tape, &d->attention, dims[0] * dims[1], memory->data, room, &out->keys);
}

/* The largest array of the run must not overflow; all others are smaller. */
static int32_t check_room(const rki_decoder_layer *d, int64_t steps, int64_t batch)
{
    const int64_t gates[3] = {steps + 1, batch, rki_decoder_gates(d) * d->hidden};
    const int64_t context[3] = {steps, batch, d->memory};
    rki_shape shape;
    RKI_TRY(rki_shape_make(gates, 3, &shape));
    return rki_shape_make(context, 3, &shape);
}

static int32_t run_steps(rnnkit_tape *tape, rki_decoder_run *run)
{
    const rki_decoder_layer *d = run->d;
    int dropout = tape->train && d->settings.dropout > 0 && d->settings.layers > 1;
    RKI_TRY(rki_decoder_take(tape, d, run->source.positions, dropout, &run->a));
    run->masks = (rki_decoder_masks){
        .random = {(uint64_t)tape->context->seed, RKI_PURPOSE_DROPOUT, tape->dropouts},
        .step = tape->step};
    RKI_TRY(rki_decoder_start(tape, d, run->start ? run->start->data : NULL, &run->a));
    RKI_TRY(rki_decoder_read(tape, d, &run->a));
    rki_steady steady;
    int32_t status = RNNKIT_OK;
    if (run->a.steps > 1) rki_tape_steady(tape, &steady);
    for (int64_t t = 0; t < run->a.steps && status == RNNKIT_OK; t++)
        status = rki_decoder_step(tape, d, &run->source, &run->a, &run->masks, t);
    rki_tape_unsteady(tape);
    RKI_TRY(status);
    if (dropout) tape->dropouts += (uint32_t)(run->a.steps * (d->settings.layers - 1));
    return rki_decoder_finish(tape, d, &run->a);
}

static int32_t forward(rnnkit_decoder *decoder, rnnkit_tape *tape, rnnkit_tensor *x,
    rnnkit_tensor *memory, const int32_t *lengths, rnnkit_tensor *start, rnnkit_tensor **out,
    rnnkit_tensor **weights)
{
    const rki_decoder_layer *d = rki_decoder_of(decoder);
    rki_node *node;
    rki_shape shape, seen_shape;
    rnnkit_tensor *seen;
    RKI_TRY(check(decoder, tape, x, memory, start));
    RKI_TRY(rki_check_pointer(out, "out"));
    const int64_t dims[3] = {x->shape.dims[0], x->shape.dims[1], d->output};
    const int64_t seen_dims[3] = {dims[0], dims[1], memory->shape.dims[0]};
    RKI_TRY(rki_shape_make(dims, 3, &shape));
    RKI_TRY(rki_shape_make(seen_dims, 3, &seen_shape));
    RKI_TRY(check_room(d, dims[0], dims[1]));
    RKI_TRY(rki_tape_node(tape, sizeof(rki_decoder_run), rki_decoder_backward, &node));
    rki_decoder_run *run = (rki_decoder_run *)node;
    run->model = decoder->handle.model;
    run->d = d;
    run->x = x;
    run->memory = memory;
    run->start = start;
    RKI_TRY(rki_decoder_prepare(tape, d, memory, lengths, &run->source));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &run->out));
    RKI_TRY(rki_tape_tensor(tape, &seen_shape, 0, &seen)); /* no gradient flows through it */
    run->a = (rki_decoder_arrays){.steps = dims[0],
        .queries = 1,
        .batch = dims[1],
        .x = x->data,
        .seen = seen->data,
        .out = run->out->data};
    RKI_TRY(run_steps(tape, run));
    if (tape->train) {
        RKI_TRY(rki_tape_keep_model(tape, run->model));
        rki_tape_record(tape, node);
    }
    *out = run->out;
    if (weights != NULL) *weights = seen;
    return RNNKIT_OK;
}

int32_t rnnkit_decoder_forward(rnnkit_decoder *decoder, rnnkit_tape *tape, rnnkit_tensor *x,
    rnnkit_tensor *memory, const int32_t *lengths, rnnkit_tensor *start, rnnkit_tensor **out,
    rnnkit_tensor **weights)
{
    int32_t status = rki_check(decoder, RKI_KIND_DECODER, "decoder");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(decoder, tape, x, memory, lengths, start, out, weights);
    return rki_leave(decoder->handle.model->context, __func__, status);
}
