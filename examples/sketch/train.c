/* The command `train`: reads drawings, makes the network and trains it (common/training.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/random.h"
#include "../common/system.h"
#include "../common/training.h"
#include "batches.h"
#include "commands.h"
#include "measure.h"

typedef struct trainer {
    const settings *options;
    rnnkit_context *context;
    drawings data, other; /* other: of --valid-data */
    size_t *places;       /* of data: first those to learn from, then those held out */
    size_t learn;
    network net;
    batches from, valid;
} trainer;

static int split(trainer *run)
{
    const settings *options = run->options;
    uint64_t random = (uint64_t)options->seed;
    size_t count = run->data.count, held = 0;

    run->places = malloc((count + 1) * sizeof *run->places);
    if (run->places == NULL) return fail("out of memory");
    for (size_t i = 0; i < count; i++)
        run->places[i] = i;
    if (options->valid_data[0] == '\0') {
        random_shuffle(&random, run->places, count);
        held = (size_t)((double)count * options->valid + 0.5);
        if (held == 0) held = 1;
    }
    if (held >= count)
        return fail(
            "%zu drawing%s: too few, for some have to be held out", count, count == 1 ? "" : "s");
    run->learn = count - held;
    return OUTCOME_OK;
}

/* The drawings that are held out, all of --valid-data or the rest of --data. */
static int open_valid(trainer *run)
{
    size_t count = run->other.count, *all;
    int outcome;

    if (run->options->valid_data[0] == '\0')
        return batches_open(&run->valid, &run->data, run->places + run->learn,
            run->data.count - run->learn, &run->net, run->options->batch, 0, 0);
    all = malloc(count * sizeof *all);
    if (all == NULL) return fail("out of memory");
    for (size_t i = 0; i < count; i++)
        all[i] = i;
    outcome =
        batches_open(&run->valid, &run->other, all, count, &run->net, run->options->batch, 0, 0);
    free(all);
    return outcome;
}

static int prepare(trainer *run)
{
    const settings *options = run->options;
    char text[96];

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (failed(rnnkit_context_create(options->device, text, &run->context)) ||
        drawings_read(&run->data, options->data, options->length) != OUTCOME_OK ||
        (options->valid_data[0] != '\0' &&
            drawings_read(&run->other, options->valid_data, options->length) != OUTCOME_OK) ||
        split(run) != OUTCOME_OK ||
        network_create(&run->net, run->context, options,
            drawings_scale(&run->data, run->places, run->learn)) != OUTCOME_OK ||
        batches_open(&run->from, &run->data, run->places, run->learn, &run->net, options->batch,
            options->seed + 1, 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    run->from.vary = (variation){options->stretch, options->drop_points, 0};
    return open_valid(run);
}

static void tell_start(const trainer *run)
{
    const settings *options = run->options;
    int64_t parameters = 0, points = 0;
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];

    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0) parameters = 0;
    for (size_t i = 0; i < run->learn; i++)
        points += run->data.lengths[run->places[i]];
    if (options->json) {
        json_begin("start");
        json_integer("train_drawings", (int64_t)run->learn);
        json_integer("valid_drawings", (int64_t)run->valid.count);
        json_integer("train_points", points);
        json_number("scale", run->net.scale);
        json_integer("parameters", parameters);
        json_text("device", rnnkit_context_device(run->context));
        json_integer("threads", options->threads);
        json_integer("seed", options->seed);
        json_end();
        return;
    }
    console_line("drawings    %s to learn from, %s held out; %.0f points each, movements of %.3g",
        console_count((int64_t)run->learn, a), console_count((int64_t)run->valid.count, b),
        (double)points / (double)run->learn, run->net.scale);
    console_line("network     LSTM %" PRId64 " x %" PRId64 ", %" PRId64 " Gaussians: %s parameters",
        options->layers, options->hidden, options->mixtures, console_count(parameters, a));
    console_line("machine     %s, %" PRId64 " thread%s, seed %" PRId64,
        rnnkit_context_device(run->context), options->threads, options->threads == 1 ? "" : "s",
        options->seed);
}

/* How drawings are varied depends on the update's number alone, so a run goes on as it would have. */
static int update(void *user, int64_t number, rnnkit_tape *tape, double *loss, double *weight)
{
    trainer *run = user;
    batch_loss sum;

    run->from.vary.random =
        (uint64_t)run->options->seed + 2 + (uint64_t)number * UINT64_C(0xD1342543DE82EF95);
    if (!batches_next(&run->from)) return fail("the epoch has no more batches");
    if (batches_measure(&run->from, &run->net, tape, 1, &sum) != OUTCOME_OK) return OUTCOME_FAILED;
    *weight = (double)run->from.points;
    *loss = (sum.offset + sum.pen) / *weight;
    return OUTCOME_OK;
}

static int validate(void *user, training_result *result)
{
    trainer *run = user;
    measured found;
    int outcome = measure(&run->valid, &run->net, run->context, &found);

    result->loss = found.offset + found.pen;
    return outcome;
}

static uint64_t hash_drawings(uint64_t hash, const drawings *source)
{
    for (size_t i = 0; i < source->point_count; i++) {
        const pen_point *one = &source->points[i];

        hash = record_hash(hash, &one->dx, sizeof one->dx);
        hash = record_hash(hash, &one->dy, sizeof one->dy);
        hash = record_hash(hash, &one->pen, sizeof one->pen);
    }
    return record_hash(hash, source->lengths, source->count * sizeof *source->lengths);
}

static int train(trainer *run, training *loop)
{
    const settings *options = run->options;

    loop->fingerprint = hash_drawings(RECORD_HASH, &run->data);
    if (run->other.count > 0) loop->fingerprint = hash_drawings(loop->fingerprint, &run->other);
    loop->context = run->context;
    loop->files.network = run->net.model;
    loop->order = &run->from.parts;
    loop->lr = options->lr;
    loop->clip = options->clip;
    loop->epochs = options->epochs;
    loop->patience = options->patience;
    loop->seed = options->seed;
    tell_start(run);
    session_start(&loop->files);
    return training_run(loop);
}

int train_command(arguments *parsed)
{
    static const training_steps steps = {update, validate};
    settings *options = parsed->values;
    const char *const inputs[] = {"data", options->data,
        options->valid_data[0] != '\0' ? "valid-data" : NULL, options->valid_data, NULL};
    trainer run = {.options = options};
    training loop = {.files = {SESSION_SETTINGS(parsed, options)},
        .steps = &steps,
        .user = &run,
        .unit = "point"};
    int outcome;

    if (options->threads == 0) options->threads = system_processors();
    outcome = training_begin(&loop, inputs);
    if (outcome == OUTCOME_OK) outcome = prepare(&run);
    if (outcome == OUTCOME_OK) outcome = train(&run, &loop);
    training_close(&loop);
    batches_close(&run.from);
    batches_close(&run.valid);
    network_close(&run.net);
    drawings_free(&run.data);
    drawings_free(&run.other);
    rnnkit_context_destroy(run.context);
    free(run.places);
    return outcome;
}
