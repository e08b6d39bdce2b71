/* Embedding, decoder and output layer, a step at a time. See writer.h. */
#include "generate/writer.h"

static int32_t check_pair(const rki_layer *left, int64_t left_size, const char *left_what,
    const rki_layer *right, int64_t right_size, const char *right_what)
{
    if (left_size == right_size) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "%s of \"%s\" is %lld but %s of \"%s\" is %lld", left_what,
        left->name, (long long)left_size, right_what, right->name, (long long)right_size);
}

static int32_t check_layers(const rki_writer *writer)
{
    const rki_embedding_layer *e = writer->embedding;
    const rki_decoder_layer *d = writer->decoder;
    const rki_linear_layer *o = writer->output;
    const rnnkit_context *context = writer->models[0]->context;
    if (writer->models[1]->context != context || writer->models[2]->context != context)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "embedding, decoder and output belong to different contexts");
    RKI_TRY(check_pair(&e->layer, e->layer.sizes[1], "width", &d->layer, d->inputs, "inputs"));
    RKI_TRY(check_pair(&d->layer, d->output, "output", &o->layer, o->layer.sizes[0], "inputs"));
    return check_pair(
        &o->layer, o->layer.sizes[1], "outputs", &e->layer, e->layer.sizes[0], "words");
}

int32_t rki_writer_init(rki_writer *writer, const rnnkit_embedding *embedding,
    const rnnkit_decoder *decoder, const rnnkit_linear *output)
{
    writer->embedding = rki_embedding_of(embedding);
    writer->decoder = rki_decoder_of(decoder);
    writer->output = rki_linear_of(output);
    writer->words = writer->output->layer.sizes[1];
    writer->models[0] = embedding->handle.model;
    writer->models[1] = decoder->handle.model;
    writer->models[2] = output->handle.model;
    for (int i = 0; i < 3; i++)
        rki_model_retain(writer->models[i]);
    RKI_TRY(check_layers(writer));
    return rnnkit_tape_create(writer->models[0]->context, "train=0", &writer->tape);
}

void rki_writer_free(rki_writer *writer)
{
    rnnkit_tape_destroy(writer->tape);
    for (int i = 0; i < 3; i++)
        if (writer->models[i] != NULL) rki_model_release(writer->models[i]);
}

rnnkit_context *rki_writer_context(const rki_writer *writer)
{
    return writer->models[0]->context;
}

int32_t rki_writer_look(rki_writer *writer, const rnnkit_tensor *memory, const int32_t *lengths,
    const rnnkit_tensor *start)
{
    RKI_TRY(rki_check(memory, RKI_KIND_TENSOR, "memory"));
    RKI_TRY(rki_tape_check_device(memory->tape, rki_writer_context(writer)->device));
    RKI_TRY(rki_decoder_check_source(writer->decoder, memory->tape, memory, start, 0));
    RKI_TRY(rnnkit_tape_clear(writer->tape));
    return rki_decoder_prepare(writer->tape, writer->decoder, memory, lengths, &writer->source);
}

/* Start vectors for all queries of each source; NULL stays NULL. */
static int32_t spread_start(const rki_writer *writer, const rnnkit_tensor *start, const void **out)
{
    int64_t rows = rki_writer_rows(writer), width = writer->decoder->settings.start;
    rnnkit_tape *tape = writer->tape;
    void *block, *room;
    *out = start == NULL ? NULL : start->data;
    if (start == NULL || writer->a.queries == 1) return RNNKIT_OK;
    RKI_TRY(rki_tape_host(tape, rows, sizeof(int32_t), &block));
    RKI_TRY(rki_tape_device(tape, rows * width, &room));
    int32_t *ids = block;
    for (int64_t r = 0; r < rows; r++)
        ids[r] = (int32_t)(r % writer->a.batch);
    rki_gather call = {
        .count = rows, .width = width, .ids = ids, .table = start->data, .out = room};
    *out = room;
    return tape->device->ops->gather(tape->device->self, &call);
}

