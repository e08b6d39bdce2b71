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
#include "../common/system.h"

static int check(const settings *options)
{
    if (output_check("model", options->model) != OUTCOME_OK ||
        output_check_apart("model", options->model, "data", options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (options->plot[0] == '\0') return OUTCOME_OK;
    if (output_check("plot", options->plot) != OUTCOME_OK ||
        output_check_apart("plot", options->plot, "data", options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return output_check_apart("plot", options->plot, "model", options->model);
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
            if (buckets_draw(&random, left--) < wanted) {
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
    char text[80];

    if (batches_open(&run->from, &run->train, options->batch, options->seed + 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    run->updates = (int64_t)run->from.order.count * options->epochs;
    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", options->lr, options->clip);
    if (failed(rnnkit_tape_create(run->context, "train=1", &run->tape)) ||
        failed(rnnkit_optimizer_create(run->net.model, "adam", text, &run->optimizer)))
        return OUTCOME_FAILED;
    return failed(rnnkit_schedule_create(run->optimizer,
        strcmp(options->preset, "course") == 0 ? "constant" : "cosine", run->updates, NULL,
        &run->schedule));
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
    run->update++;
    run->epoch_loss += value * (double)from->rows;
    run->epoch_count += (double)from->rows;
    run->interval_loss += value * (double)from->rows;
    run->interval_count += (double)from->rows;
    return OUTCOME_OK;
}

static int run_epoch(trainer *run)
{
    double wait = run->options->json ? 1 : console_is_terminal() ? 0.2 : 10;
    batch next;

    buckets_shuffle(&run->from.order);
    run->epoch_loss = run->epoch_count = 0;
    while (batches_next(&run->from, &next)) {
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        int outcome = update(run, &next);
        if (outcome != OUTCOME_OK) return outcome;
        if (system_clock() - run->told < wait) continue;
        if (points_add(&run->train_curve, (double)run->update,
                run->interval_loss / run->interval_count) != OUTCOME_OK)
            return OUTCOME_FAILED;
        report_progress(run);
        if (console_is_broken()) return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

static int finish_epoch(trainer *run)
{
    const settings *options = run->options;
    score valid;
    int best, outcome;

    outcome = evaluate_sequences(&run->net, run->context, &run->valid, 64, &valid, NULL);
    if (outcome != OUTCOME_OK) return outcome;
    best = run->best_epoch == 0 || valid.loss < run->best.loss;
    if (best) {
        run->best = valid;
        run->best_epoch = run->epoch;
        if ((run->trial == NULL || valid.loss < run->trial->to_beat) &&
            failed(rnnkit_model_save(run->net.model, options->model)))
            return OUTCOME_FAILED;
    }
    report_epoch(run, &valid, best);
    if (points_add(&run->valid_curve, (double)run->update, valid.loss) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return options->plot[0] != '\0' ? report_plot(run) : OUTCOME_OK;
}

static int run_epochs(trainer *run)
{
    for (run->epoch = 1; run->epoch <= run->options->epochs; run->epoch++) {
        int outcome = run_epoch(run);

        if (outcome == OUTCOME_OK) outcome = finish_epoch(run);
        if (outcome != OUTCOME_OK) return outcome;
        if (run->epoch - run->best_epoch >= run->options->patience) break;
        if (run->trial != NULL && system_clock() > run->trial->deadline) {
            run->trial->cut = run->epoch < run->options->epochs;
            break;
        }
    }
    return OUTCOME_OK;
}

static int prepare(trainer *run)
{
    const settings *options = run->options;
    size_t *places, learn;
    char text[96];
    int outcome;

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (check(options) != OUTCOME_OK ||
        failed(rnnkit_context_create(options->device, text, &run->context)) ||
        reviews_read(&run->data, options->data, "train") != OUTCOME_OK ||
        reviews_check_labels(&run->data, options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    places = malloc(run->data.count * sizeof *places);
    if (places == NULL) return fail("out of memory");
    learn = split(&run->data, options, places);
    if (learn < 2 || learn == run->data.count)
        outcome = fail("%zu reviews are too few: some have to be held out", run->data.count);
    else
        outcome = make_network(run, places, learn);
    free(places);
    return outcome == OUTCOME_OK ? open_machine(run) : outcome;
}

static int train(trainer *run)
{
    int outcome;

    run->began = run->told = system_clock();
    outcome = prepare(run);
    if (outcome == OUTCOME_OK) outcome = run_epochs(run);
    if (run->trial != NULL) {
        run->trial->loss = run->best_epoch > 0 ? run->best.loss : NAN;
        run->trial->epoch = run->best_epoch;
        return outcome == OUTCOME_DIVERGED ? OUTCOME_OK : outcome;
    }
    if (outcome == OUTCOME_INTERRUPTED)
        console_note("interrupted after update %" PRId64 "; %s %s", run->update,
            run->options->model,
            run->best_epoch > 0 ? "holds the best weights so far" : "was not written");
    return outcome == OUTCOME_OK ? report_done(run) : outcome;
}

static int train_once(arguments *parsed, search_trial *trial)
{
    settings *options = parsed->values;
    trainer run = {.parsed = parsed, .options = options, .trial = trial};
    int outcome;

    if (options->threads == 0) options->threads = system_processors();
    outcome = train(&run);
    rnnkit_schedule_destroy(run.schedule);
    rnnkit_optimizer_destroy(run.optimizer);
    rnnkit_tape_destroy(run.tape);
    batches_close(&run.from);
    encode_free(&run.train);
    encode_free(&run.valid);
    network_close(&run.net);
    reviews_free(&run.data);
    rnnkit_context_destroy(run.context);
    free(run.train_curve.x);
    free(run.train_curve.y);
    free(run.valid_curve.x);
    free(run.valid_curve.y);
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
        .run = train_once};

    if (options->search == 0) return train_once(parsed, NULL);
    if (strcmp(options->data, "-") == 0)
        return fail(
            "--search reads the reviews several times, which standard input is not good for");
    return search_run(&over, parsed);
}
