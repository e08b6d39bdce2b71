/* What a training run tells, to people or as JSON, and its picture. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "train.h"

static void tell_network(const trainer *run, int64_t parameters)
{
    const settings *options = run->options;
    char number[CONSOLE_NUMBER_SIZE];

    console_count(parameters, number);
    if (run->net.rnn == NULL)
        console_line("network     embedding %" PRId64 ", Transformer of %" PRId64 " x %" PRId64
                     " units, %" PRId64 " heads: %s parameters",
            options->embedding, options->layers, options->hidden, options->heads, number);
    else
        console_line("network     embedding %" PRId64 ", %s%s %" PRId64 " x %" PRId64
                     ", pooling %s: %s parameters",
            options->embedding, options->bidirectional ? "bidirectional " : "", options->cell,
            options->layers, options->hidden, options->pooling, number);
}

void report_start(const trainer *run)
{
    const settings *options = run->options;
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];
    int64_t parameters = 0, words = 0;

    if (run->trial != NULL) return;
    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0 ||
        rnnkit_vocab_size(run->net.vocab, &words, NULL) < 0)
        parameters = words = 0;
    if (options->json) {
        json_begin("start");
        json_integer("reviews", (int64_t)run->data.count);
        json_integer("train_reviews", (int64_t)run->train.count);
        json_integer("valid_reviews", (int64_t)run->valid.count);
        json_integer("words", words);
        json_integer("parameters", parameters);
        json_text("negative", run->data.labels[0]);
        json_text("positive", run->data.labels[1]);
        json_text("device", rnnkit_context_device(run->context));
        json_integer("threads", options->threads);
        json_integer("seed", options->seed);
        json_end();
        return;
    }
    console_line("reviews     %s to learn from, %s held out; labels %s and %s",
        console_count((int64_t)run->train.count, a), console_count((int64_t)run->valid.count, b),
        run->data.labels[0], run->data.labels[1]);
    console_line("vocabulary  %s entries; %.2f%% of the words have none and become <unk>",
        console_count(words, a), 100.0 * (double)run->train.unknown / (double)run->train.words);
    tell_network(run, parameters);
    console_line("machine     %s, %" PRId64 " thread%s, seed %" PRId64,
        rnnkit_context_device(run->context), options->threads, options->threads == 1 ? "" : "s",
        options->seed);
}

void report_pretraining(const trainer *run)
{
    if (run->options->json) return;
    console_line(
        "first, word vectors from the reviews, %" PRId64 " epochs", run->options->pretrain);
}

void report_vectors(const trainer *run)
{
    char number[CONSOLE_NUMBER_SIZE];

    if (run->trial != NULL) return;
    if (run->options->json) {
        json_begin("vectors");
        json_integer("words", run->known);
        json_end();
        return;
    }
    console_line("vectors     %s words start from those of %s", console_count(run->known, number),
        run->options->vectors);
}

void report_progress(trainer *run)
{
    double loss = run->place.interval_loss / run->place.interval_count, spent = train_seconds(run);
    double left = spent * ((double)run->updates / run->place.update - 1);
    char line[160], time[CONSOLE_NUMBER_SIZE];

    run->place.interval_loss = run->place.interval_count = 0;
    run->told = system_clock();
    if (run->trial != NULL) return;
    if (run->options->json) {
        json_begin("progress");
        json_integer("update", (int64_t)run->place.update);
        json_integer("updates", run->updates);
        json_integer("epoch", (int64_t)run->place.epoch);
        json_number("loss", loss);
        json_number("seconds", spent);
        json_number("seconds_left", left);
        json_end();
        return;
    }
    snprintf(line, sizeof line, "%3d%% epoch %" PRId64 "/%" PRId64 " loss %.3f %s left",
        (int)(100 * run->place.update / (double)run->updates), (int64_t)run->place.epoch,
        run->options->epochs, loss, console_duration(left, time));
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
}

void report_epoch(const trainer *run, const score *valid, int best)
{
    double loss = run->place.epoch_loss / run->place.epoch_count;
    char time[CONSOLE_NUMBER_SIZE];

    if (run->trial != NULL) return;
    if (run->options->json) {
        json_begin("epoch");
        json_integer("epoch", (int64_t)run->place.epoch);
        json_integer("epochs", run->options->epochs);
        json_number("train_loss", loss);
        json_number("valid_loss", valid->loss);
        json_number("valid_accuracy", valid->accuracy);
        json_flag("best", best);
        json_number("seconds", train_seconds(run));
        json_end();
        return;
    }
    console_line("epoch %" PRId64 "/%" PRId64
                 ": training loss %.4f, validation loss %.4f, accuracy %.4f%s, %s",
        (int64_t)run->place.epoch, run->options->epochs, loss, valid->loss, valid->accuracy,
        best ? " (best)" : "", console_duration(train_seconds(run), time));
}

int report_done(trainer *run)
{
    char *command, time[CONSOLE_NUMBER_SIZE];

    run->parsed->given[arguments_find(run->parsed, "seed")] = 1;
    run->parsed->given[arguments_find(run->parsed, "threads")] = 1;
    command = resume_command(run->parsed, 0, NULL);
    if (command == NULL) return OUTCOME_FAILED;
    if (run->options->json) {
        json_begin("done");
        json_number("valid_accuracy", run->place.best_accuracy);
        json_number("valid_loss", run->place.best_loss);
        json_integer("epoch", (int64_t)run->place.best_epoch);
        json_integer("updates", (int64_t)run->place.update);
        json_number("seconds", train_seconds(run));
        json_integer("seed", run->options->seed);
        json_text("model", run->options->model);
        json_text("command", command);
        json_end();
    } else {
        console_line("validation accuracy %.4f, loss %.4f (epoch %" PRId64 "), %s in all",
            run->place.best_accuracy, run->place.best_loss, (int64_t)run->place.best_epoch,
            console_duration(train_seconds(run), time));
        console_line("model: %s", run->options->model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}
