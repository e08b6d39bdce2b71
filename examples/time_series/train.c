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
#include "../common/json.h"
#include "../common/output.h"
#include "../common/search.h"
#include "../common/system.h"
#include "commands.h"

/* Beside the outcomes of console.h: a trial of a search that is over. */
enum { OUTCOME_DIVERGED = 3 };

typedef struct trainer {
    arguments *parsed;
    const settings *options;
    rnnkit_context *context;
    series data;
    network net;
    rnnkit_tape *tape;
    rnnkit_state *state;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    int64_t rows, lanes; /* to learn from; read side by side */
    float *x, *targets;  /* [steps][lanes][columns] */
    uint64_t random;
    int64_t epoch, best_epoch;
    double loss, best, began, told; /* best: ratio to the naive forecast on what is held out */
    search_trial *trial;            /* or NULL: then the run speaks for itself */
} trainer;

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

static int check(const settings *options)
{
    if (output_check("model", options->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (options->data[0] != '\0' &&
        output_check_apart("model", options->model, "data", options->data) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (options->plot[0] == '\0') return OUTCOME_OK;
    if (output_check("plot", options->plot) != OUTCOME_OK ||
        (options->data[0] != '\0' &&
            output_check_apart("plot", options->plot, "data", options->data) != OUTCOME_OK))
        return OUTCOME_FAILED;
    return output_check_apart("plot", options->plot, "model", options->model);
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

static int64_t epoch_updates(const trainer *run)
{
    int64_t length = (run->rows - 1) / run->lanes;

    return (length + run->options->steps - 1) / run->options->steps;
}

static int open_machine(trainer *run)
{
    const settings *options = run->options;
    size_t count = (size_t)(options->steps * run->lanes * run->data.data.columns);
    char text[80];
    int64_t updates = epoch_updates(run) * options->epochs;

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
    return failed(rnnkit_schedule_create(run->optimizer, "cosine", updates, NULL, &run->schedule));
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
        failed(rnnkit_tensor_item(loss, &run->loss)) ||
        failed(rnnkit_tape_backward(run->tape, loss)))
        return OUTCOME_FAILED;
    status = rnnkit_optimizer_step(run->optimizer);
    if (status == RNNKIT_E_DIVERGED)
        return run->trial != NULL
                   ? OUTCOME_DIVERGED
                   : fail("training diverged in epoch %" PRId64 "; try a smaller --lr", run->epoch);
    return failed(status) ? OUTCOME_FAILED : failed(rnnkit_schedule_step(run->schedule));
}

/* Each epoch starts at another row, so that updates do not always cut at the same places. */
static int run_epoch(trainer *run)
{
    int64_t slack = run->options->steps < run->rows / 4 ? run->options->steps : run->rows / 4;
    int64_t first = (int64_t)(draw(&run->random) * (double)slack);
    int64_t length = (run->rows - 1 - first) / run->lanes;

    if (failed(rnnkit_state_reset(run->state, -1))) return OUTCOME_FAILED;
    for (int64_t at = 0; at < length; at += run->options->steps) {
        int64_t steps = length - at < run->options->steps ? length - at : run->options->steps;

        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        fill(run, first, length, at, steps);
        int outcome = update(run, steps);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static void tell_start(const trainer *run)
{
    const settings *options = run->options;
    int64_t parameters = 0;
    const char *device = rnnkit_context_device(run->context);

    if (run->trial != NULL) return;
    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0) parameters = 0;
    if (options->json) {
        json_begin("start");
        json_integer("rows", run->data.data.rows);
        json_integer("train_rows", run->rows);
        json_integer("columns", run->data.data.columns);
        json_integer("parameters", parameters);
        json_integer("lanes", run->lanes);
        json_integer("epoch_updates", epoch_updates(run));
        json_integer("seed", options->seed);
        json_text("device", device);
        json_end();
        return;
    }
    console_line("series    %" PRId64 " rows of %" PRId64 " column%s: %" PRId64
                 " to learn from, %" PRId64 " held out",
        run->data.data.rows, run->data.data.columns, run->data.data.columns == 1 ? "" : "s",
        run->rows, run->data.data.rows - run->rows);
    console_line("network   %s %" PRId64 " x %" PRId64 ": %" PRId64
                 " parameters, on %s, seed %" PRId64,
        options->cell, options->layers, options->hidden, parameters, device, options->seed);
    console_line("training  %" PRId64 " updates an epoch, of %" PRId64 " x %" PRId64 " rows",
        epoch_updates(run), run->lanes, options->steps);
}

static void tell_epoch(trainer *run, double ratio, int best)
{
    double now = system_clock();
    char line[160];

    if (run->trial != NULL) return;
    if (run->options->json) {
        json_begin("epoch");
        json_integer("epoch", run->epoch);
        json_number("train_loss", run->loss);
        json_number("valid_ratio", ratio);
        json_flag("best", best);
        json_end();
        return;
    }
    if (now - run->told < (console_is_terminal() ? 0.2 : 5)) return;
    run->told = now;
    snprintf(line, sizeof line,
        "epoch %" PRId64 "/%" PRId64 " loss %.4g, next row held out: %.4f of the naive error",
        run->epoch, run->options->epochs, run->loss, ratio);
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
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
    int is_first = run->best_epoch == 0;

    *best = is_first || isnan(ratio) || ratio < run->best;
    if (!*best) return OUTCOME_OK;
    run->best = ratio;
    run->best_epoch = run->epoch;
    if (run->trial != NULL && !(ratio < run->trial->to_beat)) return OUTCOME_OK;
    return failed(rnnkit_model_save(run->net.model, run->options->model));
}

static int run_epochs(trainer *run)
{
    const settings *options = run->options;

    for (run->epoch = 1; run->epoch <= options->epochs; run->epoch++) {
        double ratio = NAN;
        int best = 0, outcome = run_epoch(run);

        if (outcome == OUTCOME_OK) outcome = validate(run, &ratio);
        if (outcome == OUTCOME_OK) outcome = keep_best(run, ratio, &best);
        if (outcome != OUTCOME_OK) return outcome;
        tell_epoch(run, ratio, best);
        if (console_is_broken()) return OUTCOME_FAILED;
        if (run->epoch - run->best_epoch >= options->patience) break;
        if (run->trial != NULL && system_clock() > run->trial->deadline) {
            run->trial->cut = run->epoch < options->epochs;
            break;
        }
    }
    return OUTCOME_OK;
}

/* From the first held-out row on, at most 200 of them. */
static int draw_forecast(trainer *run)
{
    int64_t horizon = run->data.data.rows - run->rows;
    float *out;
    int outcome;

    if (horizon > 200) horizon = 200;
    if (failed(rnnkit_model_load_parameters(run->net.model, run->options->model, NULL)))
        return OUTCOME_FAILED;
    out = malloc((size_t)(horizon * run->data.data.columns) * sizeof *out);
    if (out == NULL) return fail("out of memory");
    outcome = forecast_rows(&run->net, run->context, &run->data, run->rows, horizon, out);
    if (outcome == OUTCOME_OK)
        outcome = forecast_draw(run->options->plot, &run->data, run->rows, horizon, out);
    free(out);
    return outcome;
}

static int tell_done(trainer *run)
{
    double seconds = system_clock() - run->began;
    char *command;

    run->parsed->given[arguments_find(run->parsed, "seed")] = 1;
    command = arguments_command(run->parsed);
    if (command == NULL) return fail("out of memory");
    if (run->options->json) {
        json_begin("done");
        json_number("valid_ratio", run->best);
        json_integer("epoch", run->best_epoch);
        json_number("seconds", seconds);
        json_integer("seed", run->options->seed);
        json_text("model", run->options->model);
        json_text("command", command);
        json_end();
    } else {
        console_line("held out, next row: %.4f of the naive forecast's error (epoch %" PRId64
                     ", %.1f s in all)",
            run->best, run->best_epoch, seconds);
        console_line("model: %s", run->options->model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}

static int prepare(trainer *run)
{
    const settings *options = run->options;
    char text[96];

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    run->random = (uint64_t)options->seed;
    if (check(options) != OUTCOME_OK ||
        failed(rnnkit_context_create(options->device, text, &run->context)) ||
        series_open(&run->data, options, &options->columns) != OUTCOME_OK ||
        split(run) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return open_machine(run);
}

static int train(trainer *run)
{
    const settings *options = run->options;
    int outcome = prepare(run);

    if (outcome != OUTCOME_OK) return outcome;
    tell_start(run);
    run->began = run->told = system_clock();
    outcome = run_epochs(run);
    if (run->trial != NULL) {
        run->trial->loss = run->best_epoch > 0 ? run->best : NAN;
        run->trial->epoch = run->best_epoch;
        return outcome == OUTCOME_DIVERGED ? OUTCOME_OK : outcome;
    }
    if (outcome == OUTCOME_INTERRUPTED)
        console_note("interrupted in epoch %" PRId64 "; %s %s", run->epoch, options->model,
            run->best_epoch > 0 ? "holds the best weights so far" : "was not written");
    if (outcome == OUTCOME_OK && options->plot[0] != '\0') outcome = draw_forecast(run);
    return outcome == OUTCOME_OK ? tell_done(run) : outcome;
}

static int train_once(arguments *parsed, search_trial *trial)
{
    trainer run = {.parsed = parsed, .options = parsed->values, .trial = trial};
    int outcome = train(&run);

    rnnkit_schedule_destroy(run.schedule);
    rnnkit_optimizer_destroy(run.optimizer);
    rnnkit_state_destroy(run.state);
    rnnkit_tape_destroy(run.tape);
    network_close(&run.net);
    series_close(&run.data);
    rnnkit_context_destroy(run.context);
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
        .run = train_once};

    if (options->search == 0) return train_once(parsed, NULL);
    if (strcmp(options->data, "-") == 0)
        return fail(
            "--search reads the series several times, which standard input is not good for");
    return search_run(&over, parsed);
}
