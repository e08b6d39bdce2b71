/* The table of options. The defaults suit some thousand drawings of one thing. */
#include "settings.h"

#include "../common/rows.h"

#define AT(field) offsetof(settings, field)
#define GENERATE  COMMAND_GENERATE
#define TRAIN     COMMAND_TRAIN
#define DRAW      COMMAND_DRAW
#define EVALUATE  COMMAND_EVALUATE
#define MODEL     (COMMAND_TRAIN | COMMAND_DRAW | COMMAND_EVALUATE)
#define EVERY     (COMMAND_GENERATE | MODEL)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_TEXT, GENERATE, "data", "FILE", NULL, AT(data), 0, 0, 0, "where the drawings go"},
    {ARGUMENT_INTEGER, GENERATE, "count", "N", "1000", AT(made), 1, 1e7, 0, "drawings to make"},
    {ARGUMENT_CHOICE, GENERATE, "kind", "both|spirals|polygons", "both", AT(kind), 0, 0, 0,
        "what they show"},
    {ARGUMENT_TEXT, TRAIN | EVALUATE, "data", "FILE", NULL, AT(data), 0, 0, 0,
        "drawings, one a line: a JSON array of [dx, dy, lifted], lifted being 1 where the pen is "
        "lifted behind the movement; - is standard input"},
    {ARGUMENT_TEXT, TRAIN, "valid-data", "FILE", "", AT(valid_data), 0, 0, 0,
        "drawings to measure the model with; none: a part of --data is held out"},
    ROW_MODEL_OUT(TRAIN),
    ROW_MODEL_IN(DRAW | EVALUATE),
    ROW_LOSS_PLOT(TRAIN),
    {ARGUMENT_TEXT, DRAW, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw what comes into this SVG file"},
    ROW_CHECKPOINT(TRAIN, "after each epoch"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "10", "and every N minutes within an epoch; 0: not"),
    ROW_RESUME(TRAIN),
    ROW_JSON(EVERY),

    ROW_HEADING("Drawings"),
    {ARGUMENT_INTEGER, TRAIN | EVALUATE, "length", "N", "250", AT(length), 1, ROW_SIZES,
        MARK_RECORDED, "points of a drawing that are read, its first ones"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.05", AT(valid), 0.001, 0.9, MARK_RECORDED,
        "hold out this part of the drawings, drawn at random, when there is no --valid-data"},
    {ARGUMENT_TEXT, DRAW, "begin", "FILE", "", AT(begin), 0, 0, 0,
        "go on with a drawing of this file; - is standard input; none: begin on a blank page"},
    {ARGUMENT_INTEGER, DRAW, "drawing", "N", "1", AT(drawing), 1, 1e9, 0,
        "which of that file's drawings"},
    {ARGUMENT_INTEGER, DRAW, "points", "N", "0", AT(points), 0, 1e9, 0,
        "how many of its points are given; 0: all"},
    {ARGUMENT_INTEGER, DRAW, "count", "N", "12", AT(count), 1, 1000, 0, "drawings to make"},
    {ARGUMENT_INTEGER, DRAW, "length", "N", "250", AT(length), 1, ROW_SIZES, 0,
        "points of a drawing at most, those that are given among them"},
    {ARGUMENT_NUMBER, DRAW, "temperature", "T", "0.4", AT(temperature), 0, 10, 0,
        "how freely the pen moves; 1: as learned, less: more surely"},
    {ARGUMENT_NUMBER, DRAW, "pen-temperature", "T", "1", AT(pen_temperature), 0, 10, 0,
        "the same of lifting the pen and of ending, which are rare and would be lost below 1"},

    ROW_HEADING("Network"),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "256", AT(hidden), 1, ROW_SIZES, MARK_RECORDED,
        "units in a layer"},
    ROW_LAYERS(TRAIN, MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "mixtures", "N", "20", AT(mixtures), 1, 256, MARK_RECORDED,
        "Gaussians that say where the pen goes"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0.1", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout behind each layer"},

    ROW_HEADING("Training"),
    {ARGUMENT_NUMBER, TRAIN, "stretch", "PART", "0.15", AT(stretch), 0, 0.9, MARK_RECORDED,
        "each time a drawing is read it is made wider and higher by up to this part, or less so"},
    {ARGUMENT_NUMBER, TRAIN, "drop-points", "RATE", "0.1", AT(drop_points), 0, 0.9, MARK_RECORDED,
        "and points within a line are left out at this rate, so that one line has many forms"},
    ROW_BATCH(TRAIN, "32", "drawings", MARK_RECORDED),
    ROW_EPOCHS(TRAIN, "20", "drawings are", MARK_RECORDED),
    ROW_PATIENCE(TRAIN, "5", MARK_RECORDED),
    ROW_LR(TRAIN, "0.005", MARK_RECORDED),
    ROW_CLIP(TRAIN, MARK_RECORDED),

    ROW_HEADING("Machine"),
    {ARGUMENT_INTEGER, GENERATE | TRAIN | DRAW, "seed", "N", "1", AT(seed), 0, ROW_SEEDS,
        MARK_RECORDED, "the same seed gives the same drawings and the same model"},
    ROW_THREADS(MODEL, "0", "processors to use; 0: all"),
    ROW_DEVICE(MODEL),
    ROW_WEIGHTS(DRAW, "auto"),
    ROW_WEIGHTS(EVALUATE, "f32"),
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

const record_kind settings_record = {"sketch", "data", NULL, NULL};
