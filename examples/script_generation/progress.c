/* The report for people: what will be trained, a progress line, a line for each epoch, the result.
 * On a terminal the progress line is rewritten in place; elsewhere it is a line every ten seconds.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/console.h"
#include "report.h"

static void start(const run_start *run)
{
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE], c[CONSOLE_NUMBER_SIZE];

    console_line("text         %s tokens (%s): %s to learn from, %s held out",
        console_count(run->tokens, a), run->unit, console_count(run->train_tokens, b),
        console_count(run->valid_tokens, c));
    if (run->unknown > 0)
        console_line("vocabulary   %s entries; %.2f%% of the text has none and becomes <unk>",
            console_count(run->words, a), 100.0 * (double)run->unknown / (double)run->tokens);
    else
        console_line("vocabulary   %s entries", console_count(run->words, a));
    console_line("network      embedding %lld, LSTM %lld x %lld, %s: %s parameters",
        (long long)run->embedding, (long long)run->layers, (long long)run->hidden,
        run->tied ? "tied output" : "linear output", console_count(run->parameters, a));
    console_line("memory       about %s MiB", console_count((run->memory_bytes >> 20) + 1, a));
    console_line("machine      %s, %lld thread%s, seed %lld", run->device, (long long)run->threads,
        run->threads == 1 ? "" : "s", (long long)run->seed);
    console_line("training     %s updates of %lld x %lld tokens (%s), %s an epoch",
        console_count(run->updates, a), (long long)run->batch, (long long)run->steps, run->windows,
        console_count(run->epoch_updates, b));
    if (run->update > 0)
        console_line("             going on after update %s", console_count(run->update, a));
}

static void compose(const run_progress *run, char *line, size_t size)
{
    char speed[CONSOLE_NUMBER_SIZE], left[CONSOLE_NUMBER_SIZE];

    snprintf(line, size,
        "%3d%% epoch %lld/%lld loss %.3f perplexity %.1f lr %.2g %s tokens/s %s left",
        (int)(100 * run->update / run->updates), (long long)run->epoch, (long long)run->epochs,
        run->loss, exp(run->loss), run->learning_rate,
        console_count((int64_t)run->tokens_per_second, speed),
        console_duration(run->seconds_left, left));
}

static void progress_rewritten(const run_progress *run)
{
    char line[256];

    compose(run, line, sizeof line);
    console_rewrite(line);
}

static void progress_line(const run_progress *run)
{
    char line[256];

    compose(run, line, sizeof line);
    console_line("%s", line);
}

static void epoch(const run_epoch_end *run)
{
    char time[CONSOLE_NUMBER_SIZE], text[256];
    int length = snprintf(text, sizeof text, "epoch %lld/%lld: training loss %.4f",
        (long long)run->epoch, (long long)run->epochs, run->train_loss);

    if (!isnan(run->valid_loss))
        snprintf(text + length, sizeof text - (size_t)length,
            ", validation loss %.4f, perplexity %.2f%s", run->valid_loss, exp(run->valid_loss),
            run->best ? " (best)" : "");
    console_line("%s, %s", text, console_duration(run->seconds, time));
}

static void done(const run_done *run)
{
    char time[CONSOLE_NUMBER_SIZE], speed[CONSOLE_NUMBER_SIZE];
    int held_out = !isnan(run->valid_loss);
    double loss = held_out ? run->valid_loss : run->train_loss;

    console_line("%s loss %.4f, perplexity %.2f (epoch %lld)", held_out ? "validation" : "training",
        loss, exp(loss), (long long)run->best_epoch);
    if (run->single_characters) console_line("bits per character %.4f", loss / log(2.0));
    if (!isnan(run->tokens_per_second))
        console_line("%s tokens/s, %s in all",
            console_count((int64_t)run->tokens_per_second, speed),
            console_duration(run->seconds, time));
    console_line("model: %s", run->model);
    console_line("to repeat: %s", run->command);
}

const report *report_for_people(int terminal)
{
    static const report rewritten = {0.2, start, progress_rewritten, epoch, done};
    static const report lines = {10, start, progress_line, epoch, done};

    return terminal ? &rewritten : &lines;
}
