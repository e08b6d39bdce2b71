/* The command `train`: reads and splits the reviews, makes the network, and trains until the
 * validation loss gets no better; the model file has the weights of the best epoch.
 */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/output.h"
#include "../common/plot.h"
#include "../common/random.h"
#include "../common/resume.h"
#include "../common/system.h"

/* A file that is written is no other one. */
static int check_output(const settings *options, const char *name, const char *path)
{
    if (output_check(name, path) != OUTCOME_OK ||
        output_check_apart(name, path, "data", options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (path == options->model) return OUTCOME_OK;
    return output_check_apart(name, path, "model", options->model);
}

static int check(const trainer *run)
{
    const settings *options = run->options;

    if (check_output(options, "model", options->model) != OUTCOME_OK ||
        check_output(options, "checkpoint", run->checkpoint_path) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (options->plot[0] == '\0') return OUTCOME_OK;
    if (check_output(options, "plot", options->plot) != OUTCOME_OK) return OUTCOME_FAILED;
    return output_check_apart("plot", options->plot, "checkpoint", run->checkpoint_path);
}

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

static int open_machine(trainer *run)
{
    const settings *options = run->options;
    int is_course = strcmp(options->preset, "course") == 0;
    char text[80];

    if (batches_open(&run->from, &run->train, options->batch, options->seed + 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    run->updates = (int64_t)run->from.order.count * options->epochs;
    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", options->lr, options->clip);
    if (failed(rnnkit_tape_create(run->context, "train=1", &run->tape)) ||
        failed(rnnkit_optimizer_create(run->net.model, "adam", text, &run->optimizer)))
        return OUTCOME_FAILED;
    if (failed(rnnkit_schedule_create(run->optimizer, is_course ? "constant" : "cosine",
            is_course ? 1 : run->updates, NULL, &run->schedule)) ||
        failed(rnnkit_checkpoint_create(run->net.model, &run->checkpoint)) ||
        failed(rnnkit_checkpoint_add_optimizer(run->checkpoint, "optimizer", run->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(run->checkpoint, "schedule", run->schedule)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(run->checkpoint, "tape", run->tape));
}

static int update(trainer *run, const batch *from)
{
    rnnkit_tensor *loss;
    double value;

    if (network_loss(&run->net, run->tape, from, &loss) != OUTCOME_OK ||
        failed(rnnkit_tensor_item(loss, &value)) || failed(rnnkit_tape_backward(run->tape, loss)) ||
        failed(rnnkit_optimizer_step(run->optimizer)) ||
        failed(rnnkit_schedule_step(run->schedule)))
        return OUTCOME_FAILED;
    run->place.update++;
    run->place.epoch_loss += value * (double)from->rows;
    run->place.epoch_count += (double)from->rows;
    run->place.interval_loss += value * (double)from->rows;
    run->place.interval_count += (double)from->rows;
    return OUTCOME_OK;
}

/* What may be due after an update. */
static int look_around(trainer *run)
{
    const settings *options = run->options;
    double wait = options->json ? 1 : console_is_terminal() ? 0.2 : 10, now = system_clock();

    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (run->trial == NULL && options->checkpoint[0] != '\0' && options->checkpoint_minutes > 0 &&
        now - run->saved >= 60.0 * options->checkpoint_minutes && train_save_run(run) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (now - run->told < wait) return OUTCOME_OK;
    if (curve_add(&run->train_curve, (int64_t)run->place.update,
            run->place.interval_loss / run->place.interval_count) != OUTCOME_OK)
        return OUTCOME_FAILED;
    report_progress(run);
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

static int run_epoch(trainer *run)
{
    run_place *place = &run->place;
    batch next;

    if (place->within == 0) {
        buckets_shuffle(&run->from.order);
        place->epoch_loss = place->epoch_count = 0;
        place->within = 1;
    }
    while (batches_next(&run->from, &next)) {
        int outcome = update(run, &next);

        if (outcome == OUTCOME_OK) outcome = look_around(run);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

/* Keeps the weights of an epoch that is the best so far, of a search too. */
static int keep_best(trainer *run, const score *valid, int *best)
{
    run_place *place = &run->place;

    *best = place->best_epoch == 0 || valid->loss < place->best_loss;
    if (!*best) return OUTCOME_OK;
    place->best_loss = valid->loss;
    place->best_accuracy = valid->accuracy;
    place->best_epoch = place->epoch;
    if (run->trial != NULL && !(valid->loss < run->trial->to_beat)) return OUTCOME_OK;
    return train_save_model(run);
}

static int finish_epoch(trainer *run)
{
    const settings *options = run->options;
    run_place *place = &run->place;
    score valid;
    int best, outcome;

    outcome = evaluate_sequences(&run->net, run->context, &run->valid, 64, &valid, NULL);
    if (outcome == OUTCOME_OK) outcome = keep_best(run, &valid, &best);
    if (outcome != OUTCOME_OK) return outcome;
    report_epoch(run, &valid, best);
    if (curve_add(&run->valid_curve, (int64_t)place->update, valid.loss) != OUTCOME_OK)
        return OUTCOME_FAILED;
    place->epoch++;
    place->within = 0;
    run->from.order.next = 0;
    if (options->plot[0] != '\0' && plot_write(options->plot, &run->train_curve, &run->valid_curve,
                                        run->updates, "review", 0) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return run->trial == NULL && options->checkpoint[0] != '\0' ? train_save_run(run) : OUTCOME_OK;
}

/* 0 after the last epoch, or when the best one is too long ago. */
static int goes_on(const trainer *run)
{
    const run_place *place = &run->place;
    double last = place->epoch - 1;

    if (place->within > 0) return 1;
    return last < (double)run->options->epochs &&
           (last == 0 || last - place->best_epoch < (double)run->options->patience);
}

static int run_epochs(trainer *run)
{
    while (goes_on(run)) {
        int outcome = run_epoch(run);

        if (outcome == OUTCOME_OK) outcome = finish_epoch(run);
        if (outcome != OUTCOME_OK) return outcome;
        if (run->trial != NULL && system_clock() > run->trial->deadline) {
            run->trial->cut = run->place.epoch <= (double)run->options->epochs;
            break;
        }
    }
    return OUTCOME_OK;
}

static int prepare(trainer *run, const record *earlier)
{
    const settings *options = run->options;
    size_t *places, learn;
    char text[96];
    uint64_t fingerprint;
    int outcome;

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (check(run) != OUTCOME_OK ||
        failed(rnnkit_context_create(options->device, text, &run->context)) ||
        reviews_read(&run->data, options->data, "train") != OUTCOME_OK ||
        reviews_check_labels(&run->data, options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    fingerprint = train_fingerprint(&run->data);
    if (options->resume && record_check_data(earlier, fingerprint) != OUTCOME_OK)
        return OUTCOME_FAILED;
    places = malloc(run->data.count * sizeof *places);
    if (places == NULL) return fail("out of memory");
    learn = split(&run->data, options, places);
    if (learn < 2 || learn == run->data.count)
        outcome = fail("%zu reviews are too few: some have to be held out", run->data.count);
    else
        outcome = make_network(run, places, learn);
    free(places);
    if (outcome == OUTCOME_OK) outcome = open_machine(run);
    if (outcome == OUTCOME_OK && options->resume) outcome = train_load_run(run);
    if (outcome == OUTCOME_OK)
        outcome = record_options(&settings_record, run->net.model, run->parsed, fingerprint);
    if (outcome == OUTCOME_OK && options->resume && run->place.best_epoch > 0)
        outcome = record_check_model(earlier, options->model);
    return outcome;
}

static int tell_interrupted(trainer *run)
{
    if (train_save_run(run) != OUTCOME_OK) return OUTCOME_FAILED;
    return resume_tell(run->parsed, run->options->json, (int64_t)run->place.update, run->updates,
        run->checkpoint_path);
}

static int train(trainer *run, record *earlier)
{
    const settings *options = run->options;
    int outcome = OUTCOME_OK;

    if (options->resume) outcome = record_read(earlier, &settings_record, run->checkpoint_path);
    if (outcome == OUTCOME_OK && options->resume) outcome = record_apply(earlier, run->parsed);
    if (outcome != OUTCOME_OK) return outcome;
    run->train_curve = earlier->train;
    run->valid_curve = earlier->valid;
    earlier->train = earlier->valid = (curve){0};
    run->place.epoch = 1;
    run->began = run->told = system_clock();
    outcome = prepare(run, earlier);
    if (outcome == OUTCOME_INTERRUPTED && run->trial == NULL)
        console_note("interrupted before the first update");
    if (outcome != OUTCOME_OK) return outcome;
    run->saved = system_clock();
    outcome = run_epochs(run);
    if (run->trial != NULL) {
        run->trial->loss = run->place.best_epoch > 0 ? run->place.best_loss : NAN;
        run->trial->epoch = (int64_t)run->place.best_epoch;
        return outcome == OUTCOME_DIVERGED ? OUTCOME_OK : outcome;
    }
    if (outcome == OUTCOME_INTERRUPTED) return tell_interrupted(run);
    return outcome == OUTCOME_OK ? report_done(run) : outcome;
}

static int train_once(arguments *parsed, search_trial *trial)
{
    settings *options = parsed->values;
    char *path = resume_path(options->checkpoint, options->model);
    trainer run = {.parsed = parsed, .options = options, .trial = trial, .checkpoint_path = path};
    record earlier = {0};
    int outcome;

    if (path == NULL) return OUTCOME_FAILED;
    if (options->threads == 0) options->threads = system_processors();
    outcome = train(&run, &earlier);
    rnnkit_checkpoint_destroy(run.checkpoint);
    rnnkit_schedule_destroy(run.schedule);
    rnnkit_optimizer_destroy(run.optimizer);
    rnnkit_tape_destroy(run.tape);
    batches_close(&run.from);
    encode_free(&run.train);
    encode_free(&run.valid);
    network_close(&run.net);
    reviews_free(&run.data);
    rnnkit_context_destroy(run.context);
    curve_free(&run.train_curve);
    curve_free(&run.valid_curve);
    record_free(&earlier);
    free(path);
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
