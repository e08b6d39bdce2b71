/* The command `train`: checks, reads the texts, makes the network, runs, and tells how it ended. */
#include "train.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/system.h"

/* The numbers of run_place under their names in a checkpoint. */
static const resume_number numbers[] = {
    {"epoch", offsetof(run_place, epoch)},
    {"update", offsetof(run_place, update)},
    {"batch", offsetof(run_place, batch)},
    {"epoch_loss", offsetof(run_place, epoch_loss)},
    {"epoch_words", offsetof(run_place, epoch_words)},
    {"interval_loss", offsetof(run_place, interval_loss)},
    {"interval_words", offsetof(run_place, interval_words)},
    {"shown_loss", offsetof(run_place, shown_loss)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best_loss", offsetof(run_place, best_loss)},
    {"best_train_loss", offsetof(run_place, best_train_loss)},
};

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
    rnnkit_checkpoint **out = &run->files.run;

    run->files.network = run->net.model;
    if (failed(rnnkit_checkpoint_create(run->net.model, out)) ||
        failed(rnnkit_checkpoint_add_optimizer(*out, "optimizer", run->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(*out, "schedule", run->schedule)))
        return OUTCOME_FAILED;
    return failed(rnnkit_checkpoint_add_tape(*out, "tape", run->tape));
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

static int load(trainer *run)
{
    run_place *place = &run->place;

    if (session_load(&run->files, place) != OUTCOME_OK) return OUTCOME_FAILED;
    if (!run->options->resume ||
        buckets_resume(&run->from.order, place->epoch + (place->batch > 0), place->batch))
        return OUTCOME_OK;
    return fail("%s: the place in the epoch is damaged", run->files.path);
}

/* Everything that has to stand before the first update. */
static int prepare(trainer *run)
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
    outcome = session_check_data(&run->files, fingerprint);
    if (outcome == OUTCOME_OK) outcome = open_machine(run);
    if (outcome == OUTCOME_OK) outcome = load(run);
    if (outcome == OUTCOME_OK)
        outcome = session_record(&run->files, fingerprint, run->place.best_epoch > 0);
    return outcome;
}

static int train(trainer *run)
{
    int outcome;

    session_settle(&run->files, &run->options->threads);
    outcome = prepare(run);
    if (outcome != OUTCOME_OK) return outcome;
    session_start(&run->files);
    report_start(run);
    outcome = train_run(run);
    if (outcome == OUTCOME_INTERRUPTED)
        return session_stop(&run->files, &run->place, (int64_t)run->place.update, run->updates);
    return outcome == OUTCOME_OK ? report_done(run) : outcome;
}

static void close_run(trainer *run)
{
    rnnkit_checkpoint_destroy(run->files.run);
    rnnkit_search_destroy(run->sampler);
    rnnkit_schedule_destroy(run->schedule);
    rnnkit_optimizer_destroy(run->optimizer);
    rnnkit_tape_destroy(run->tape);
    batches_close(&run->from);
    pairs_free(&run->train);
    pairs_free(&run->valid);
    network_close(&run->net);
    rnnkit_context_destroy(run->context);
    session_close(&run->files);
    free(run->mixed);
}

int train_command(arguments *parsed)
{
    settings *options = parsed->values;
    const char *const inputs[] = {"source", options->source, "target", options->target,
        "valid-source", options->valid_source, "valid-target", options->valid_target, NULL};
    trainer run = {.options = options,
        .files = {SESSION_SETTINGS(parsed, options), .numbers = numbers,
            .number_count = sizeof numbers / sizeof *numbers}};
    int outcome = session_begin(&run.files, inputs);

    if (outcome == OUTCOME_OK) outcome = train(&run);
    close_run(&run);
    return outcome;
}
