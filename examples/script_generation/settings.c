/* The table of options. The defaults of `train` are a recipe for scripts and books of one to ten
 * megabytes: contiguous text, one wide tied LSTM, dropout, Adam along a cosine. With sliding
 * windows they are those of the course that sliding windows come from.
 */
#include "settings.h"

#include "../common/rows.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(settings, field)
#define TRAIN     COMMAND_TRAIN
#define GENERATE  COMMAND_GENERATE
#define EVALUATE  COMMAND_EVALUATE
#define EVERY     (COMMAND_TRAIN | COMMAND_GENERATE | COMMAND_EVALUATE)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_LIST, TRAIN | EVALUATE, "corpus", "FILE...", NULL, AT(corpus), 0, 0, 0,
        "text to read, in UTF-8; - is standard input"},
    ROW_MODEL_OUT(TRAIN),
    {ARGUMENT_TEXT, GENERATE | EVALUATE, "model", "FILE", NULL, AT(model), 0, 0, 0,
        "a model or checkpoint that train wrote"},
    ROW_CHECKPOINT(TRAIN, "after each epoch"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "10", "and every N minutes within an epoch; 0: not"),
    ROW_RESUME(TRAIN),
    {ARGUMENT_TEXT, TRAIN, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw the loss curves into this SVG file"},
    ROW_JSON(EVERY),

    ROW_HEADING("Text"),
    {ARGUMENT_CHOICE, TRAIN, "unit", "word|char|byte", "word", AT(unit), 0, 0, MARK_RECORDED,
        "what the model reads and writes one at a time"},
    {ARGUMENT_FLAG, TRAIN, "lowercase", NULL, "with words", AT(lowercase), 0, 0, MARK_RECORDED,
        "make all letters small; --no-lowercase keeps them"},
    {ARGUMENT_INTEGER, TRAIN, "min-count", "N", "1", AT(min_count), 1, 1e9, MARK_RECORDED,
        "rarer words become one word <unk>, which is never written"},
    {ARGUMENT_CHOICE, TRAIN, "invalid", "strict|replace|skip", "strict", AT(invalid), 0, 0,
        MARK_RECORDED, "what happens at bytes that are not UTF-8"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.1", AT(valid), 0, 0.9, MARK_RECORDED,
        "hold out this part, at the end of the text, to measure the model"},
    {ARGUMENT_NUMBER, EVALUATE, "last", "FRACTION", "1", AT(last), 0, 1, 0,
        "measure only this part, at the end of the text"},

    ROW_HEADING("Network"),
    ROW_EMBEDDING(TRAIN, "256", MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "256", AT(hidden), 1, ROW_SIZES, MARK_RECORDED,
        "units in an LSTM layer"},
    {ARGUMENT_INTEGER, TRAIN, "layers", "N", "1", AT(layers), 1, 64, MARK_RECORDED, "LSTM layers"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0.3", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout between LSTM layers"},
    {ARGUMENT_NUMBER, TRAIN, "dropout-ends", "RATE", "0.3", AT(dropout_ends), 0, 0.99,
        MARK_RECORDED, "dropout before the first and behind the last LSTM layer"},
    {ARGUMENT_FLAG, TRAIN, "tie-weights", NULL, "where sizes agree", AT(tie_weights), 0, 0,
        MARK_RECORDED, "use the embedding as output layer too (embedding = hidden)"},
    {ARGUMENT_FLAG, TRAIN, "sparse", NULL, "yes", AT(sparse), 0, 0, MARK_RECORDED,
        "an update moves only the embedding's rows of words that were read (not when tied); "
        "--no-sparse: all, as PyTorch does unless told otherwise"},

    ROW_HEADING("Training"),
    {ARGUMENT_CHOICE, TRAIN, "windows", "contiguous|sliding", "contiguous", AT(windows), 0, 0,
        MARK_RECORDED,
        "contiguous: the text is read on and on and the state carried over; sliding: from a zero "
        "state the word behind every window of --steps words is predicted, and other defaults "
        "apply"},
    {ARGUMENT_INTEGER, TRAIN, "batch", "N", "32", AT(batch), 1, ROW_SIZES, MARK_RECORDED,
        "places of the text that are read side by side"},
    {ARGUMENT_INTEGER, TRAIN, "steps", "N", "32", AT(steps), 1, ROW_SIZES, MARK_RECORDED,
        "words an update looks at in each place"},
    {ARGUMENT_INTEGER, TRAIN, "epochs", "N", "10", AT(epochs), 1, 1e9, MARK_RECORDED | MARK_LENGTH,
        "times the text is read"},
    {ARGUMENT_INTEGER, TRAIN, "updates", "N", "0", AT(updates), 0, 1e15,
        MARK_RECORDED | MARK_LENGTH, "end after so many updates, if that is earlier; 0: no limit"},
    {ARGUMENT_NUMBER, TRAIN, "minutes", "N", "0", AT(minutes), 0, 1e6, 0,
        "measure the speed and set --updates so that training takes about so long; 0: no limit"},
    {ARGUMENT_NUMBER, TRAIN, "lr", "RATE", "0.003", AT(lr), 0, 1000, MARK_RECORDED,
        "learning rate at its highest; 0: the optimiser's own default"},
    ROW_CLIP(TRAIN, MARK_RECORDED),
    {ARGUMENT_CHOICE, TRAIN, "optimizer", "sgd|adam|adamw|rmsprop|adagrad", "adam", AT(optimizer),
        0, 0, MARK_RECORDED, "update rule"},
    {ARGUMENT_TEXT, TRAIN, "optimizer-options", "TEXT", "", AT(optimizer_options), 0, 0,
        MARK_RECORDED, "more about it, as in \"momentum=0.9 weight_decay=1e-6\"; see below"},
    {ARGUMENT_CHOICE, TRAIN, "schedule", "constant|linear|cosine|step|plateau", "cosine",
        AT(schedule), 0, 0, MARK_RECORDED, "how the learning rate changes"},
    {ARGUMENT_TEXT, TRAIN, "schedule-options", "TEXT", "", AT(schedule_options), 0, 0,
        MARK_RECORDED, "more about it, as in \"warmup=200 floor=1e-5\"; see below"},
    ROW_SEED(TRAIN, MARK_RECORDED),

    ROW_HEADING("Writing"),
    {ARGUMENT_TEXT, GENERATE, "prime", "TEXT", "", AT(prime), 0, 0, 0,
        "the text begins so; \\n is a line feed"},
    {ARGUMENT_INTEGER, GENERATE, "length", "N", "200", AT(length), 0, 1e15, 0,
        "words (or characters, bytes) to write; 0: no limit"},
    {ARGUMENT_LIST, GENERATE, "stop", "TEXT...", "", AT(stop), 0, 0, 0,
        "end before one of these texts; \\n is a line feed"},
    {ARGUMENT_NUMBER, GENERATE, "temperature", "T", "0.8", AT(temperature), 0, 100, 0,
        "low: likely words; high: daring ones; 0: always the likeliest"},
    {ARGUMENT_INTEGER, GENERATE, "top-k", "N", "0", AT(top_k), 0, 1e9, 0,
        "draw from the N likeliest words only; 0: all"},
    {ARGUMENT_NUMBER, GENERATE, "top-p", "P", "1", AT(top_p), 0, 1, 0,
        "draw from the likeliest words that make up P together"},
    {ARGUMENT_NUMBER, GENERATE, "repetition-penalty", "X", "1", AT(repetition_penalty), 0.01, 100,
        0, "make words that were just written less likely; 1: not"},
    {ARGUMENT_INTEGER, GENERATE, "seed", "N", "-1", AT(seed), -1, ROW_SEEDS, 0,
        "the same seed gives the same text; -1: a new one each time"},

    ROW_HEADING("Machine"),
    ROW_THREADS(EVERY, "0", "processors to use; 0: all"),
    ROW_DEVICE(EVERY),
    ROW_WEIGHTS(GENERATE, "auto"),
    ROW_WEIGHTS(EVALUATE, "f32"),
    {ARGUMENT_CHOICE, TRAIN, "precision", "full|tf32|bf16", "full", AT(precision), 0, 0, 0,
        "on cuda: what the factors of large products are rounded to"},
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

/* Udacity, deep-learning-v2-pytorch, project "generate TV scripts". */
const argument_alternate settings_sliding[] = {
    {"embedding", "200"},
    {"layers", "2"},
    {"dropout", "0.5"},
    {"dropout-ends", "0"},
    {"tie-weights", "no"},
    {"sparse", "no"},
    {"batch", "256"},
    {"steps", "10"},
    {"lr", "0.001"},
    {"clip", "0"},
    {"schedule", "constant"},
    {NULL, NULL},
};

int settings_are_sliding(const settings *options)
{
    return strcmp(options->windows, "sliding") == 0;
}

int settings_end_with_the_run(const settings *options)
{
    return strcmp(options->schedule, "linear") == 0 || strcmp(options->schedule, "cosine") == 0;
}

static int keeps_length(const void *options)
{
    return settings_end_with_the_run(options);
}

static int uses_alternates(const void *options)
{
    return settings_are_sliding(options);
}

const record_kind settings_record = {"script_generation", "corpus", keeps_length, uses_alternates};

static char escaped(char letter)
{
    switch (letter) {
    case 'n': return '\n';
    case 't': return '\t';
    case '\\': return '\\';
    default: return '\0';
    }
}

char *settings_unescape(const char *text)
{
    char *plain = malloc(strlen(text) + 1);
    char *to = plain;

    for (const char *from = text; plain != NULL && *from != '\0'; from++) {
        char letter = *from == '\\' ? escaped(from[1]) : '\0';

        if (letter != '\0') from++;
        *to++ = letter != '\0' ? letter : *from;
    }
    if (plain != NULL) *to = '\0';
    return plain;
}
