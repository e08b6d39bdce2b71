/* Given texts: their scores, and mixing them with what the model would write. See search.h. */
#include <math.h>

#include "base/float_mode.h"
#include "generate/search.h"

static int32_t check_id(const rnnkit_search *search, const char *argument, int64_t i, int32_t id)
{
    if (id >= 0 && id < search->writer.words) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT, "%s[%lld] is %d, expected 0 to %lld", argument, (long long)i,
        (int)id, (long long)search->writer.words - 1);
}

/* Scores. */

/* The ids of a source come first, then nothing but RNNKIT_IGNORE. */
static int32_t check_targets(
    const rnnkit_search *search, const int32_t *targets, int64_t steps, int64_t batch)
{
    for (int64_t b = 0; b < batch; b++)
        if (targets[b] == RNNKIT_IGNORE)
            return rki_fail(RNNKIT_E_ARGUMENT, "the text of source %lld has no ids", (long long)b);
    for (int64_t i = 0; i < steps * batch; i++) {
        if (targets[i] == RNNKIT_IGNORE) continue;
        RKI_TRY(check_id(search, "targets", i, targets[i]));
        if (i >= batch && targets[i - batch] == RNNKIT_IGNORE)
            return rki_fail(RNNKIT_E_ARGUMENT, "targets[%lld] is %d, behind the text's end",
                (long long)i, (int)targets[i]);
    }
    return RNNKIT_OK;
}

/* What is read at each step: <bos>, then the id before; padding where the text has ended. */
static int32_t make_inputs(const rnnkit_search *search, const int32_t *targets, int64_t steps,
    int64_t batch, int32_t **out)
{
    void *block;
    RKI_TRY(rki_tape_host(search->writer.tape, steps * batch, sizeof(int32_t), &block));
    int32_t *inputs = block;
    for (int64_t i = 0; i < steps * batch; i++) {
        int32_t before = i < batch ? (int32_t)search->settings.bos : targets[i - batch];
        inputs[i] = before == RNNKIT_IGNORE ? RNNKIT_PAD : before;
    }
    *out = inputs;
    return RNNKIT_OK;
}

/* losses[i] = -log p of target i, for the `count` places of targets that are no padding. */
static int32_t find_losses(
    rnnkit_search *search, const int32_t *places, int32_t *ids, int64_t count, void **losses)
{
    const rki_linear_layer *output = search->writer.output;
    rnnkit_tape *tape = search->writer.tape;
    const rki_device *device = tape->device;
    void *x;
    double sum;
    RKI_TRY(rki_tape_device(tape, count, losses));
    RKI_TRY(rki_tape_device(tape, count * output->layer.sizes[0], &x));
    rki_gather gather = {.count = count,
        .width = output->layer.sizes[0],
        .ids = places,
        .table = search->writer.a.out,
        .out = x};
    RKI_TRY(device->ops->gather(device->self, &gather));
    rki_softmax_loss call = {.rows = count,
        .inputs = output->layer.sizes[0],
        .classes = output->layer.sizes[1],
        .scale = 1,
        .x = x,
        .weight = output->weight->value,
        .bias = output->bias == NULL ? NULL : output->bias->value,
        .targets = ids,
        .format = output->weight->format,
        .loss = &sum,
        .row_loss = *losses};
    size_t bytes = device->ops->softmax_loss_scratch(device->self, &call);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    return device->ops->softmax_loss(device->self, &call);
}

/* Sums in double, in the order of steps; scores are written when all went well. */
static int32_t add_up(
    rnnkit_search *search, const int32_t *places, const void *losses, int64_t count, double *scores)
{
    const rnnkit_context *context = search->context;
    int64_t batch = search->writer.source.batch;
    void *values_block, *lengths_block;
    RKI_TRY(rki_tape_host(search->writer.tape, count, sizeof(float), &values_block));
    RKI_TRY(rki_tape_host(search->writer.tape, batch, sizeof(int64_t), &lengths_block));
    float *values = values_block;
    int64_t *lengths = lengths_block;
    RKI_TRY(rki_device_read(context->device, &context->memory, losses, values, count));
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return rki_fail(RNNKIT_E_DIVERGED,
                "the model's output for source %lld is not finite: its weights, or the memory, are "
                "out of bounds",
                (long long)(places[i] % batch));
    for (int64_t b = 0; b < batch; b++) {
        scores[b] = 0;
        lengths[b] = 0;
    }
    for (int64_t i = 0; i < count; i++) {
        scores[places[i] % batch] -= (double)values[i];
        lengths[places[i] % batch]++;
    }
    for (int64_t b = 0; b < batch; b++)
        scores[b] = rki_search_normalize(&search->settings, scores[b], lengths[b]);
    return RNNKIT_OK;
}

static int32_t check_arrays(const rnnkit_search *search, const void *in, const char *argument,
    int64_t steps, const void *out, const char *result)
{
    int64_t unused;
    RKI_TRY(rki_check_pointer(in, argument));
    RKI_TRY(rki_check_pointer(out, result));
    if (steps < 1) return rki_fail(RNNKIT_E_SHAPE, "steps is %lld, below 1", (long long)steps);
    return rki_multiply(steps, search->writer.source.batch, &unused);
}

