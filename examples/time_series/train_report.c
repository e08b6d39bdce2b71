/* What a training run tells, to people or as JSON, and its picture. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "train.h"

void report_start(const trainer *run)
{
    const settings *options = run->options;
    int64_t parameters = 0;
    const char *device = rnnkit_context_device(run->context);

    if (run->trial != NULL) return;
    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0) parameters = 0;
    if (options->json) {
        json_begin("start");
        json_integer("rows", run->data.data.rows);
        json_integer("train_rows", run->rows);
        json_integer("columns", run->data.data.columns);
        json_integer("parameters", parameters);
        json_integer("lanes", run->lanes);
        json_integer("epoch_updates", train_epoch_updates(run));
        json_integer("seed", options->seed);
        json_text("device", device);
        json_end();
        return;
    }
    console_line("series    %" PRId64 " rows of %" PRId64 " column%s: %" PRId64
                 " to learn from, %" PRId64 " held out",
        run->data.data.rows, run->data.data.columns, run->data.data.columns == 1 ? "" : "s",
        run->rows, run->data.data.rows - run->rows);
    console_line("network   %s %" PRId64 " x %" PRId64 ": %" PRId64
                 " parameters, on %s, seed %" PRId64,
        options->cell, options->layers, options->hidden, parameters, device, options->seed);
    console_line("training  %" PRId64 " updates an epoch, of %" PRId64 " x %" PRId64 " rows",
        train_epoch_updates(run), run->lanes, options->steps);
}

void report_epoch(trainer *run, double ratio, int best)
{
    double now = system_clock();
    char line[160];

    if (run->trial != NULL) return;
    if (run->options->json) {
        json_begin("epoch");
        json_integer("epoch", (int64_t)run->place.epoch);
        json_number("train_loss", run->place.loss);
        json_number("valid_ratio", ratio);
        json_flag("best", best);
        json_end();
        return;
    }
    if (now - run->files.told < (console_is_terminal() ? 0.2 : 5)) return;
    run->files.told = now;
    snprintf(line, sizeof line,
        "epoch %" PRId64 "/%" PRId64 " loss %.4g, next row held out: %.4f of the naive error",
        (int64_t)run->place.epoch, run->options->epochs, run->place.loss, ratio);
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
}

int report_plot(trainer *run)
{
    int64_t horizon = run->data.data.rows - run->rows;
    float *out;
    int outcome;

    if (horizon > 200) horizon = 200;
    if (failed(rnnkit_model_load_parameters(run->net.model, run->options->model, NULL)))
        return OUTCOME_FAILED;
    out = malloc((size_t)(horizon * run->data.data.columns) * sizeof *out);
    if (out == NULL) return fail("out of memory");
    outcome = forecast_rows(&run->net, run->context, &run->data, run->rows, horizon, out);
    if (outcome == OUTCOME_OK)
        outcome = forecast_draw(run->options->plot, &run->data, run->rows, horizon, out);
    free(out);
    return outcome;
}

int report_done(trainer *run)
{
    double seconds = session_seconds(&run->files);
    char *command;

    run->files.parsed->given[arguments_find(run->files.parsed, "seed")] = 1;
    command = resume_command(run->files.parsed, 0, NULL);
    if (command == NULL) return OUTCOME_FAILED;
    if (run->options->json) {
        json_begin("done");
        json_number("valid_ratio", run->place.best);
        json_integer("epoch", (int64_t)run->place.best_epoch);
        json_number("seconds", seconds);
        json_integer("seed", run->options->seed);
        json_text("model", run->options->model);
        json_text("command", command);
        json_end();
    } else {
        console_line("held out, next row: %.4f of the naive forecast's error (epoch %" PRId64
                     ", %.1f s in all)",
            run->place.best, (int64_t)run->place.best_epoch, seconds);
        console_line("model: %s", run->options->model);
        console_line("to repeat: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}
