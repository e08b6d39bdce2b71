/* The report for programs: one JSON object a line, events start, progress, epoch, done;
 * interrupted is told by resume.h. Times are in seconds, losses in nats per token; what does not exist is null.
 */
#include <math.h>

#include <rnnkit/rnnkit.h>

#include "../common/json.h"
#include "report.h"

static void start(const run_start *run)
{
    json_begin("start");
    json_text("version", rnnkit_version());
    json_text("unit", run->unit);
    json_integer("tokens", run->tokens);
    json_integer("train_tokens", run->train_tokens);
    json_integer("valid_tokens", run->valid_tokens);
    json_integer("vocabulary", run->words);
    json_integer("unknown", run->unknown);
    json_integer("embedding", run->embedding);
    json_integer("layers", run->layers);
    json_integer("hidden", run->hidden);
    json_flag("tied", run->tied);
    json_integer("parameters", run->parameters);
    json_integer("memory_bytes", run->memory_bytes);
    json_text("device", run->device);
    json_integer("threads", run->threads);
    json_integer("seed", run->seed);
    json_text("windows", run->windows);
    json_integer("batch", run->batch);
    json_integer("steps", run->steps);
    json_integer("epochs", run->epochs);
    json_integer("epoch_updates", run->epoch_updates);
    json_integer("updates", run->updates);
    json_integer("update", run->update);
    json_end();
}

static void progress(const run_progress *run)
{
    json_begin("progress");
    json_integer("update", run->update);
    json_integer("updates", run->updates);
    json_integer("epoch", run->epoch);
    json_integer("epochs", run->epochs);
    json_number("loss", run->loss);
    json_number("perplexity", exp(run->loss));
    json_number("learning_rate", run->learning_rate);
    json_number("gradient_norm", run->gradient_norm);
    json_number("tokens_per_second", run->tokens_per_second);
    json_number("seconds", run->seconds);
    json_number("seconds_left", run->seconds_left);
    json_end();
}

static void epoch(const run_epoch_end *run)
{
    json_begin("epoch");
    json_integer("epoch", run->epoch);
    json_integer("epochs", run->epochs);
    json_integer("update", run->update);
    json_number("train_loss", run->train_loss);
    json_number("valid_loss", run->valid_loss);
    json_number("valid_perplexity", exp(run->valid_loss));
    json_flag("best", run->best);
    json_number("seconds", run->seconds);
    json_end();
}

static void done(const run_done *run)
{
    json_begin("done");
    json_number("train_loss", run->train_loss);
    json_number("valid_loss", run->valid_loss);
    json_number("valid_perplexity", exp(run->valid_loss));
    if (run->single_characters) json_number("bits_per_character", run->valid_loss / log(2.0));
    json_integer("epoch", run->best_epoch);
    json_integer("updates", run->updates);
    json_number("tokens_per_second", run->tokens_per_second);
    json_number("seconds", run->seconds);
    json_integer("seed", run->seed);
    json_text("model", run->model);
    json_text("command", run->command);
    json_end();
}

const report *report_for_programs(void)
{
    static const report programs = {1, start, progress, epoch, done};

    return &programs;
}
