/* The command `train`: checks, reads the text, makes the network, runs, and tells how it ended. */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "evaluate.h"

/* The numbers of run_place under their names in a checkpoint. */
static const resume_number numbers[] = {
    {"epoch", offsetof(run_place, epoch)},
    {"update", offsetof(run_place, update)},
    {"epoch_loss", offsetof(run_place, epoch_loss)},
    {"epoch_targets", offsetof(run_place, epoch_targets)},
    {"interval_loss", offsetof(run_place, interval_loss)},
    {"interval_targets", offsetof(run_place, interval_targets)},
    {"shown_loss", offsetof(run_place, shown_loss)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best_loss", offsetof(run_place, best_loss)},
    {"best_train_loss", offsetof(run_place, best_train_loss)},
};

/* Of the texts: pairs as session_begin takes them; the caller frees them. */
static const char **inputs_of(const settings *options)
{
    const char **inputs = calloc(2 * options->corpus.count + 1, sizeof *inputs);

    for (size_t i = 0; i < options->corpus.count && inputs != NULL; i++) {
        inputs[2 * i] = "corpus";
        inputs[2 * i + 1] = options->corpus.items[i];
    }
    if (inputs == NULL) fail("out of memory");
    return inputs;
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
    char *command = resume_command(run->files.parsed, 0, NULL);
    run_done done = {.train_loss = run->place.best_train_loss,
        .valid_loss = run->valid_tokens > 0 ? run->place.best_loss : NAN,
        .best_epoch = (int64_t)run->place.best_epoch,
        .updates = run->updates,
        .seed = options->seed,
        .single_characters = strcmp(options->unit, "word") != 0,
        .tokens_per_second = run->tokens_done > 0 ? (double)run->tokens_done / run->busy : NAN,
        .seconds = session_seconds(&run->files),
        .model = options->model,
        .command = command};

    if (command == NULL) return OUTCOME_FAILED;
    run->tell->done(&done);
    free(command);
    return OUTCOME_OK;
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
    return session_record(&run->files, fingerprint, run->place.best_epoch > 0);
}

/* Everything that has to stand before the first update. */
static int prepare(trainer *run)
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
    if (outcome == OUTCOME_OK) outcome = session_check_data(&run->files, fingerprint);
    if (outcome == OUTCOME_OK && options->minutes > 0 && !options->resume)
        outcome = train_calibrate(run);
    if (outcome == OUTCOME_OK) outcome = machine_open(run);
    if (outcome != OUTCOME_OK) return outcome;
    run->files.network = run->parts.net.model;
    run->files.run = run->parts.checkpoint;
    outcome = session_load(&run->files, &run->place);
    return outcome == OUTCOME_OK ? record_run(run, fingerprint) : outcome;
}

static int train(trainer *run)
{
    int outcome;

    session_settle(&run->files, &run->options->threads);
    outcome = prepare(run);
    if (outcome == OUTCOME_INTERRUPTED) console_note("interrupted before the first update");
    if (outcome != OUTCOME_OK) return outcome;
    session_start(&run->files);
    tell_start(run);
    outcome = train_run(run);
    if (outcome == OUTCOME_INTERRUPTED)
        return session_stop(&run->files, &run->place, (int64_t)run->place.update, run->updates);
    return outcome == OUTCOME_OK ? tell_done(run) : outcome;
}

int train_command(arguments *parsed)
{
    settings *options = parsed->values;
    const char **inputs = inputs_of(options);
    trainer run = {.options = options,
        .files = {SESSION_SETTINGS(parsed, options), .numbers = numbers,
            .number_count = sizeof numbers / sizeof *numbers}};
    int outcome = inputs == NULL ? OUTCOME_FAILED : session_begin(&run.files, inputs);

    run.tell = options->json ? report_for_programs() : report_for_people(console_is_terminal());
    if (outcome == OUTCOME_OK) outcome = train(&run);
    machine_close(&run.parts);
    session_close(&run.files);
    corpus_close(&run.text);
    rnnkit_context_destroy(run.context);
    free(inputs);
    return outcome;
}
