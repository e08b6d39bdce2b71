/* captioning: learns to say what pictures show, and shows where it looked. */
#include <rnnkit/rnnkit.h>

#include "../common/program.h"
#include "commands.h"

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"generate", "make small pictures to learn from", COMMAND_GENERATE, generate_command},
        {"train", "learn from pictures and their captions", COMMAND_TRAIN, train_command},
        {"caption", "say what pictures show", COMMAND_CAPTION, caption_command},
        {"evaluate", "measure how well a model does", COMMAND_EVALUATE, evaluate_command},
    };
    settings values = {0};
    program self = {.name = "captioning",
        .about = "Learns to say what pictures show, and shows where it looked for each word.",
        .example =
            "  captioning generate --features shapes.safetensors --captions shapes.tsv\n"
            "  captioning train --features shapes.safetensors --captions shapes.tsv --model m\n"
            "  captioning caption --features shapes.safetensors --model m shapes-1-00001 \\\n"
            "      --plot looked.svg\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values,
        .loose = "names"};

    return program_main(&self, count, words);
}
