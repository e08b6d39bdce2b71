/* The command `train`: checks, reads the texts, makes the network, runs, and tells how it ended. */
#include "train.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/output.h"
#include "../common/resume.h"
#include "../common/system.h"

static int check_output(const settings *options, const char *name, const char *path)
{
    const char *const inputs[][2] = {{"source", options->source}, {"target", options->target},
        {"valid-source", options->valid_source}, {"valid-target", options->valid_target}};

    if (output_check(name, path) != OUTCOME_OK) return OUTCOME_FAILED;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (output_check_apart(name, path, inputs[i][0], inputs[i][1]) != OUTCOME_OK)
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
    if (options->plot[0] == '\0') return OUTCOME_OK;
    if (check_output(options, "plot", options->plot) != OUTCOME_OK) return OUTCOME_FAILED;
    return output_check_apart("plot", options->plot, "checkpoint", run->checkpoint_path);
}

/* The options that the repeating command always names, with the values that are in use. */
static void settle(trainer *run)
{
    settings *options = run->options;

    if (options->threads == 0) options->threads = system_processors();
    run->parsed->given[arguments_find(run->parsed, "threads")] = 1;
    run->parsed->given[arguments_find(run->parsed, "seed")] = 1;
}

/* Of all ids that the run reads. */
static uint64_t fingerprint_of(const trainer *run)
{
    const pairs *const parts[] = {&run->train, &run->valid};
    uint64_t hash = RECORD_HASH;

    for (size_t part = 0; part < 2; part++)
        for (int side = 0; side < SIDES; side++) {
            const sentences *from = &parts[part]->sides[side];

            hash = record_hash(hash, from->lengths, parts[part]->count * sizeof *from->lengths);
            hash = record_hash(hash, from->ids, from->used * sizeof *from->ids);
        }
    return hash;
}

static int open_checkpoint(trainer *run)
{
    if (failed(rnnkit_checkpoint_create(run->net.model, &run->checkpoint)) ||
        failed(rnnkit_checkpoint_add_optimizer(run->checkpoint, "optimizer", run->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(run->checkpoint, "schedule", run->schedule)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(run->checkpoint, "tape", run->tape));
}

static int open_machine(trainer *run)
{
    const settings *options = run->options;
    char text[80];

    if (batches_open(&run->from, &run->train, options->batch, options->seed + 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    run->epoch_updates = (int64_t)run->from.order.count;
    if (options->epochs > INT64_MAX / run->epoch_updates)
        return fail(
            "--epochs %" PRId64 ": that is more updates than can be counted", options->epochs);
    run->updates = run->epoch_updates * options->epochs;
    run->curve_interval = run->updates / 200 + 1;
    snprintf(text, sizeof text, "lr=%.17g clip_norm=%.17g", options->lr, options->clip);
    if (failed(rnnkit_tape_create(run->context, "train=1", &run->tape)) ||
        failed(rnnkit_optimizer_create(run->net.model, "adam", text, &run->optimizer)) ||
        failed(
            rnnkit_schedule_create(run->optimizer, "cosine", run->updates, NULL, &run->schedule)) ||
        (options->scheduled_sampling > 0 &&
            failed(rnnkit_search_create(run->net.embeddings[TARGET], run->net.decoder,
                run->net.output, "beam=1", &run->sampler))))
        return OUTCOME_FAILED;
    return open_checkpoint(run);
}

/* Everything that has to stand before the first update. */
static int prepare(trainer *run, const record *earlier)
{
    const settings *options = run->options;
    char text[96];
    uint64_t fingerprint;
    int outcome;

    snprintf(
        text, sizeof text, "threads=%" PRId64 " seed=%" PRId64, options->threads, options->seed);
    if (failed(rnnkit_context_create(options->device, text, &run->context)) ||
        train_read(run) != OUTCOME_OK)
        return OUTCOME_FAILED;
    fingerprint = fingerprint_of(run);
    outcome = options->resume ? record_check_data(earlier, fingerprint) : OUTCOME_OK;
    if (outcome == OUTCOME_OK) outcome = open_machine(run);
    if (outcome == OUTCOME_OK && options->resume) outcome = train_load_run(run);
    if (outcome == OUTCOME_OK)
        outcome = record_options(&settings_record, run->net.model, run->parsed, fingerprint);
    if (outcome == OUTCOME_OK && run->place.best_epoch > 0)
        outcome = record_check_model(earlier, options->model);
    return outcome;
}

static int train(trainer *run, record *earlier)
{
    int outcome;

    if (run->options->resume &&
        (record_read(earlier, &settings_record, run->checkpoint_path) != OUTCOME_OK ||
            record_apply(earlier, run->parsed) != OUTCOME_OK))
        return OUTCOME_FAILED;
    if (check_outputs(run) != OUTCOME_OK) return OUTCOME_FAILED;
    settle(run);
    run->train_curve = earlier->train;
    run->valid_curve = earlier->valid;
    earlier->train = earlier->valid = (curve){0};
    outcome = prepare(run, earlier);
    if (outcome != OUTCOME_OK) return outcome;
    run->began = run->told = run->saved = system_clock();
    report_start(run);
    outcome = train_run(run);
    if (outcome == OUTCOME_INTERRUPTED) {
        if (train_save_run(run) != OUTCOME_OK) return OUTCOME_FAILED;
        return resume_tell(run->parsed, run->options->json, (int64_t)run->place.update,
            run->updates, run->checkpoint_path);
    }
    return outcome == OUTCOME_OK ? report_done(run) : outcome;
}

static void close_run(trainer *run)
{
    rnnkit_checkpoint_destroy(run->checkpoint);
    rnnkit_search_destroy(run->sampler);
    rnnkit_schedule_destroy(run->schedule);
    rnnkit_optimizer_destroy(run->optimizer);
    rnnkit_tape_destroy(run->tape);
    batches_close(&run->from);
    pairs_free(&run->train);
    pairs_free(&run->valid);
    network_close(&run->net);
    rnnkit_context_destroy(run->context);
    curve_free(&run->train_curve);
    curve_free(&run->valid_curve);
    free(run->mixed);
}

int train_command(arguments *parsed)
{
    settings *options = parsed->values;
    record earlier = {0};
    char *path = resume_path(options->checkpoint, options->model);
    trainer run = {.parsed = parsed, .options = options, .checkpoint_path = path};
    int outcome;

    if (path == NULL) return OUTCOME_FAILED;
    outcome = train(&run, &earlier);
    close_run(&run);
    record_free(&earlier);
    free(path);
    return outcome;
}
