/* The training loop: updates, the end of an epoch, and what is told and saved meanwhile. The model
 * file gets the weights of an epoch only when its validation loss is the best so far.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/plot.h"
#include "../common/system.h"
#include "train.h"

static int fail_diverged(const trainer *run, const char *what)
{
    return fail("training diverged at update %.0f: the %s is not finite; %s %s; try a smaller --lr",
        run->place.update + 1, what, run->options->model,
        run->place.best_epoch > 0 ? "holds the best weights so far" : "was not written");
}

/* Scheduled sampling: what the decoder reads, with words of its own among the right ones. */
static int mix(trainer *run, const batch *from, rnnkit_tensor *memory, rnnkit_tensor *start,
    const int32_t **read)
{
    size_t count = (size_t)(from->target_steps * from->rows);
    double rate = run->options->scheduled_sampling * run->place.update / (double)run->updates;

    *read = from->read;
    if (run->sampler == NULL) return OUTCOME_OK;
    if (count > run->mixed_room) {
        int32_t *larger = realloc(run->mixed, count * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        run->mixed = larger;
        run->mixed_room = count;
    }
    *read = run->mixed;
    return failed(rnnkit_search_mix(run->sampler, memory, from->lengths, start, from->read,
        from->target_steps, rate, (int64_t)run->place.update, run->mixed));
}

static int account(trainer *run, const batch *from, double loss)
{
    run_place *place = &run->place;
    double words = (double)from->words;

    place->update++;
    place->batch++;
    place->epoch_loss += loss * words;
    place->epoch_words += words;
    place->interval_loss += loss * words;
    place->interval_words += words;
    for (int64_t b = 0; b < from->rows; b++)
        run->words_done += from->lengths[b];
    run->words_done += words;
    if ((int64_t)place->update % run->curve_interval != 0) return OUTCOME_OK;
    place->shown_loss = place->interval_loss / place->interval_words;
    place->interval_loss = place->interval_words = 0;
    return curve_add(&run->files.train_curve, (int64_t)place->update, place->shown_loss);
}

static int update(trainer *run, const batch *from)
{
    rnnkit_tensor *memory, *start, *loss;
    const int32_t *read;
    char options[64];
    double value;
    int32_t status;

    snprintf(options, sizeof options, "label_smoothing=%.17g", run->options->label_smoothing);
    if (network_encode(&run->net, run->tape, from, &memory, &start) != OUTCOME_OK ||
        mix(run, from, memory, start, &read) != OUTCOME_OK ||
        network_loss(&run->net, run->tape, from, read, memory, start, options, &loss) !=
            OUTCOME_OK ||
        failed(rnnkit_tensor_item(loss, &value)))
        return OUTCOME_FAILED;
    if (!isfinite(value)) return fail_diverged(run, "loss");
    if (failed(rnnkit_tape_backward(run->tape, loss))) return OUTCOME_FAILED;
    status = rnnkit_optimizer_step(run->optimizer);
    if (status == RNNKIT_E_DIVERGED) return fail_diverged(run, "gradient");
    if (failed(status) || failed(rnnkit_schedule_step(run->schedule))) return OUTCOME_FAILED;
    return account(run, from, value);
}

/* What may be due after an update. */
static int look_around(trainer *run)
{
    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (session_save_when_due(&run->files, &run->place) != OUTCOME_OK) return OUTCOME_FAILED;
    return system_clock() - run->files.told >= report_interval(run) ? report_progress(run)
                                                                    : OUTCOME_OK;
}

static int run_epoch(trainer *run)
{
    batch next;

    if (run->place.batch < 1) buckets_shuffle(&run->from.order);
    while (batches_next(&run->from, &next)) {
        double began = system_clock();
        int outcome = update(run, &next);

        run->busy += system_clock() - began;
        if (outcome == OUTCOME_OK) outcome = look_around(run);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static int finish_epoch(trainer *run)
{
    const settings *options = run->options;
    run_place *place = &run->place;
    double train_loss = place->epoch_loss / place->epoch_words, valid_loss;
    int outcome = report_progress(run), best;

    if (outcome == OUTCOME_OK)
        outcome = evaluate_loss(&run->net, run->context, &run->valid, &valid_loss);
    if (outcome == OUTCOME_OK)
        outcome = curve_add(&run->files.valid_curve, (int64_t)place->update, valid_loss);
    if (outcome != OUTCOME_OK) return outcome;
    if (!isfinite(valid_loss)) return fail_diverged(run, "validation loss");
    place->epoch++;
    best = place->best_epoch < 1 || valid_loss < place->best_loss;
    if (best) {
        place->best_epoch = place->epoch;
        place->best_loss = valid_loss;
        place->best_train_loss = train_loss;
        if (session_save_model(&run->files, 1) != OUTCOME_OK) return OUTCOME_FAILED;
    }
    report_epoch(run, train_loss, valid_loss, best);
    place->batch = place->epoch_loss = place->epoch_words = 0;
    if (options->plot[0] != '\0' &&
        plot_write(options->plot, &run->files.train_curve, &run->files.valid_curve, run->updates,
            "word", 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return options->checkpoint[0] != '\0' ? session_save(&run->files, &run->place) : OUTCOME_OK;
}

static int is_over(const trainer *run)
{
    const run_place *place = &run->place;

    return place->epoch >= (double)run->options->epochs ||
           (place->best_epoch > 0 &&
               place->epoch - place->best_epoch >= (double)run->options->patience);
}

int train_run(trainer *run)
{
    int outcome = OUTCOME_OK;

    while (outcome == OUTCOME_OK && !is_over(run)) {
        outcome = run_epoch(run);
        if (outcome == OUTCOME_OK) outcome = finish_epoch(run);
    }
    return outcome;
}
