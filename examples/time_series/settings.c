/* The table of options. The defaults suit series of some hundred to some ten thousand rows. */
#include "settings.h"

#include "../common/rows.h"

#define AT(field) offsetof(settings, field)
#define TRAIN     COMMAND_TRAIN
#define FORECAST  COMMAND_FORECAST
#define EVALUATE  COMMAND_EVALUATE
#define EVERY     (COMMAND_TRAIN | COMMAND_FORECAST | COMMAND_EVALUATE)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_TEXT, EVERY, "data", "FILE", "", AT(data), 0, 0, 0,
        "the series, a CSV file with a row per step, oldest first; - is standard input"},
    {ARGUMENT_INTEGER, EVERY, "sine", "N", "0", AT(sine), 0, 1e7, 0,
        "instead of a file: N steps of a mixture of two sines"},
    {ARGUMENT_LIST, TRAIN, "columns", "NAME...", "", AT(columns), 0, 0, 0,
        "the columns to learn, by name or number; none: all whose first value is a number"},
    ROW_MODEL_OUT(TRAIN),
    ROW_MODEL_IN(FORECAST | EVALUATE),
    ROW_CHECKPOINT(
        TRAIN, "at the end of an epoch when --checkpoint-minutes are over, and of the run"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "1", "between two checkpoints; 0: after each epoch"),
    ROW_RESUME(TRAIN),
    {ARGUMENT_TEXT, EVERY, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw truth and forecast of the first column into this SVG file"},
    ROW_JSON(EVERY),

    ROW_HEADING("Network"),
    ROW_CELL(TRAIN, MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "32", AT(hidden), 1, ROW_SIZES, MARK_RECORDED,
        "units in a layer"},
    ROW_LAYERS(TRAIN, MARK_RECORDED),
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout between layers"},

    ROW_HEADING("Training"),
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.2", AT(valid), 0.01, 0.9, MARK_RECORDED,
        "hold out this part, at the end of the series, to measure the model"},
    {ARGUMENT_CHOICE, TRAIN, "loss", "squared|absolute|huber", "squared", AT(loss), 0, 0,
        MARK_RECORDED, "of the next step; absolute and huber care less about outliers"},
    {ARGUMENT_INTEGER, TRAIN, "batch", "N", "8", AT(batch), 1, ROW_SIZES, MARK_RECORDED,
        "places of the series that are read side by side, at most; short series have fewer"},
    {ARGUMENT_INTEGER, TRAIN, "steps", "N", "32", AT(steps), 1, ROW_SIZES, MARK_RECORDED,
        "rows an update looks at in each place"},
    ROW_EPOCHS(TRAIN, "1000", "series is", MARK_RECORDED),
    ROW_PATIENCE(TRAIN, "200", MARK_RECORDED),
    ROW_LR(TRAIN, "0.01", MARK_RECORDED),
    ROW_CLIP(TRAIN, MARK_RECORDED),
    {ARGUMENT_NUMBER, TRAIN, "noise", "SIZE", "0.02", AT(noise), 0, 10, MARK_RECORDED,
        "noise on what is read, in standard deviations of the series: steadies long forecasts"},
    ROW_SEARCH(TRAIN, "lr 0.001 to 0.05, hidden 8 to 128, layers 1 to 2, dropout 0 to "
                      "0.5, batch 1 to 32"),
    ROW_SEARCH_MINUTES(TRAIN),

    ROW_HEADING("Forecast"),
    {ARGUMENT_INTEGER, FORECAST, "steps", "N", "50", AT(horizon), 1, 1e7, 0, "rows to forecast"},
    {ARGUMENT_INTEGER, FORECAST, "hide", "N", "0", AT(hide), 0, 1e7, 0,
        "do not read the last N rows but compare the forecast with them"},
    {ARGUMENT_INTEGER, EVALUATE, "steps", "N", "20", AT(horizon), 1, 1e7, 0,
        "how far each forecast goes"},
    {ARGUMENT_NUMBER, EVALUATE, "last", "FRACTION", "0.2", AT(last), 0.01, 1, 0,
        "measure this part, at the end of the series"},

    ROW_HEADING("Machine"),
    ROW_SEED(TRAIN, MARK_RECORDED),
    ROW_THREADS(EVERY, "1", "processors to use; 0: all (small networks are fastest with 1)"),
    ROW_DEVICE(EVERY),
    ROW_WEIGHTS(FORECAST, "auto"),
    ROW_WEIGHTS(EVALUATE, "f32"),
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

/* The learning rate falls until the run's end. */
static int keeps_length(const void *options)
{
    (void)options;
    return 1;
}

const record_kind settings_record = {"time_series", "data", keeps_length, NULL};