static int32_t score(rnnkit_search *search, const rnnkit_tensor *memory, const int32_t *lengths,
    const rnnkit_tensor *start, const int32_t *targets, int64_t steps, double *scores)
{
    rki_writer *writer = &search->writer;
    int32_t *inputs;
    void *block, *losses;
    int64_t count = 0;
    RKI_TRY(rki_writer_look(writer, memory, lengths, start));
    RKI_TRY(check_arrays(search, targets, "targets", steps, scores, "scores"));
    int64_t batch = writer->source.batch;
    RKI_TRY(check_targets(search, targets, steps, batch));
    RKI_TRY(rki_writer_begin(writer, start, 1, steps));
    RKI_TRY(make_inputs(search, targets, steps, batch, &inputs));
    RKI_TRY(rki_writer_read(writer, inputs));
    RKI_TRY(rki_tape_host(writer->tape, 2 * steps * batch, sizeof(int32_t), &block));
    int32_t *places = block, *ids = places + steps * batch;
    for (int64_t i = 0; i < steps * batch; i++) {
        if (targets[i] == RNNKIT_IGNORE) continue;
        places[count] = (int32_t)i;
        ids[count++] = targets[i];
    }
    RKI_TRY(find_losses(search, places, ids, count, &losses));
    return add_up(search, places, losses, count, scores);
}

int32_t rnnkit_search_score(rnnkit_search *search, rnnkit_tensor *memory, const int32_t *lengths,
    rnnkit_tensor *start, const int32_t *targets, int64_t steps, double *scores)
{
    int32_t status = rki_check(search, RKI_KIND_SEARCH, "search");
    if (status < 0) return rki_leave(NULL, __func__, status);
    uint64_t mode = rki_float_enter();
    status = score(search, memory, lengths, start, targets, steps, scores);
    rki_float_leave(mode);
    return rki_leave(search->context, __func__, status);
}

/* Scheduled sampling. */

static int32_t check_inputs(
    const rnnkit_search *search, const int32_t *inputs, int64_t count, double rate)
{
    if (!(rate >= 0 && rate <= 1))
        return rki_fail(RNNKIT_E_ARGUMENT, "rate is %f, expected 0 to 1", rate);
    for (int64_t i = 0; i < count; i++)
        RKI_TRY(check_id(search, "inputs", i, inputs[i]));
    return RNNKIT_OK;
}

/* The most likely id of each row. */
static int32_t predict(const rnnkit_search *search, int32_t *ids, double *values)
{
    const rki_device *device = search->writer.tape->device;
    rki_top call = {.rows = search->writer.source.batch,
        .classes = search->writer.words,
        .count = 1,
        .x = search->writer.logits,
        .ids = ids,
        .values = values};
    RKI_TRY(device->ops->top(device->self, &call));
    for (int64_t b = 0; b < call.rows; b++)
        if (!isfinite(values[b]))
            return rki_fail(RNNKIT_E_DIVERGED,
                "the model's output for source %lld is not finite: its weights, or the memory, are "
                "out of bounds",
                (long long)b);
    return RNNKIT_OK;
}

static int32_t mix_steps(rnnkit_search *search, const int32_t *inputs, int64_t steps, double rate,
    int64_t step, int32_t *read)
{
    const rki_random random = {(uint64_t)search->settings.seed, RKI_PURPOSE_SAMPLE, UINT32_MAX};
    int64_t batch = search->writer.source.batch;
    void *ids, *values, *rows;
    RKI_TRY(rki_tape_host(search->writer.tape, batch, sizeof(int32_t), &ids));
    RKI_TRY(rki_tape_host(search->writer.tape, batch, sizeof(double), &values));
    RKI_TRY(rki_tape_host(search->writer.tape, batch, sizeof(int32_t), &rows));
    for (int64_t b = 0; b < batch; b++) {
        read[b] = inputs[b];
        ((int32_t *)rows)[b] = (int32_t)b;
    }
    for (int64_t t = 1; t < steps; t++) {
        RKI_TRY(rki_writer_read(&search->writer, read + (t - 1) * batch));
        RKI_TRY(predict(search, ids, values));
        RKI_TRY(rki_writer_go_on(&search->writer, rows));
        for (int64_t b = 0; b < batch; b++) {
            int64_t at = t * batch + b;
            int drawn = rki_random_uniform(random, (uint64_t)step, (uint64_t)at) < rate;
            int replaced = drawn && inputs[at] != RNNKIT_PAD;
            read[at] = replaced ? ((const int32_t *)ids)[b] : inputs[at];
        }
    }
    return RNNKIT_OK;
}

static int32_t mix(rnnkit_search *search, const rnnkit_tensor *memory, const int32_t *lengths,
    const rnnkit_tensor *start, const int32_t *inputs, int64_t steps, double rate, int64_t step,
    int32_t *mixed)
{
    rki_writer *writer = &search->writer;
    void *block;
    RKI_TRY(rki_writer_look(writer, memory, lengths, start));
    RKI_TRY(check_arrays(search, inputs, "inputs", steps, mixed, "mixed"));
    int64_t count = steps * writer->source.batch;
    RKI_TRY(check_inputs(search, inputs, count, rate));
    RKI_TRY(rki_writer_begin(writer, start, 1, 1));
    RKI_TRY(rki_tape_host(writer->tape, count, sizeof(int32_t), &block));
    int32_t *read = block;
    RKI_TRY(mix_steps(search, inputs, steps, rate, step, read));
    for (int64_t i = 0; i < count; i++)
        mixed[i] = read[i];
    return RNNKIT_OK;
}

int32_t rnnkit_search_mix(rnnkit_search *search, rnnkit_tensor *memory, const int32_t *lengths,
    rnnkit_tensor *start, const int32_t *inputs, int64_t steps, double rate, int64_t step,
    int32_t *mixed)
{
    int32_t status = rki_check(search, RKI_KIND_SEARCH, "search");
    if (status < 0) return rki_leave(NULL, __func__, status);
    uint64_t mode = rki_float_enter();
    status = mix(search, memory, lengths, start, inputs, steps, rate, step, mixed);
    rki_float_leave(mode);
    return rki_leave(search->context, __func__, status);
}
