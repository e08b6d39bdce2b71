/* The command `train`: checks, reads the text, makes the network, runs, and tells how it ended. */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/output.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "evaluate.h"

static int check_output(const settings *options, const char *name, const char *path)
{
    if (output_check(name, path) != OUTCOME_OK) return OUTCOME_FAILED;
    for (size_t i = 0; i < options->corpus.count; i++)
        if (output_check_apart(name, path, "corpus", options->corpus.items[i]) != OUTCOME_OK)
            return OUTCOME_FAILED;
    if (path == options->model) return OUTCOME_OK;
    return output_check_apart(name, path, "model", options->model);
}

static int check_outputs(const trainer *run)
{
    const settings *options = run->options;

    if (check_output(options, "model", options->model) != OUTCOME_OK ||
        check_output(options, "checkpoint", run->checkpoint_path) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return options->plot[0] == '\0' ? OUTCOME_OK : check_output(options, "plot", options->plot);
}

/* The last part of the text is held out. */
static int split(trainer *run)
{
    run->train_tokens = evaluate_first(run->text.count, run->options->valid);
    run->valid_tokens = run->text.count - run->train_tokens;
    if (run->options->valid > 0 && run->valid_tokens < 2)
        return fail("--valid: %g of %" PRId64 " tokens is too little to measure anything on",
            run->options->valid, run->text.count);
    return OUTCOME_OK;
}

/* The options that the repeating command always names, with the values that are in use. */
static void settle(trainer *run)
{
    settings *options = run->options;

    if (options->threads == 0) options->threads = system_processors();
    run->parsed->given[arguments_find(run->parsed, "threads")] = 1;
    run->parsed->given[arguments_find(run->parsed, "seed")] = 1;
}

static void tell_start(const trainer *run)
{
    const settings *options = run->options;
    int64_t parameters = 0;
    run_start start = {.tokens = run->text.count,
        .train_tokens = run->train_tokens,
        .valid_tokens = run->valid_tokens,
        .words = run->text.words,
        .unknown = run->text.unknown,
        .memory_bytes = network_memory(&run->parts.net, options, run->text.words),
        .embedding = options->embedding,
        .layers = options->layers,
        .hidden = options->hidden,
        .tied = run->parts.net.tied,
        .unit = options->unit,
        .windows = options->windows,
        .device = rnnkit_context_device(run->context),
        .threads = options->threads,
        .seed = options->seed,
        .batch = options->batch,
        .steps = options->steps,
        .epochs = options->epochs,
        .epoch_updates = run->epoch_updates,
        .updates = run->updates,
        .update = (int64_t)run->place.update};

    if (rnnkit_model_size(run->parts.net.model, NULL, &parameters) < 0) parameters = 0;
    start.parameters = parameters;
    run->tell->start(&start);
}

static int tell_done(const trainer *run)
{
    const settings *options = run->options;
    char *command = resume_command(run->parsed, 0, NULL);
    run_done done = {.train_loss = run->place.best_train_loss,
        .valid_loss = run->valid_tokens > 0 ? run->place.best_loss : NAN,
        .best_epoch = (int64_t)run->place.best_epoch,
        .updates = run->updates,
        .seed = options->seed,
        .single_characters = strcmp(options->unit, "word") != 0,
        .tokens_per_second = run->tokens_done > 0 ? (double)run->tokens_done / run->busy : NAN,
        .seconds = train_seconds(run),
        .model = options->model,
        .command = command};

    if (command == NULL) return OUTCOME_FAILED;
    run->tell->done(&done);
    free(command);
    return OUTCOME_OK;
}

static int tell_interrupted(trainer *run)
{
    if (train_save_run(run) != OUTCOME_OK) return OUTCOME_FAILED;
    return resume_tell(run->parsed, run->options->json, (int64_t)run->place.update, run->updates,
        run->checkpoint_path);
}

/* What generate and evaluate have to know, and what a run that goes on is compared with. */
static int record_run(trainer *run, uint64_t fingerprint)
{
    const settings *options = run->options;
    rnnkit_model *model = run->parts.net.model;
    char steps[32];

    snprintf(steps, sizeof steps, "%" PRId64, options->steps);
    if (failed(rnnkit_model_set_entry(model, "script_generation.unit", options->unit)) ||
        failed(rnnkit_model_set_entry(model, "script_generation.windows", options->windows)) ||
        failed(rnnkit_model_set_entry(model, "script_generation.steps", steps)))
        return OUTCOME_FAILED;
    return record_options(&settings_record, model, run->parsed, fingerprint);
}

/* Everything that has to stand before the first update. */
static int prepare(trainer *run, const record *earlier)
{
    settings *options = run->options;
    char setup[96];
    uint64_t fingerprint;
    int outcome;

    snprintf(setup, sizeof setup, "threads=%" PRId64 " seed=%" PRId64 " precision=%s",
        options->threads, options->seed, options->precision);
    if (failed(rnnkit_context_create(options->device, setup, &run->context))) return OUTCOME_FAILED;
    outcome = corpus_open(&run->text, run->context, options);
    if (outcome == OUTCOME_OK) outcome = split(run);
    if (outcome == OUTCOME_OK) outcome = corpus_fingerprint(&run->text, &fingerprint);
    if (outcome == OUTCOME_OK && options->resume) outcome = record_check_data(earlier, fingerprint);
    if (outcome == OUTCOME_OK && options->minutes > 0 && !options->resume)
        outcome = train_calibrate(run);
    if (outcome == OUTCOME_OK) outcome = machine_open(run);
    if (outcome == OUTCOME_OK && options->resume) outcome = train_load_run(run);
    if (outcome == OUTCOME_OK) outcome = record_run(run, fingerprint);
    if (outcome == OUTCOME_OK && run->place.best_epoch > 0)
        outcome = record_check_model(earlier, options->model);
    return outcome;
}

static int train(trainer *run, record *earlier)
{
    int outcome;

    if (run->options->resume) {
        if (record_read(earlier, &settings_record, run->checkpoint_path) != OUTCOME_OK ||
            record_apply(earlier, run->parsed) != OUTCOME_OK)
            return OUTCOME_FAILED;
    }
    if (check_outputs(run) != OUTCOME_OK) return OUTCOME_FAILED;
    settle(run);
    run->train_curve = earlier->train;
    run->valid_curve = earlier->valid;
    earlier->train = earlier->valid = (curve){0};
    outcome = prepare(run, earlier);
    if (outcome == OUTCOME_INTERRUPTED) console_note("interrupted before the first update");
    if (outcome != OUTCOME_OK) return outcome;
    run->began = run->told = run->saved = system_clock();
    tell_start(run);
    outcome = train_run(run);
    if (outcome == OUTCOME_INTERRUPTED) return tell_interrupted(run);
    return outcome == OUTCOME_OK ? tell_done(run) : outcome;
}

int train_command(arguments *parsed)
{
    settings *options = parsed->values;
    record earlier = {0};
    char *path = resume_path(options->checkpoint, options->model);
    trainer run = {.parsed = parsed, .options = options, .checkpoint_path = path};
    int outcome;

    if (path == NULL) return OUTCOME_FAILED;
    run.tell = options->json ? report_for_programs() : report_for_people(console_is_terminal());
    outcome = train(&run, &earlier);
    machine_close(&run.parts);
    corpus_close(&run.text);
    curve_free(&run.train_curve);
    curve_free(&run.valid_curve);
    rnnkit_context_destroy(run.context);
    record_free(&earlier);
    free(path);
    return outcome;
}
