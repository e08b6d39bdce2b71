/* The command `train`: reads pictures and captions, holds some pictures out, makes the network and
 * trains it (common/training.h).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/random.h"
#include "../common/system.h"
#include "../common/training.h"
#include "commands.h"
#include "measure.h"

enum { PART_NONE, PART_TRAIN, PART_VALID };

typedef struct trainer {
    const settings *options;
    rnnkit_context *context;
    gallery pictures;
    captions known;
    unsigned char *part;              /* [pictures] */
    int64_t train_count, valid_count; /* pictures */
    network net;
    batches from;
    view_room room;
} trainer;

/* Of the pictures that have captions. */
static int split(trainer *run)
{
    const captions *known = &run->known;
    uint64_t random = (uint64_t)run->options->seed;
    size_t count = 0, held, left;

    run->part = calloc((size_t)run->pictures.count, 1);
    if (run->part == NULL) return fail("out of memory");
    for (size_t i = 0; i < known->count; i = captions_next(known, i))
        count++;
    held = (size_t)((double)count * run->options->valid + 0.5);
    if (held == 0) held = 1;
    if (count < 2 || held == count)
        return fail("%zu picture%s with captions: too few, for some have to be held out", count,
            count == 1 ? "" : "s");
    run->valid_count = (int64_t)held;
    run->train_count = (int64_t)(count - held);
    left = count;
    for (size_t i = 0; i < known->count; i = captions_next(known, i)) {
        int is_held = random_below(&random, left--) < held;

        held -= (size_t)is_held;
        run->part[known->items[i].picture] = is_held ? PART_VALID : PART_TRAIN;
    }
    return OUTCOME_OK;
}

/* Adds numbers of a picture, and their squares: [2][width]. */
static void add_sums(const gallery *pictures, const float *values, double *sums)
{
    int64_t width = pictures->width;

    for (int64_t i = 0; i < pictures->positions * width; i++) {
        sums[i % width] += (double)values[i];
        sums[width + i % width] += (double)values[i] * (double)values[i];
    }
}

/* Means and deviations [2][width] of each feature in some pictures that are learned from. One that
 * is always the same has no deviation: 1 will do. */
static int measure_scale(const trainer *run, float *scale)
{
    enum { MOST = 1000 };
    const gallery *pictures = &run->pictures;
    int64_t width = pictures->width, seen = 0;
    double *sums = calloc(2 * (size_t)width, sizeof *sums), numbers;
    float *values = malloc((size_t)(pictures->positions * width) * sizeof *values);
    int outcome = sums == NULL || values == NULL ? fail("out of memory") : OUTCOME_OK;

    for (int64_t i = 0; i < pictures->count && seen < MOST && outcome == OUTCOME_OK; i++) {
        if (run->part[i] != PART_TRAIN) continue;
        outcome = gallery_read(pictures, i, values);
        if (outcome == OUTCOME_OK) add_sums(pictures, values, sums);
        seen++;
    }
    numbers = (double)seen * (double)pictures->positions;
    for (int64_t k = 0; k < width && outcome == OUTCOME_OK; k++) {
        double mean = sums[k] / numbers, square = sums[width + k] / numbers - mean * mean;
        int is_constant = square <= 1e-12 * mean * mean;

        scale[k] = (float)mean;
        scale[width + k] = is_constant ? 1 : (float)sqrt(square);
    }
    free(sums);
    free(values);
    return outcome;
}

static void tell_start(const trainer *run)
{
    const settings *options = run->options;
    const gallery *pictures = &run->pictures;
    int64_t parameters = 0, words = 0;
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];

    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0 ||
        rnnkit_vocab_size(run->net.vocab, &words, NULL) < 0)
        parameters = words = 0;
    if (options->json) {
        json_begin("start");
        json_integer("pictures", pictures->count);
        json_integer("train_pictures", run->train_count);
        json_integer("valid_pictures", run->valid_count);
        json_integer("captions", (int64_t)run->known.count);
        json_integer("positions", pictures->positions);
        json_integer("width", pictures->width);
        json_integer("words", words);
        json_integer("parameters", parameters);
        json_text("device", rnnkit_context_device(run->context));
        json_integer("threads", options->threads);
        json_integer("seed", options->seed);
        json_end();
        return;
    }
    console_line("pictures    %s to learn from, %s held out; %" PRId64 " places of %" PRId64
                 " numbers",
        console_count(run->train_count, a), console_count(run->valid_count, b), pictures->positions,
        pictures->width);
    if (run->train_count + run->valid_count < pictures->count)
        console_line("            %s more have no caption and are passed over",
            console_count(pictures->count - run->train_count - run->valid_count, a));
    console_line("captions    %s; %s different words, %.2f%% of the text became <unk>",
        console_count((int64_t)run->known.count, a), console_count(words, b),
        100.0 * (double)run->known.unknown / (double)run->known.words);
    console_line("network     memory %" PRId64 ", embedding %" PRId64 ", decoder %" PRId64
                 ": %s parameters",
        options->memory, options->embedding, options->hidden, console_count(parameters, a));
    console_line("machine     %s, %" PRId64 " thread%s, seed %" PRId64,
        rnnkit_context_device(run->context), options->threads, options->threads == 1 ? "" : "s",
        options->seed);
}

