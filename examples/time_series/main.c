/* time_series: learns a series of numbers, and continues it. */
#include <rnnkit/rnnkit.h>

#include "../common/program.h"
#include "commands.h"

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"train", "learn from a series", COMMAND_TRAIN, train_command},
        {"forecast", "continue a series", COMMAND_FORECAST, forecast_command},
        {"evaluate", "measure forecasts against the naive one", COMMAND_EVALUATE, evaluate_command},
    };
    settings values = {0};
    program self = {.name = "time_series",
        .about = "Learns a series of numbers, and continues it.",
        .example = "  time_series train --data load.csv --columns kw --model load.safetensors\n"
                   "  time_series forecast --data load.csv --model load.safetensors --steps 24\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values};

    return program_main(&self, count, words);
}
