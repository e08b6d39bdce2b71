/* translation: learns to translate from sentence pairs, translates, and shows where it looked. */
#include <rnnkit/rnnkit.h>

#include "../common/program.h"
#include "commands.h"

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"train", "learn from sentences and their translations", COMMAND_TRAIN, train_command},
        {"translate", "translate other sentences", COMMAND_TRANSLATE, translate_command},
        {"evaluate", "measure how well a model translates", COMMAND_EVALUATE, evaluate_command},
    };
    settings values = {0};
    program self = {.name = "translation",
        .about = "Learns to translate from sentence pairs, and translates other sentences.",
        .example = "  translation train --source train.de --target train.en --model de-en\n"
                   "  translation translate --model de-en \"ein mann schläft auf einem sofa .\"\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values,
        .loose = "text"};

    return program_main(&self, count, words);
}