static int make_network(trainer *run)
{
    const settings *options = run->options;
    rnnkit_vocab *vocab = NULL;
    float *scale = malloc(2 * (size_t)run->pictures.width * sizeof *scale);
    char text[80];

    snprintf(text, sizeof text, "boundaries=1 min_count=%" PRId64, options->min_count);
    if ((scale == NULL && fail("out of memory")) ||
        captions_vocab(&run->known, run->context, text, run->part, PART_TRAIN, &vocab) !=
            OUTCOME_OK ||
        captions_encode(&run->known, vocab) != OUTCOME_OK ||
        measure_scale(run, scale) != OUTCOME_OK) {
        rnnkit_vocab_destroy(vocab);
        free(scale);
        return OUTCOME_FAILED;
    }
    return network_create(&run->net, run->context, options, &run->pictures, vocab, scale);
}

static int prepare(trainer *run)
{
    const settings *options = run->options;
    char text[96];

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (failed(rnnkit_context_create(options->device, text, &run->context)) ||
        gallery_open(&run->pictures, run->context, options->features) != OUTCOME_OK ||
        captions_read(&run->known, options->captions, &run->pictures) != OUTCOME_OK ||
        split(run) != OUTCOME_OK || make_network(run) != OUTCOME_OK ||
        batches_open(&run->from, &run->known, run->part, PART_TRAIN, options->batch,
            options->seed + 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return view_room_make(&run->room, &run->pictures, (int64_t)run->from.parts.size);
}

static int update(void *user, int64_t number, rnnkit_tape *tape, double *loss, double *weight)
{
    trainer *run = user;
    rnnkit_tensor *at;
    batch next;
    view seen;

    (void)number;
    if (!batches_next(&run->from, &next)) return fail("the epoch has no more batches");
    if (network_see(&run->net, tape, &run->pictures, next.pictures, next.rows, &run->room, &seen) !=
            OUTCOME_OK ||
        network_loss(&run->net, tape, &seen, next.inputs, next.targets, next.steps, next.rows,
            &at) != OUTCOME_OK ||
        failed(rnnkit_tensor_item(at, loss)))
        return OUTCOME_FAILED;
    *weight = (double)next.words;
    return failed(rnnkit_tape_backward(tape, at));
}

static int validate(void *user, training_result *result)
{
    trainer *run = user;
    measured found;
    int outcome = measure(&run->net, run->context, &run->pictures, &run->known, run->part,
        PART_VALID, 1, NULL, NULL, &found);

    *result = (training_result){found.loss, found.exact};
    return outcome;
}

/* Captions, and what the features of the first picture are: of a file that may be larger than memory. */
static int fingerprint(const trainer *run, uint64_t *hash)
{
    const gallery *pictures = &run->pictures;
    int64_t count = pictures->positions * pictures->width;
    float *values = malloc((size_t)count * sizeof *values);
    int outcome = values == NULL ? fail("out of memory") : gallery_read(pictures, 0, values);

    *hash = RECORD_HASH;
    if (outcome == OUTCOME_OK) {
        *hash = record_hash(*hash, &pictures->count, sizeof pictures->count);
        *hash = record_hash(*hash, values, (size_t)count * sizeof *values);
    }
    for (size_t i = 0; i < run->known.count && outcome == OUTCOME_OK; i++) {
        const caption *one = &run->known.items[i];

        *hash = record_hash(*hash, &one->picture, sizeof one->picture);
        *hash = record_hash(*hash, one->text, strlen(one->text) + 1);
    }
    free(values);
    return outcome;
}

static int train(trainer *run, training *loop)
{
    const settings *options = run->options;

    if (fingerprint(run, &loop->fingerprint) != OUTCOME_OK) return OUTCOME_FAILED;
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
    const char *const inputs[] = {
        "features", options->features, "captions", options->captions, NULL};
    trainer run = {.options = options};
    training loop = {.files = {SESSION_SETTINGS(parsed, options)},
        .steps = &steps,
        .user = &run,
        .figure_key = "exact",
        .figure_words = "captions that are right",
        .unit = "word"};
    int outcome;

    if (options->threads == 0) options->threads = system_processors();
    outcome = training_begin(&loop, inputs);
    if (outcome == OUTCOME_OK) outcome = prepare(&run);
    if (outcome == OUTCOME_OK) outcome = train(&run, &loop);
    training_close(&loop);
    view_room_free(&run.room);
    batches_close(&run.from);
    network_close(&run.net);
    captions_free(&run.known);
    gallery_close(&run.pictures);
    rnnkit_context_destroy(run.context);
    free(run.part);
    return outcome;
}
