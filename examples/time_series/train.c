/* The command `train`: truncated back-propagation through time over several places of the series at
 * once, the state carried on within an epoch; the weights of the best epoch are kept.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/system.h"
#include "train.h"

/* Uniform in (0, 1): SplitMix64 (Steele, Lea and Flood 2014). */
static double draw(uint64_t *random)
{
    uint64_t z = *random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

/* Standard normal (Box and Muller 1958). */
static double draw_normal(uint64_t *random)
{
    double radius = sqrt(-2 * log(draw(random)));

    return radius * cos(6.283185307179586 * draw(random));
}

/* As many places as leave each one four times --steps to read. */
static int split(trainer *run)
{
    const settings *options = run->options;
    int64_t rows = run->data.data.rows, lanes;

    run->rows = rows - (int64_t)((double)rows * options->valid);
    if (rows < 16 || rows - run->rows < 2)
        return fail("a series of %" PRId64
                    " rows is too short: 16 are the least, 2 of them held out",
            rows);
    lanes = (run->rows - 1) / (4 * options->steps);
    run->lanes = lanes < 1 ? 1 : lanes > options->batch ? options->batch : lanes;
    return series_scale(&run->data, run->rows);
}

int64_t train_epoch_updates(const trainer *run)
{
    int64_t length = (run->rows - 1) / run->lanes;

    return (length + run->options->steps - 1) / run->options->steps;
}

static int open_machine(trainer *run)
{
    const settings *options = run->options;
    rnnkit_checkpoint **out = &run->files.run;
    size_t count = (size_t)(options->steps * run->lanes * run->data.data.columns);
    char text[80];
    int64_t updates = train_epoch_updates(run) * options->epochs;

    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", options->lr, options->clip);
    run->x = malloc(count * sizeof *run->x);
    run->targets = malloc(count * sizeof *run->targets);
    if (run->x == NULL || run->targets == NULL) return fail("out of memory");
    if (network_create(&run->net, run->context, options, run->data.data.columns) != OUTCOME_OK ||
        series_record(&run->data, run->net.model) != OUTCOME_OK ||
        failed(rnnkit_tape_create(run->context, "train=1", &run->tape)) ||
        failed(rnnkit_state_create(run->net.rnn, run->lanes, &run->state)) ||
        failed(rnnkit_optimizer_create(run->net.model, "adam", text, &run->optimizer)))
        return OUTCOME_FAILED;
    run->files.network = run->net.model;
    if (failed(rnnkit_schedule_create(run->optimizer, "cosine", updates, NULL, &run->schedule)) ||
        failed(rnnkit_checkpoint_create(run->net.model, out)) ||
        failed(rnnkit_checkpoint_add_optimizer(*out, "optimizer", run->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(*out, "schedule", run->schedule)) ||
        failed(rnnkit_checkpoint_add_state(*out, "state", run->state)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(*out, "tape", run->tape));
}

/* Steps at .. at + steps - 1 of every lane, and the changes to what follows. */
static void fill(trainer *run, int64_t first, int64_t length, int64_t at, int64_t steps)
{
    int64_t columns = run->data.data.columns;

    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < run->lanes; b++)
            for (int64_t c = 0; c < columns; c++) {
                const float *z = run->data.z + (first + b * length + at + t) * columns + c;
                int64_t place = (t * run->lanes + b) * columns + c;
                double noise =
                    run->options->noise > 0 ? run->options->noise * draw_normal(&run->random) : 0;

                run->x[place] = (float)((double)z[0] + noise);
                run->targets[place] = z[columns] - run->x[place];
            }
}

static int update(trainer *run, int64_t steps)
{
    static const char *const kinds[] = {"squared_error", "absolute_error", "huber"};
    const char *word = run->options->loss;
    const char *kind = kinds[word[0] == 's' ? 0 : word[0] == 'a' ? 1 : 2];
    int64_t count = steps * run->lanes * run->data.data.columns;
    rnnkit_tensor *changes, *loss;
    int32_t status;

    if (network_run(&run->net, run->tape, run->state, run->x, steps, run->lanes, &changes) !=
            OUTCOME_OK ||
        failed(rnnkit_pointwise_loss(
            run->tape, kind, changes, run->targets, count, NULL, 0, NULL, &loss)) ||
        failed(rnnkit_tensor_item(loss, &run->place.loss)) ||
        failed(rnnkit_tape_backward(run->tape, loss)))
        return OUTCOME_FAILED;
    status = rnnkit_optimizer_step(run->optimizer);
    if (status == RNNKIT_E_DIVERGED)
        return run->trial != NULL
                   ? OUTCOME_DIVERGED
                   : fail("training diverged in epoch %.0f; try a smaller --lr", run->place.epoch);
    if (failed(status) || failed(rnnkit_schedule_step(run->schedule))) return OUTCOME_FAILED;
    run->place.update++;
    return OUTCOME_OK;
}

/* Each epoch starts at another row, so that updates do not always cut at the same places. */
static int start_epoch(trainer *run)
{
    int64_t slack = run->options->steps < run->rows / 4 ? run->options->steps : run->rows / 4;
    run_place *place = &run->place;

    place->first = (double)(int64_t)(draw(&run->random) * (double)slack);
    place->at = 0;
    place->within = 1;
    return failed(rnnkit_state_reset(run->state, -1));
}

static int run_epoch(trainer *run)
{
    run_place *place = &run->place;
    int64_t first, length;

    if (place->within == 0 && start_epoch(run) != OUTCOME_OK) return OUTCOME_FAILED;
    first = (int64_t)place->first;
    length = (run->rows - 1 - first) / run->lanes;
    while (place->at < (double)length) {
        int64_t at = (int64_t)place->at;
        int64_t steps = length - at < run->options->steps ? length - at : run->options->steps;

        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        fill(run, first, length, at, steps);
        int outcome = update(run, steps);
        if (outcome != OUTCOME_OK) return outcome;
        place->at += (double)steps;
    }
    return OUTCOME_OK;
}

static int validate(trainer *run, double *ratio)
{
    errors *columns = calloc((size_t)run->data.data.columns, sizeof *columns);
    int outcome;

    if (columns == NULL) return fail("out of memory");
    outcome =
        evaluate_next(&run->net, run->context, &run->data, run->rows, run->data.data.rows, columns);
    *ratio = errors_ratio(columns, &run->data);
    free(columns);
    return outcome;
}

/* Keeps the weights of an epoch that is the best so far, of a search too. A series that never
 * changes has no naive error to compare with: then every epoch is the best. */
static int keep_best(trainer *run, double ratio, int *best)
{
    run_place *place = &run->place;

    *best = place->best_epoch == 0 || isnan(ratio) || ratio < place->best;
    if (!*best) return OUTCOME_OK;
    place->best = ratio;
    place->best_epoch = place->epoch;
    if (run->trial != NULL && !(ratio < run->trial->to_beat)) return OUTCOME_OK;
    return session_save_model(&run->files, 0);
}

static int finish_epoch(trainer *run)
{
    const settings *options = run->options;
    double ratio = NAN;
    int best = 0, outcome = validate(run, &ratio);

    if (outcome == OUTCOME_OK) outcome = keep_best(run, ratio, &best);
    if (outcome != OUTCOME_OK) return outcome;
    report_epoch(run, ratio, best);
    if (console_is_broken()) return OUTCOME_FAILED;
    run->place.epoch++;
    run->place.within = 0;
    if (run->trial != NULL || options->checkpoint[0] == '\0') return OUTCOME_OK;
    if (system_clock() - run->files.saved < 60.0 * options->checkpoint_minutes) return OUTCOME_OK;
    return train_save_run(run);
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
    if (run->trial != NULL || run->options->checkpoint[0] == '\0') return OUTCOME_OK;
    return train_save_run(run);
}

static uint64_t fingerprint_of(const series *data)
{
    size_t count = (size_t)(data->data.rows * data->data.columns);

    return record_hash(RECORD_HASH, data->data.values, count * sizeof *data->data.values);
}

static int prepare(trainer *run)
{
    const settings *options = run->options;
    char text[96];
    uint64_t fingerprint;
    int outcome;

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    run->random = (uint64_t)options->seed;
    if (failed(rnnkit_context_create(options->device, text, &run->context)) ||
        series_open(&run->data, options, &options->columns) != OUTCOME_OK ||
        split(run) != OUTCOME_OK)
        return OUTCOME_FAILED;
    fingerprint = fingerprint_of(&run->data);
    if (session_check_data(&run->files, fingerprint) != OUTCOME_OK) return OUTCOME_FAILED;
    outcome = open_machine(run);
    if (outcome == OUTCOME_OK) outcome = train_load_run(run);
    if (outcome == OUTCOME_OK)
        outcome = session_record(&run->files, fingerprint, run->place.best_epoch > 0);
    return outcome;
}

static int train(trainer *run)
{
    int outcome;

    run->place.epoch = 1;
    outcome = prepare(run);
    if (outcome != OUTCOME_OK) return outcome;
    report_start(run);
    session_start(&run->files);
    outcome = run_epochs(run);
    if (run->trial != NULL) {
        run->trial->loss = run->place.best_epoch > 0 ? run->place.best : NAN;
        run->trial->epoch = (int64_t)run->place.best_epoch;
        return outcome == OUTCOME_DIVERGED ? OUTCOME_OK : outcome;
    }
    if (outcome == OUTCOME_INTERRUPTED) return train_stop(run);
    if (outcome == OUTCOME_OK && run->options->plot[0] != '\0') outcome = report_plot(run);
    return outcome == OUTCOME_OK ? report_done(run) : outcome;
}

static int train_once(arguments *parsed, search_trial *trial)
{
    const settings *options = parsed->values;
    const char *const inputs[] = {options->data[0] != '\0' ? "data" : NULL, options->data, NULL};
    trainer run = {.options = options,
        .trial = trial,
        .files = {SESSION_SETTINGS(parsed, options), .numbers = train_numbers,
            .number_count = train_number_count}};
    int outcome = session_begin(&run.files, inputs);

    if (outcome == OUTCOME_OK) outcome = train(&run);
    rnnkit_checkpoint_destroy(run.files.run);
    rnnkit_schedule_destroy(run.schedule);
    rnnkit_optimizer_destroy(run.optimizer);
    rnnkit_state_destroy(run.state);
    rnnkit_tape_destroy(run.tape);
    network_close(&run.net);
    series_close(&run.data);
    rnnkit_context_destroy(run.context);
    session_close(&run.files);
    free(run.x);
    free(run.targets);
    return outcome;
}

int train_command(arguments *parsed)
{
    static const search_range ranges[] = {{"lr", 0.001, 0.05, 1}, {"hidden", 8, 128, 1},
        {"layers", 1, 2, 0}, {"dropout", 0, 0.5, 0}, {"batch", 1, 32, 1}};
    const settings *options = parsed->values;
    search over = {.ranges = ranges,
        .range_count = sizeof ranges / sizeof *ranges,
        .trials = options->search,
        .seed = options->seed,
        .minutes = options->search_minutes,
        .json = options->json,
        .input = options->data,
        .what = "series",
        .saves = options->resume || options->checkpoint[0] != '\0',
        .run = train_once};

    return search_train(&over, parsed);
}
