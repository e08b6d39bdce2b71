/* script_generation: trains a language model on scripts (or any text) and writes new ones. */
#include <rnnkit/rnnkit.h>

#include "../common/console.h"
#include "../common/program.h"
#include "evaluate.h"
#include "generate.h"
#include "settings.h"
#include "train.h"

static int settle(arguments *parsed)
{
    if (parsed->member != COMMAND_TRAIN || !settings_are_sliding(parsed->values)) return OUTCOME_OK;
    return arguments_use_alternates(parsed);
}

static int generate(arguments *parsed)
{
    return generate_command(parsed->values);
}

static int evaluate_text(arguments *parsed)
{
    return evaluate_command(parsed->values);
}

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"train", "learn from a text", COMMAND_TRAIN, train_command},
        {"generate", "write new text", COMMAND_GENERATE, generate},
        {"evaluate", "measure how well a model predicts a text", COMMAND_EVALUATE, evaluate_text},
    };
    static const program_noun nouns[] = {
        {"optimizer", "optimizer-options"}, {"schedule", "schedule-options"}, {NULL, NULL}};
    settings values = {0};
    program self = {.name = "script_generation",
        .about = "Trains a language model on a text and writes new text like it.",
        .example = "  script_generation train --corpus script.txt --model script.safetensors\n"
                   "  script_generation generate --model script.safetensors --prime \"jerry:\"\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values,
        .alternates = settings_sliding,
        .alternates_when = "with sliding windows",
        .settle = settle,
        .nouns = nouns};

    return program_main(&self, count, words);
}
