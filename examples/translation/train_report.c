/* What a training run tells: lines for people, or JSON lines for programs with the events start,
 * progress, epoch, done. Losses are means per word in nats; that of training is
 * smoothed as --label-smoothing says, that of validation is not.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/system.h"
#include "train.h"

double report_interval(const trainer *run)
{
    return run->options->json ? 1 : console_is_terminal() ? 0.2 : 10;
}

static int64_t count_words(const network *net, int side)
{
    int64_t count = 0;

    return rnnkit_vocab_size(net->vocabs[side], &count, NULL) >= 0 ? count : 0;
}

static void tell_start(const trainer *run, int64_t parameters)
{
    const settings *options = run->options;

    json_begin("start");
    json_text("version", rnnkit_version());
    json_integer("train_pairs", (int64_t)run->train.count);
    json_integer("valid_pairs", (int64_t)run->valid.count);
    json_integer("too_long", (int64_t)run->train.too_long);
    json_integer("source_words", (int64_t)run->train.sides[SOURCE].used);
    json_integer("target_words", (int64_t)run->train.sides[TARGET].used);
    json_integer("source_vocabulary", count_words(&run->net, SOURCE));
    json_integer("target_vocabulary", count_words(&run->net, TARGET));
    json_integer("source_unknown", run->train.sides[SOURCE].unknown);
    json_integer("target_unknown", run->train.sides[TARGET].unknown);
    json_text("preset", options->preset);
    json_text("cell", options->cell);
    json_integer("embedding", options->embedding);
    json_integer("hidden", options->hidden);
    json_integer("layers", options->layers);
    json_integer("parameters", parameters);
    json_text("device", rnnkit_context_device(run->context));
    json_integer("threads", options->threads);
    json_integer("seed", options->seed);
    json_integer("epochs", options->epochs);
    json_integer("epoch_updates", run->epoch_updates);
    json_integer("updates", run->updates);
    json_integer("update", (int64_t)run->place.update);
    json_end();
}

static void show_side(const trainer *run, int side, const char *name)
{
    const sentences *from = &run->train.sides[side];
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];

    console_line("%-12s %s words, vocabulary of %s; %.2f%% have no entry and become <unk>", name,
        console_count((int64_t)from->used, a), console_count(count_words(&run->net, side), b),
        100.0 * (double)from->unknown / (double)from->used);
}

static void show_start(const trainer *run, int64_t parameters)
{
    const settings *options = run->options;
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];

    console_line("pairs        %s to learn from, %s to measure on",
        console_count((int64_t)run->train.count, a), console_count((int64_t)run->valid.count, b));
    if (run->train.too_long > 0)
        console_line("             %s left out: more than %" PRId64 " words",
            console_count((int64_t)run->train.too_long, a), options->max_length);
    show_side(run, SOURCE, "source");
    show_side(run, TARGET, "target");
    console_line("network      %s, %s, embedding %" PRId64 ", %" PRId64 " x %" PRId64
                 ": %s parameters",
        options->preset, options->cell, options->embedding, options->layers, options->hidden,
        console_count(parameters, a));
    console_line("machine      %s, %" PRId64 " thread%s, seed %" PRId64,
        rnnkit_context_device(run->context), options->threads, options->threads == 1 ? "" : "s",
        options->seed);
    console_line("training     %s updates, %s an epoch", console_count(run->updates, a),
        console_count(run->epoch_updates, b));
    if (run->place.update > 0)
        console_line("             going on after update %.0f", run->place.update);
}

void report_start(const trainer *run)
{
    int64_t parameters = 0;

    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0) parameters = 0;
    (run->options->json ? tell_start : show_start)(run, parameters);
}

/* What a progress line says. */
typedef struct progress {
    double loss, rate, norm, speed, seconds, left;
    int64_t epoch;
} progress;

