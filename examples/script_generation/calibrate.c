/* --minutes: how many updates fit into a time. A trial with the real shapes and text is timed and
 * thrown away; what comes out is a number of updates, and from then on the run depends on that
 * number alone, so that it can be repeated exactly.
 */
#include <inttypes.h>
#include <math.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/system.h"
#include "train.h"

enum { WARM_UP = 3, TRIAL_SECONDS = 4 };

/* Validation is one forward pass: about this part of an update's work for a token. */
static const double forward_share = 0.4;

static int trial(trainer *run, double *seconds)
{
    double began = 0, now = 0;
    int done = 0;

    while (done < 2 * WARM_UP || now - began < TRIAL_SECONDS) {
        batch next;
        int32_t status = network_next(run->parts.batches, &next);

        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        if (status == RNNKIT_DONE) {
            if (failed(rnnkit_batches_rewind(run->parts.batches))) return OUTCOME_FAILED;
            continue;
        }
        if (failed(status) || train_update(run, &next) != OUTCOME_OK) return OUTCOME_FAILED;
        now = system_clock();
        if (++done == WARM_UP) began = now;
    }
    *seconds = (now - began) / (done - WARM_UP);
    return OUTCOME_OK;
}

static void forget_trial(trainer *run)
{
    machine_close(&run->parts);
    curve_free(&run->files.train_curve);
    run->place = (run_place){0};
    run->busy = 0;
    run->tokens_done = 0;
}

int train_calibrate(trainer *run)
{
    settings *options = run->options;
    double seconds = 0, validation, updates;
    int outcome = machine_open(run);

    if (outcome == OUTCOME_OK) outcome = trial(run, &seconds);
    validation = forward_share * (double)run->valid_tokens / (double)run->train_tokens;
    updates = floor(60 * options->minutes / (seconds * (1 + validation)));
    if (outcome == OUTCOME_OK && updates < (double)run->updates)
        options->updates = updates < 1 ? 1 : (int64_t)updates;
    forget_trial(run);
    run->files.parsed->given[arguments_find(run->files.parsed, "minutes")] = 0;
    run->files.parsed->given[arguments_find(run->files.parsed, "updates")] = options->updates > 0;
    return outcome;
}
