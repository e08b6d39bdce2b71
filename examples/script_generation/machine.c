/* Makes and frees the library's objects of a training run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "train.h"

static int open_batches(trainer *run)
{
    const settings *options = run->options;
    char text[160];
    int32_t status;

    snprintf(text, sizeof text, "windows=%s batch=%" PRId64 " steps=%" PRId64 " count=%" PRId64,
        options->windows, options->batch, options->steps, run->train_tokens);
    status = rnnkit_batches_create(run->text.tokens, text, &run->parts.batches);
    if (status == RNNKIT_E_ARGUMENT)
        return fail("the text is too short for one update (%s); try a smaller --batch or --steps",
            rnnkit_error_message());
    return failed(status);
}

/* What the user's own words for a noun are: behind ours, so that a key given twice is told. */
static char *with_options(const char *ours, const char *theirs)
{
    size_t length = strlen(ours) + strlen(theirs) + 2;
    char *text = malloc(length);

    if (text != NULL) snprintf(text, length, "%s %s", ours, theirs);
    return text;
}

static int open_optimizer(trainer *run)
{
    const settings *options = run->options;
    char ours[80];
    char *text;
    int outcome;

    snprintf(ours, sizeof ours, "lr=%.17g clip_norm=%.17g", options->lr, options->clip);
    text = with_options(ours, options->optimizer_options);
    if (text == NULL) return fail("out of memory");
    outcome = failed(rnnkit_optimizer_create(
        run->parts.net.model, options->optimizer, text, &run->parts.optimizer));
    free(text);
    return outcome;
}

static void plan(trainer *run, int64_t epoch_updates)
{
    const settings *options = run->options;

    run->epoch_updates = epoch_updates;
    run->updates =
        options->epochs > INT64_MAX / epoch_updates ? INT64_MAX : options->epochs * epoch_updates;
    if (options->updates > 0 && options->updates < run->updates) run->updates = options->updates;
    run->curve_interval = run->updates / 200 + 1;
}

/* Of schedules that end with the run; the others are the same whatever its length. */
static int64_t schedule_length(const trainer *run)
{
    return settings_end_with_the_run(run->options) ? run->updates : 1;
}

static int open_checkpoint(machine *parts)
{
    if (failed(rnnkit_checkpoint_create(parts->net.model, &parts->checkpoint)) ||
        failed(rnnkit_checkpoint_add_optimizer(parts->checkpoint, "optimizer", parts->optimizer)) ||
        failed(rnnkit_checkpoint_add_schedule(parts->checkpoint, "schedule", parts->schedule)) ||
        failed(rnnkit_checkpoint_add_tape(parts->checkpoint, "tape", parts->tape)) ||
        failed(rnnkit_checkpoint_add_batches(parts->checkpoint, "batches", parts->batches)))
        return OUTCOME_FAILED;
    if (parts->state == NULL) return OUTCOME_OK;
    return failed(rnnkit_checkpoint_add_state(parts->checkpoint, "state", parts->state));
}

int machine_open(trainer *run)
{
    const settings *options = run->options;
    machine *parts = &run->parts;
    int64_t epoch_updates = 0;

    if (open_batches(run) != OUTCOME_OK ||
        failed(rnnkit_batches_size(parts->batches, &epoch_updates, NULL)) ||
        network_create(&parts->net, run->context, options, run->text.words) != OUTCOME_OK ||
        failed(rnnkit_model_set_vocab(parts->net.model, run->text.vocab)) ||
        open_optimizer(run) != OUTCOME_OK)
        return OUTCOME_FAILED;
    plan(run, epoch_updates);
    if (failed(rnnkit_schedule_create(parts->optimizer, options->schedule, schedule_length(run),
            options->schedule_options, &parts->schedule)) ||
        failed(rnnkit_tape_create(run->context, "train=1", &parts->tape)))
        return OUTCOME_FAILED;
    if (!settings_are_sliding(options) &&
        failed(rnnkit_state_create(parts->net.lstm, options->batch, &parts->state)))
        return OUTCOME_FAILED;
    return open_checkpoint(parts);
}

void machine_close(machine *parts)
{
    rnnkit_checkpoint_destroy(parts->checkpoint);
    rnnkit_schedule_destroy(parts->schedule);
    rnnkit_optimizer_destroy(parts->optimizer);
    rnnkit_tape_destroy(parts->tape);
    rnnkit_state_destroy(parts->state);
    rnnkit_batches_destroy(parts->batches);
    network_close(&parts->net);
    *parts = (machine){0};
}
