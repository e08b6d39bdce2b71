/* The command `train`: reads and splits the reviews, makes the network, starts it from word vectors and
 * trains it (common/training.h).
 */
#include "train.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/random.h"
#include "../common/system.h"

/* Of each label the same part is held out. `places`: first those to learn from, then the others. */
static size_t split(const reviews *data, const settings *options, size_t *places)
{
    uint64_t random = (uint64_t)options->seed;
    size_t learn = 0, held = data->count;

    for (int label = 0; label < 2; label++) {
        size_t total = 0, wanted, left;

        for (size_t i = 0; i < data->count; i++)
            total += data->items[i].label == label;
        wanted = (size_t)((double)total * options->valid + 0.5);
        if (wanted == 0 && total > 1) wanted = 1;
        left = total;
        for (size_t i = 0; i < data->count; i++) {
            if (data->items[i].label != label) continue;
            if (random_below(&random, left--) < wanted) {
                wanted--;
                places[--held] = i;
            } else {
                places[learn++] = i;
            }
        }
    }
    return learn;
}

/* The network starts from word vectors, and reads both parts as ids. */
static int make_network(trainer *run, const size_t *places, size_t learn)
{
    const settings *options = run->options;
    rnnkit_vocab *vocab = NULL;
    size_t held = run->data.count - learn;
    int outcome;

    if (encode_vocab(run->context, options, &run->data, places, learn, &vocab) != OUTCOME_OK) {
        rnnkit_vocab_destroy(vocab);
        return OUTCOME_FAILED;
    }
    outcome = network_create(&run->net, run->context, options, vocab, run->data.labels);
    if (outcome == OUTCOME_OK)
        outcome = encode_reviews(&run->train, vocab, run->net.part, &run->data, places, learn);
    if (outcome == OUTCOME_OK)
        outcome =
            encode_reviews(&run->valid, vocab, run->net.part, &run->data, places + learn, held);
    if (outcome != OUTCOME_OK) return outcome;
    report_start(run);
    if (options->resume) return OUTCOME_OK;
    if (options->vectors[0] != '\0') {
        outcome = pretrain_file(&run->net, run->context, options->vectors, &run->known);
        if (outcome == OUTCOME_OK) report_vectors(run);
        return outcome;
    }
    if (options->pretrain == 0) return OUTCOME_OK;
    report_pretraining(run);
    return pretrain_reviews(&run->net, options, &run->data, places, learn);
}

static int update(void *user, int64_t number, rnnkit_tape *tape, double *loss, double *weight)
{
    trainer *run = user;
    rnnkit_tensor *at;
    batch next;

    (void)number;
    if (!batches_next(&run->from, &next)) return fail("the epoch has no more batches");
    if (network_loss(&run->net, tape, &next, &at) != OUTCOME_OK ||
        failed(rnnkit_tensor_item(at, loss)))
        return OUTCOME_FAILED;
    *weight = (double)next.rows;
    return failed(rnnkit_tape_backward(tape, at));
}

static int validate(void *user, training_result *result)
{
    trainer *run = user;
    score found;
    int outcome = evaluate_sequences(&run->net, run->context, &run->valid, 64, &found, NULL);

    *result = (training_result){found.loss, found.accuracy};
    return outcome;
}

static uint64_t fingerprint(const reviews *data)
{
    uint64_t hash = RECORD_HASH;

    for (size_t i = 0; i < data->count; i++) {
        const review *one = &data->items[i];

        hash = record_hash(hash, &one->label, sizeof one->label);
        hash = record_hash(hash, &one->length, sizeof one->length);
        hash = record_hash(hash, one->text, (size_t)one->length);
    }
    return hash;
}

static int prepare(trainer *run, training *loop)
{
    const settings *options = run->options;
    size_t *places, learn;
    char text[96];
    int outcome;

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (failed(rnnkit_context_create(options->device, text, &run->context)) ||
        reviews_read(&run->data, options->data, "train") != OUTCOME_OK ||
        reviews_check_labels(&run->data, options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    loop->fingerprint = fingerprint(&run->data);
    if (session_check_data(&loop->files, loop->fingerprint) != OUTCOME_OK) return OUTCOME_FAILED;
    places = malloc(run->data.count * sizeof *places);
    if (places == NULL) return fail("out of memory");
    learn = split(&run->data, options, places);
    if (learn < 2 || learn == run->data.count)
        outcome = fail("%zu reviews are too few: some have to be held out", run->data.count);
    else
        outcome = make_network(run, places, learn);
    free(places);
    if (outcome != OUTCOME_OK) return outcome;
    return batches_open(&run->from, &run->train, options->batch, options->seed + 1);
}

static int train(trainer *run, training *loop)
{
    const settings *options = run->options;
    int outcome = prepare(run, loop);

    if (outcome == OUTCOME_INTERRUPTED && !run->quiet)
        console_note("interrupted before the first update");
    if (outcome != OUTCOME_OK) return outcome;
    loop->context = run->context;
    loop->files.network = run->net.model;
    loop->order = &run->from.order;
    loop->lr = options->lr;
    loop->clip = options->clip;
    loop->constant = strcmp(options->preset, "course") == 0;
    loop->epochs = options->epochs;
    loop->patience = options->patience;
    loop->seed = options->seed;
    return training_run(loop);
}

static int train_once(arguments *parsed, search_trial *trial)
{
    static const training_steps steps = {update, validate};
    settings *options = parsed->values;
    const char *const inputs[] = {"data", options->data, NULL};
    trainer run = {.options = options, .quiet = trial != NULL};
    training loop = {.files = {SESSION_SETTINGS(parsed, options)},
        .steps = &steps,
        .user = &run,
        .unit = "review",
        .figure_key = "accuracy",
        .figure_words = "accuracy",
        .figure_leads = 1,
        .trial = trial};
    int outcome;

    if (options->threads == 0) options->threads = system_processors();
    outcome = training_begin(&loop, inputs);
    session_start(&loop.files);
    if (outcome == OUTCOME_OK) outcome = train(&run, &loop);
    training_close(&loop);
    batches_close(&run.from);
    encode_free(&run.train);
    encode_free(&run.valid);
    network_close(&run.net);
    reviews_free(&run.data);
    rnnkit_context_destroy(run.context);
    return outcome;
}

int train_command(arguments *parsed)
{
    static const search_range ranges[] = {{"lr", 0.0003, 0.01, 1}, {"hidden", 32, 256, 1},
        {"layers", 1, 2, 0}, {"dropout-ends", 0, 0.6, 0}, {"batch", 16, 128, 1}};
    const settings *options = parsed->values;
    search over = {.ranges = ranges,
        .range_count = sizeof ranges / sizeof *ranges,
        .trials = options->search,
        .seed = options->seed,
        .minutes = options->search_minutes,
        .json = options->json,
        .input = options->data,
        .what = "reviews",
        .saves = options->resume || options->checkpoint[0] != '\0',
        .run = train_once};

    return search_train(&over, parsed);
}
