/* The training loop: updates, the end of an epoch, and what is told and saved meanwhile.
 *
 * Contiguous text: truncated back-propagation through time, the state carried from batch to batch
 * and reset at the start of each epoch. The model file gets the weights of an epoch only when its
 * validation loss is the best so far (every epoch's when nothing is held out).
 */
#include <math.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/plot.h"
#include "../common/system.h"
#include "evaluate.h"
#include "train.h"

/* Weights that gave a finite loss are worth keeping when there is no epoch's yet: of these, only
 * the gradient was not finite. Others are not. */
static int fail_diverged(trainer *run, double loss)
{
    const char *kept = "holds the best weights so far";

    if (run->place.best_epoch == 0) {
        kept = isfinite(loss) ? "holds the weights before it" : "was not written";
        if (isfinite(loss) && session_save_model(&run->files, 1) != OUTCOME_OK)
            return OUTCOME_FAILED;
    }
    return fail(
        "training diverged at update %.0f: the %s is not finite; %s %s; try a smaller --lr, "
        "or --clip 1",
        run->place.update + 1, isfinite(loss) ? "gradient" : "loss", run->options->model, kept);
}

static int account(trainer *run, const batch *from, double loss)
{
    run_place *place = &run->place;
    double targets = (double)from->targets;

    place->update++;
    place->epoch_loss += loss * targets;
    place->epoch_targets += targets;
    place->interval_loss += loss * targets;
    place->interval_targets += targets;
    run->tokens_done += from->steps * from->rows;
    if ((int64_t)place->update % run->curve_interval != 0) return OUTCOME_OK;
    place->shown_loss = place->interval_loss / place->interval_targets;
    place->interval_loss = place->interval_targets = 0;
    return curve_add(&run->files.train_curve, (int64_t)place->update, place->shown_loss);
}

int train_update(trainer *run, const batch *from)
{
    machine *parts = &run->parts;
    rnnkit_tensor *tensor;
    double loss;
    int32_t status;

    if (network_loss(&parts->net, parts->tape, parts->state, from, &tensor, &loss) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (!isfinite(loss)) return fail_diverged(run, loss);
    if (failed(rnnkit_tape_backward(parts->tape, tensor))) return OUTCOME_FAILED;
    status = rnnkit_optimizer_step(parts->optimizer);
    if (status == RNNKIT_E_DIVERGED) return fail_diverged(run, loss);
    if (failed(status) || failed(rnnkit_schedule_step(parts->schedule))) return OUTCOME_FAILED;
    return account(run, from, loss);
}

static int tell_progress(trainer *run)
{
    const run_place *place = &run->place;
    double done = place->update / (double)run->updates;
    double seconds = session_seconds(&run->files);
    double loss = place->shown_loss;
    run_progress now = {.update = (int64_t)place->update,
        .updates = run->updates,
        .epoch = (int64_t)place->epoch + 1,
        .epochs = (run->updates + run->epoch_updates - 1) / run->epoch_updates,
        .tokens_per_second = (double)run->tokens_done / run->busy,
        .seconds = seconds,
        .seconds_left = seconds / done - seconds};

    if (loss == 0) loss = place->interval_loss / place->interval_targets;
    now.loss = loss;
    run->files.told = system_clock();
    if (failed(rnnkit_optimizer_learning_rate(run->parts.optimizer, &now.learning_rate)) ||
        failed(rnnkit_optimizer_gradient_norm(run->parts.optimizer, &now.gradient_norm)))
        return OUTCOME_FAILED;
    run->tell->progress(&now);
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

/* What may be due after an update. */
static int look_around(trainer *run)
{
    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (session_save_when_due(&run->files, &run->place) != OUTCOME_OK) return OUTCOME_FAILED;
    return system_clock() - run->files.told >= run->tell->interval ? tell_progress(run)
                                                                   : OUTCOME_OK;
}

static int run_epoch(trainer *run)
{
    batch next;

    while (run->place.update < (double)run->updates) {
        double began = system_clock();
        int32_t status = network_next(run->parts.batches, &next);
        int outcome;

        if (status == RNNKIT_DONE) break;
        if (failed(status)) return OUTCOME_FAILED;
        outcome = train_update(run, &next);
        run->busy += system_clock() - began;
        if (outcome == OUTCOME_OK) outcome = look_around(run);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

/* Measures the epoch; *valid_loss stays NaN when nothing is held out. */
static int validate(trainer *run, double *valid_loss)
{
    evaluation held_out = {.tokens = run->text.tokens,
        .first = run->train_tokens,
        .count = run->valid_tokens,
        .windows = run->options->windows,
        .steps = run->options->steps};
    int64_t predicted;
    int outcome;

    if (run->valid_tokens == 0) return OUTCOME_OK;
    outcome = evaluate(&run->parts.net, run->context, &held_out, valid_loss, &predicted);
    if (outcome != OUTCOME_OK) return outcome;
    return curve_add(&run->files.valid_curve, (int64_t)run->place.update, *valid_loss);
}

/* Counts the epoch, and keeps its weights when they are the best. */
static int keep_best(trainer *run, run_epoch_end *end)
{
    run_place *place = &run->place;
    double loss = isnan(end->valid_loss) ? end->train_loss : end->valid_loss;

    place->epoch++;
    end->best = place->best_epoch == 0 || isnan(end->valid_loss) || loss < place->best_loss;
    if (!end->best) return OUTCOME_OK;
    place->best_epoch = place->epoch;
    place->best_loss = loss;
    place->best_train_loss = end->train_loss;
    return session_save_model(&run->files, 1);
}

static int start_next_epoch(trainer *run)
{
    machine *parts = &run->parts;

    run->place.epoch_loss = run->place.epoch_targets = 0;
    if (failed(rnnkit_batches_rewind(parts->batches))) return OUTCOME_FAILED;
    return parts->state == NULL ? OUTCOME_OK : failed(rnnkit_state_reset(parts->state, -1));
}

static int finish_epoch(trainer *run)
{
    const settings *options = run->options;
    run_epoch_end end = {.epochs = (run->updates + run->epoch_updates - 1) / run->epoch_updates,
        .update = (int64_t)run->place.update,
        .train_loss = run->place.epoch_loss / run->place.epoch_targets,
        .valid_loss = NAN};
    int outcome = run->tokens_done > 0 ? tell_progress(run) : OUTCOME_OK;

    if (outcome == OUTCOME_OK) outcome = validate(run, &end.valid_loss);
    if (outcome != OUTCOME_OK) return outcome;
    if (failed(rnnkit_schedule_observe(
            run->parts.schedule, isnan(end.valid_loss) ? end.train_loss : end.valid_loss)) ||
        keep_best(run, &end) != OUTCOME_OK)
        return OUTCOME_FAILED;
    end.epoch = (int64_t)run->place.epoch;
    end.seconds = session_seconds(&run->files);
    run->tell->epoch(&end);
    if (start_next_epoch(run) != OUTCOME_OK) return OUTCOME_FAILED;
    if (options->plot[0] != '\0' &&
        plot_write(options->plot, &run->files.train_curve, &run->files.valid_curve, run->updates,
            "token", 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return options->checkpoint[0] != '\0' ? session_save(&run->files, &run->place) : OUTCOME_OK;
}

int train_run(trainer *run)
{
    const run_place *place = &run->place;
    int outcome = OUTCOME_OK;

    while (outcome == OUTCOME_OK &&
           (place->update < (double)run->updates || place->epoch_targets > 0)) {
        outcome = run_epoch(run);
        if (outcome == OUTCOME_OK) outcome = finish_epoch(run);
    }
    return outcome;
}