/* The sizes of a run, checked; its rows are numbered by int32. */
static int32_t check_room(const rki_writer *writer)
{
    const rki_decoder_layer *d = writer->decoder;
    const rki_decoder_arrays *a = &writer->a;
    const int64_t sizes[4] = {a->steps + 1, a->queries, a->batch,
        writer->words + rki_decoder_gates(d) * d->hidden + d->memory + writer->source.positions};
    rki_shape shape;
    RKI_TRY(rki_shape_make(sizes, 4, &shape));
    if (a->steps * a->queries * a->batch <= INT32_MAX) return RNNKIT_OK;
    return rki_fail(
        RNNKIT_E_SHAPE, "%lld rows are too many", (long long)(a->steps * a->queries * a->batch));
}

int32_t rki_writer_begin(
    rki_writer *writer, const rnnkit_tensor *start, int64_t queries, int64_t steps)
{
    const rki_decoder_layer *d = writer->decoder;
    rnnkit_tape *tape = writer->tape;
    const void *vectors;
    writer->a =
        (rki_decoder_arrays){.steps = steps, .queries = queries, .batch = writer->source.batch};
    RKI_TRY(check_room(writer));
    int64_t all = steps * rki_writer_rows(writer);
    RKI_TRY(rki_decoder_take(tape, d, writer->source.positions, 0, &writer->a));
    RKI_TRY(rki_tape_device(tape, all * d->inputs, &writer->x));
    RKI_TRY(rki_tape_device(tape, all * d->output, &writer->a.out));
    writer->a.x = writer->x;
    writer->fed = rki_decoder_feeds_output(d) ? rki_tape_at(tape, writer->a.first_fed, 0) : NULL;
    writer->logits = NULL;
    RKI_TRY(spread_start(writer, start, &vectors));
    return rki_decoder_start(tape, d, vectors, &writer->a);
}

static int32_t predict(rki_writer *writer)
{
    const rki_linear_layer *output = writer->output;
    rki_columns w = {output->weight, 0, output->layer.sizes[0]};
    if (writer->logits == NULL)
        RKI_TRY(rki_tape_device(
            writer->tape, rki_writer_rows(writer) * writer->words, &writer->logits));
    return rki_columns_product(
        writer->tape, w, rki_writer_rows(writer), writer->a.out, output->bias, 0, writer->logits);
}

int32_t rki_writer_read(rki_writer *writer, const int32_t *ids)
{
    const rki_decoder_layer *d = writer->decoder;
    rnnkit_tape *tape = writer->tape;
    rki_gather call = {.count = writer->a.steps * rki_writer_rows(writer),
        .width = d->inputs,
        .ids = ids,
        .table = writer->embedding->weight->value,
        .out = writer->x,
        .format = writer->embedding->weight->format,
        .rows = writer->embedding->layer.sizes[0]};
    RKI_TRY(tape->device->ops->gather(tape->device->self, &call));
    RKI_TRY(rki_decoder_read(tape, d, &writer->a));
    for (int64_t t = 0; t < writer->a.steps; t++)
        RKI_TRY(rki_decoder_step(tape, d, &writer->source, &writer->a, NULL, t));
    RKI_TRY(rki_decoder_finish(tape, d, &writer->a));
    return writer->a.steps == 1 ? predict(writer) : RNNKIT_OK;
}

/* target[r] = source[parents[r]] */
static int32_t pick(const rki_writer *writer, const int32_t *parents, int64_t width,
    const void *source, void *target)
{
    const rki_device *device = writer->tape->device;
    rki_gather call = {.count = rki_writer_rows(writer),
        .width = width,
        .ids = parents,
        .table = source,
        .out = target};
    return device->ops->gather(device->self, &call);
}

int32_t rki_writer_go_on(rki_writer *writer, const int32_t *parents)
{
    const rki_decoder_layer *d = writer->decoder;
    const rki_decoder_arrays *a = &writer->a;
    int64_t after = rki_writer_rows(writer) * d->hidden;
    for (int64_t l = 0; l < d->settings.layers; l++)
        for (int64_t part = 0; part < rki_decoder_states(d); part++) {
            void *state = (part == 0 ? a->h : a->c)[l];
            RKI_TRY(
                pick(writer, parents, d->hidden, rki_tape_at(writer->tape, state, after), state));
        }
    return writer->fed == NULL ? RNNKIT_OK : pick(writer, parents, d->output, a->out, writer->fed);
}

int32_t rki_writer_weights(const rki_writer *writer, float *weights)
{
    return rki_device_read(writer->tape->device, &rki_writer_context(writer)->memory,
        writer->a.seen, weights, rki_writer_rows(writer) * writer->source.positions);
}
