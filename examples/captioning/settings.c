/* The table of options. The defaults suit the made-up pictures and some thousand photographs. */
#include "settings.h"

#include "../common/rows.h"

#define AT(field) offsetof(settings, field)
#define GENERATE  COMMAND_GENERATE
#define TRAIN     COMMAND_TRAIN
#define CAPTION   COMMAND_CAPTION
#define EVALUATE  COMMAND_EVALUATE
#define MODEL     (COMMAND_TRAIN | COMMAND_CAPTION | COMMAND_EVALUATE)
#define EVERY     (COMMAND_GENERATE | MODEL)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_TEXT, GENERATE, "features", "FILE", NULL, AT(features), 0, 0, 0,
        "where the pictures' features go (safetensors)"},
    {ARGUMENT_TEXT, GENERATE, "captions", "FILE", NULL, AT(captions), 0, 0, 0,
        "where their captions go: lines `name<TAB>caption`"},
    {ARGUMENT_TEXT, GENERATE, "pictures", "FOLDER", "", AT(pictures), 0, 0, 0,
        "also draw each picture into this folder, as name.svg"},
    {ARGUMENT_INTEGER, GENERATE, "count", "N", "3000", AT(count), 1, 1e6, 0, "pictures to make"},
    {ARGUMENT_TEXT, MODEL, "features", "FILE", NULL, AT(features), 0, 0, 0,
        "safetensors with an array features [pictures][positions][width] (or rows and columns for "
        "positions) and a text `names`: a name a line"},
    {ARGUMENT_TEXT, TRAIN | EVALUATE, "captions", "FILE", NULL, AT(captions), 0, 0, 0,
        "lines `name<TAB>caption`, any number for a picture; a name may end in #0, #1, ...; - is "
        "standard input"},
    ROW_MODEL_OUT(TRAIN),
    ROW_MODEL_IN(CAPTION | EVALUATE),
    ROW_LOSS_PLOT(TRAIN),
    {ARGUMENT_LIST, CAPTION, "names", "NAME...", "", AT(names), 0, 0, 0,
        "which pictures; none: all, one line each"},
    {ARGUMENT_TEXT, CAPTION, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw where the model looked for each word into this SVG file (12 pictures at most)"},
    {ARGUMENT_TEXT, CAPTION, "pictures", "FOLDER", "", AT(pictures), 0, 0, 0,
        "the pictures to draw on: files called as the names are, or with .svg, .png, .jpg, .jpeg "
        "or .webp behind"},
    ROW_CHECKPOINT(TRAIN, "after each epoch"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "10", "and every N minutes within an epoch; 0: not"),
    ROW_RESUME(TRAIN),
    ROW_JSON(EVERY),

    ROW_HEADING("Captions"),
    {ARGUMENT_INTEGER, TRAIN, "min-count", "N", "1", AT(min_count), 1, 1e9, MARK_RECORDED,
        "rarer words become one word <unk>, which is never written"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.1", AT(valid), 0.001, 0.9, MARK_RECORDED,
        "hold out this part of the pictures, drawn at random, to measure the model"},
    {ARGUMENT_INTEGER, CAPTION | EVALUATE, "beam", "N", "3", AT(beam), 1, 100, 0,
        "captions that are followed at once; 1: the likeliest next word each time"},
    {ARGUMENT_INTEGER, EVALUATE, "wrong", "N", "0", AT(wrong), 0, 1e9, 0,
        "show N pictures whose caption is none of theirs"},

    ROW_HEADING("Network"),
    ROW_EMBEDDING(TRAIN, "64", MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "192", AT(hidden), 1, ROW_SIZES, MARK_RECORDED,
        "units of the decoder"},
    {ARGUMENT_INTEGER, TRAIN, "memory", "N", "128", AT(memory), 1, ROW_SIZES, MARK_RECORDED,
        "numbers that stand for a place of the picture"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0.1", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout of places, words read and outputs"},

    ROW_HEADING("Training"),
    ROW_BATCH(TRAIN, "32", "captions", MARK_RECORDED),
    ROW_EPOCHS(TRAIN, "25", "captions are", MARK_RECORDED),
    ROW_PATIENCE(TRAIN, "5", MARK_RECORDED),
    ROW_LR(TRAIN, "0.004", MARK_RECORDED),
    ROW_CLIP(TRAIN, MARK_RECORDED),

    ROW_HEADING("Machine"),
    {ARGUMENT_INTEGER, GENERATE | TRAIN, "seed", "N", "1", AT(seed), 0, ROW_SEEDS, MARK_RECORDED,
        "the same seed gives the same files"},
    ROW_THREADS(MODEL, "0", "processors to use; 0: all"),
    ROW_DEVICE(MODEL),
    ROW_WEIGHTS(CAPTION, "auto"),
    ROW_WEIGHTS(EVALUATE, "f32"),
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

const record_kind settings_record = {"captioning", "captions", NULL, NULL};
