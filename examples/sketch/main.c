/* sketch: learns to draw, and goes on with a drawing that you begin. */
#include <rnnkit/rnnkit.h>

#include "../common/program.h"
#include "commands.h"

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"generate", "make spirals and polygons to learn from", COMMAND_GENERATE, generate_command},
        {"train", "learn from drawings", COMMAND_TRAIN, train_command},
        {"draw", "go on with a drawing, or begin one", COMMAND_DRAW, draw_command},
        {"evaluate", "measure how well a model foretells drawings", COMMAND_EVALUATE,
            evaluate_command},
    };
    settings values = {0};
    program self = {.name = "sketch",
        .about = "Learns to draw, and goes on with a drawing that you begin.",
        .example = "  sketch train --data sheep.ndjson --model sheep.safetensors\n"
                   "  sketch draw --model sheep.safetensors --begin mine.ndjson --plot sheep.svg\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values};

    return program_main(&self, count, words);
}
