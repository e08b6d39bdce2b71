/* The table of options. The defaults suit series of some hundred to some ten thousand rows. */
#include "settings.h"

#define AT(field) offsetof(settings, field)
#define TRAIN     COMMAND_TRAIN
#define FORECAST  COMMAND_FORECAST
#define EVALUATE  COMMAND_EVALUATE
#define EVERY     (COMMAND_TRAIN | COMMAND_FORECAST | COMMAND_EVALUATE)
#define SIZES     1048576.0

const argument_row settings_rows[] = {
    {.type = ARGUMENT_HEADING, .help = "Files"},
    {ARGUMENT_TEXT, EVERY, "data", "FILE", "", AT(data), 0, 0, 0,
        "the series, a CSV file with a row per step, oldest first; - is standard input"},
    {ARGUMENT_INTEGER, EVERY, "sine", "N", "0", AT(sine), 0, 1e7, 0,
        "instead of a file: N steps of a mixture of two sines"},
    {ARGUMENT_LIST, TRAIN, "columns", "NAME...", "", AT(columns), 0, 0, 0,
        "the columns to learn, by name or number; none: all whose first value is a number"},
    {ARGUMENT_TEXT, TRAIN, "model", "FILE", NULL, AT(model), 0, 0, 0,
        "the result: the weights of the epoch with the best validation loss"},
    {ARGUMENT_TEXT, FORECAST | EVALUATE, "model", "FILE", NULL, AT(model), 0, 0, 0,
        "a model that train wrote"},
    {ARGUMENT_TEXT, EVERY, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw truth and forecast of the first column into this SVG file"},
    {ARGUMENT_FLAG, EVERY, "json", NULL, "no", AT(json), 0, 0, 0,
        "print one JSON object a line instead"},

    {.type = ARGUMENT_HEADING, .help = "Network"},
    {ARGUMENT_CHOICE, TRAIN, "cell", "rnn|gru|lstm", "lstm", AT(cell), 0, 0, 0,
        "kind of recurrent layer; rnn: Elman's"},
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "32", AT(hidden), 1, SIZES, 0, "units in a layer"},
    {ARGUMENT_INTEGER, TRAIN, "layers", "N", "1", AT(layers), 1, 64, 0, "recurrent layers"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0", AT(dropout), 0, 0.99, 0,
        "dropout between layers"},

    {.type = ARGUMENT_HEADING, .help = "Training"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.2", AT(valid), 0.01, 0.9, 0,
        "hold out this part, at the end of the series, to measure the model"},
    {ARGUMENT_CHOICE, TRAIN, "loss", "squared|absolute|huber", "squared", AT(loss), 0, 0, 0,
        "of the next step; absolute and huber care less about outliers"},
    {ARGUMENT_INTEGER, TRAIN, "batch", "N", "8", AT(batch), 1, SIZES, 0,
        "places of the series that are read side by side, at most; short series have fewer"},
    {ARGUMENT_INTEGER, TRAIN, "steps", "N", "32", AT(steps), 1, SIZES, 0,
        "rows an update looks at in each place"},
    {ARGUMENT_INTEGER, TRAIN, "epochs", "N", "1000", AT(epochs), 1, 1e9, 0,
        "times the series is read, at most"},
    {ARGUMENT_INTEGER, TRAIN, "patience", "N", "200", AT(patience), 1, 1e9, 0,
        "end after so many epochs without a better validation loss"},
    {ARGUMENT_NUMBER, TRAIN, "lr", "RATE", "0.01", AT(lr), 0, 1000, 0,
        "learning rate of Adam at its highest; it falls to 0 along a cosine"},
    {ARGUMENT_NUMBER, TRAIN, "clip", "NORM", "1", AT(clip), 0, 1e9, 0,
        "largest norm of the gradient; 0: any"},
    {ARGUMENT_NUMBER, TRAIN, "noise", "SIZE", "0.02", AT(noise), 0, 10, 0,
        "noise on what is read, in standard deviations of the series: steadies long forecasts"},
    {ARGUMENT_INTEGER, TRAIN, "search", "N", "0", AT(search), 0, 100000, 0,
        "train N times, the first time with the options as they are, then with random ones where "
        "none were "
        "given, and keep the best: lr 0.001 to 0.05, hidden 8 to 128, layers 1 to 2, dropout 0 to "
        "0.5, batch 1 to 32"},
    {ARGUMENT_NUMBER, TRAIN, "search-minutes", "N", "0", AT(search_minutes), 0, 1e6, 0,
        "end the search after about so long; 0: no limit"},

    {.type = ARGUMENT_HEADING, .help = "Forecast"},
    {ARGUMENT_INTEGER, FORECAST, "steps", "N", "50", AT(horizon), 1, 1e7, 0, "rows to forecast"},
    {ARGUMENT_INTEGER, FORECAST, "hide", "N", "0", AT(hide), 0, 1e7, 0,
        "do not read the last N rows but compare the forecast with them"},
    {ARGUMENT_INTEGER, EVALUATE, "steps", "N", "20", AT(horizon), 1, 1e7, 0,
        "how far each forecast goes"},
    {ARGUMENT_NUMBER, EVALUATE, "last", "FRACTION", "0.2", AT(last), 0.01, 1, 0,
        "measure this part, at the end of the series"},

    {.type = ARGUMENT_HEADING, .help = "Machine"},
    {ARGUMENT_INTEGER, TRAIN, "seed", "N", "1", AT(seed), 0, 9007199254740992.0, 0,
        "the same seed gives the same model"},
    {ARGUMENT_INTEGER, EVERY, "threads", "N", "1", AT(threads), 0, 4096, 0,
        "processors to use; 0: all (small networks are fastest with 1)"},
    {ARGUMENT_TEXT, EVERY, "device", "NAME", "auto", AT(device), 0, 0, 0,
        "auto, cpu, cuda, cuda:1 or reference"},
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;
