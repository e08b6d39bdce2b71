/* sentiment: learns to tell two kinds of reviews apart, and tells it of others. */
#include <string.h>

#include <rnnkit/rnnkit.h>

#include "../common/console.h"
#include "../common/program.h"
#include "commands.h"

static int settle(arguments *parsed)
{
    const settings *options = parsed->values;

    if (parsed->member != COMMAND_TRAIN || strcmp(options->preset, "course") != 0)
        return OUTCOME_OK;
    return arguments_use_alternates(parsed);
}

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"train", "learn from labelled reviews", COMMAND_TRAIN, train_command},
        {"predict", "tell of other reviews", COMMAND_PREDICT, predict_command},
        {"evaluate", "measure how well a model tells", COMMAND_EVALUATE, evaluate_command},
    };
    settings values = {0};
    program self = {.name = "sentiment",
        .about = "Learns to tell positive from negative reviews, or any two kinds of texts.",
        .example = "  sentiment train --data reviews.tsv --model reviews.safetensors\n"
                   "  sentiment predict --model reviews.safetensors \"What a waste of time.\"\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values,
        .loose = "text",
        .alternates = settings_course,
        .alternates_when = "with --preset course",
        .settle = settle};

    return program_main(&self, count, words);
}