static void tell_progress(const trainer *run, const progress *now)
{
    json_begin("progress");
    json_integer("update", (int64_t)run->place.update);
    json_integer("updates", run->updates);
    json_integer("epoch", now->epoch);
    json_integer("epochs", run->options->epochs);
    json_number("loss", now->loss);
    json_number("learning_rate", now->rate);
    json_number("gradient_norm", now->norm);
    json_number("words_per_second", now->speed);
    json_number("seconds", now->seconds);
    json_number("seconds_left", now->left);
    json_end();
}

static void show_progress(const trainer *run, const progress *now)
{
    char text[200], speed[CONSOLE_NUMBER_SIZE], left[CONSOLE_NUMBER_SIZE];

    snprintf(text, sizeof text,
        "%3d%% epoch %" PRId64 "/%" PRId64 " loss %.3f lr %.2g %s words/s %s left",
        (int)(100 * run->place.update / (double)run->updates), now->epoch, run->options->epochs,
        now->loss, now->rate, console_count((int64_t)now->speed, speed),
        console_duration(now->left, left));
    if (console_is_terminal())
        console_rewrite(text);
    else
        console_line("%s", text);
}

int report_progress(trainer *run)
{
    const run_place *place = &run->place;
    double seconds = session_seconds(&run->files);
    progress now = {.loss = place->shown_loss,
        .speed = run->busy > 0 ? run->words_done / run->busy : 0,
        .seconds = seconds,
        .left = seconds * ((double)run->updates / place->update - 1),
        .epoch = (int64_t)place->epoch + 1};

    if (now.loss <= 0) now.loss = place->interval_loss / place->interval_words;
    run->files.told = system_clock();
    if (run->words_done <= 0) return OUTCOME_OK;
    if (failed(rnnkit_optimizer_learning_rate(run->optimizer, &now.rate)) ||
        failed(rnnkit_optimizer_gradient_norm(run->optimizer, &now.norm)))
        return OUTCOME_FAILED;
    (run->options->json ? tell_progress : show_progress)(run, &now);
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

void report_epoch(const trainer *run, double train_loss, double valid_loss, int best)
{
    int64_t epoch = (int64_t)run->place.epoch;
    char time[CONSOLE_NUMBER_SIZE];

    if (run->options->json) {
        json_begin("epoch");
        json_integer("epoch", epoch);
        json_integer("epochs", run->options->epochs);
        json_integer("update", (int64_t)run->place.update);
        json_number("train_loss", train_loss);
        json_number("valid_loss", valid_loss);
        json_number("valid_perplexity", exp(valid_loss));
        json_flag("best", best);
        json_number("seconds", session_seconds(&run->files));
        json_end();
        return;
    }
    console_line("epoch %" PRId64 "/%" PRId64
                 ": training loss %.4f, validation loss %.4f, perplexity %.2f%s, %s",
        epoch, run->options->epochs, train_loss, valid_loss, exp(valid_loss), best ? " (best)" : "",
        console_duration(session_seconds(&run->files), time));
}

int report_done(const trainer *run)
{
    const run_place *place = &run->place;
    char *command = resume_command(run->files.parsed, 0, NULL), time[CONSOLE_NUMBER_SIZE],
         speed[CONSOLE_NUMBER_SIZE];
    double words = run->busy > 0 ? run->words_done / run->busy : NAN;

    if (command == NULL) return OUTCOME_FAILED;
    if (run->options->json) {
        json_begin("done");
        json_number("train_loss", place->best_train_loss);
        json_number("valid_loss", place->best_loss);
        json_number("valid_perplexity", exp(place->best_loss));
        json_integer("epoch", (int64_t)place->best_epoch);
        json_integer("updates", (int64_t)place->update);
        json_number("words_per_second", words);
        json_number("seconds", session_seconds(&run->files));
        json_integer("seed", run->options->seed);
        json_text("model", run->options->model);
        json_text("command", command);
        json_end();
    } else {
        console_line("validation loss %.4f, perplexity %.2f (epoch %.0f)", place->best_loss,
            exp(place->best_loss), place->best_epoch);
        if (run->busy > 0)
            console_line("%s words/s, %s in all", console_count((int64_t)words, speed),
                console_duration(session_seconds(&run->files), time));
        console_line("model: %s", run->options->model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}
