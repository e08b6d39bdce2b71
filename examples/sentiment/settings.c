/* The table of options. The defaults are a recipe for some ten thousand film reviews; --preset
 * course is that of the course which many learn this from (Udacity, deep-learning-v2, sentiment
 * RNN).
 */
#include "settings.h"

#include <string.h>

#include "../common/rows.h"
#include "transformer.h"

#define AT(field) offsetof(settings, field)
#define TRAIN     COMMAND_TRAIN
#define PREDICT   COMMAND_PREDICT
#define EVALUATE  COMMAND_EVALUATE
#define EVERY     (COMMAND_TRAIN | COMMAND_PREDICT | COMMAND_EVALUATE)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_TEXT, TRAIN | EVALUATE, "data", "FILE", NULL, AT(data), 0, 0, 0,
        "reviews: lines `label<TAB>text` or `__label__x text`, or a folder with pos and neg (or "
        "with "
        "train and test, as aclImdb has); - is standard input"},
    ROW_MODEL_OUT(TRAIN),
    ROW_MODEL_IN(PREDICT | EVALUATE),
    {ARGUMENT_LIST, PREDICT, "text", "TEXT", "", AT(text), 0, 0, 0,
        "the review; - or none: each line of standard input is one"},
    ROW_CHECKPOINT(TRAIN, "after each epoch"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "10", "and every N minutes within an epoch; 0: not"),
    ROW_RESUME(TRAIN),
    ROW_LOSS_PLOT(TRAIN),
    ROW_JSON(EVERY),
    {ARGUMENT_INTEGER, EVALUATE, "wrong", "N", "0", AT(wrong), 0, 1e9, 0,
        "show the N reviews that the model is most wrong about"},

    ROW_HEADING("Text"),
    {ARGUMENT_INTEGER, TRAIN, "length", "N", "400", AT(length), 1, ROW_SIZES, MARK_RECORDED,
        "words of a review that are read"},
    {ARGUMENT_CHOICE, TRAIN, "keep", "last|first", "last", AT(keep), 0, 0, MARK_RECORDED,
        "which words of a longer review these are"},
    {ARGUMENT_INTEGER, TRAIN, "min-count", "N", "2", AT(min_count), 1, 1e9, MARK_RECORDED,
        "rarer words become one word <unk>"},
    {ARGUMENT_INTEGER, TRAIN, "max-words", "N", "30000", AT(max_words), 0, 1e9, MARK_RECORDED,
        "of the vocabulary, the most frequent ones; 0: no limit"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.1", AT(valid), 0.001, 0.9, MARK_RECORDED,
        "hold out this part of the reviews, drawn at random, to measure the model"},

    ROW_HEADING("Network"),
    {ARGUMENT_CHOICE, TRAIN, "preset", "best|course", "best", AT(preset), 0, 0, MARK_RECORDED,
        "which defaults apply"},
    {ARGUMENT_CHOICE, TRAIN, "encoder", "recurrent|transformer", "recurrent", AT(encoder), 0, 0,
        MARK_RECORDED, "what reads: recurrent layers, or blocks of self-attention"},
    ROW_CELL(TRAIN, MARK_RECORDED),
    {ARGUMENT_FLAG, TRAIN, "bidirectional", NULL, "no", AT(bidirectional), 0, 0, MARK_RECORDED,
        "recurrent layers read backwards too"},
    {ARGUMENT_CHOICE, TRAIN, "pooling", "last|mean|max", "last", AT(pooling), 0, 0, MARK_RECORDED,
        "what of recurrent layers stands for a review: the end of each direction, or mean or "
        "maximum over its words"},
    {ARGUMENT_INTEGER, TRAIN, "heads", "N", "4", AT(heads), 1, ROW_SIZES, MARK_RECORDED,
        "that a Transformer's block looks with; --embedding is a multiple of it"},
    ROW_EMBEDDING(TRAIN, "128", MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "128", AT(hidden), 1, ROW_SIZES, MARK_RECORDED,
        "units in a layer, in each direction; in a Transformer, of the layer between two linear "
        "ones"},
    {ARGUMENT_INTEGER, TRAIN, "layers", "N", "1", AT(layers), 1, TRANSFORMER_MOST_BLOCKS,
        MARK_RECORDED, "recurrent layers, or blocks of a Transformer"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0.3", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout between recurrent layers, or of what a Transformer's block adds"},
    {ARGUMENT_NUMBER, TRAIN, "dropout-ends", "RATE", "0.4", AT(dropout_ends), 0, 0.99,
        MARK_RECORDED, "dropout before the first and behind the last layer"},
    {ARGUMENT_INTEGER, TRAIN, "pretrain", "N", "5", AT(pretrain), 0, 1000, MARK_RECORDED,
        "first learn word vectors (skip-gram) from the same reviews, in so many epochs; 0: not"},
    {ARGUMENT_TEXT, TRAIN, "vectors", "FILE", "", AT(vectors), 0, 0, 0,
        "start from these word vectors (word2vec text or binary, GloVe, safetensors); --embedding "
        "must be their dimension"},

    ROW_HEADING("Training"),
    ROW_BATCH(TRAIN, "32", "reviews", MARK_RECORDED),
    ROW_EPOCHS(TRAIN, "4", "reviews are", MARK_RECORDED | MARK_LENGTH),
    ROW_PATIENCE(TRAIN, "2", MARK_RECORDED),
    ROW_LR(TRAIN, "0.001", MARK_RECORDED),
    ROW_CLIP(TRAIN, MARK_RECORDED),
    ROW_SEED(TRAIN, MARK_RECORDED),
    ROW_SEARCH(TRAIN, "lr 0.0003 to 0.01, hidden 32 to 256, layers 1 to 2, "
                      "dropout-ends 0 to 0.6, batch 16 to 128"),
    ROW_SEARCH_MINUTES(TRAIN),

    ROW_HEADING("Machine"),
    ROW_THREADS(EVERY, "0", "processors to use; 0: all"),
    ROW_DEVICE(EVERY),
    ROW_WEIGHTS(PREDICT, "auto"),
    ROW_WEIGHTS(EVALUATE, "f32"),
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

const argument_alternate settings_course[] = {
    {"length", "200"},
    {"keep", "first"},
    {"min-count", "1"},
    {"max-words", "0"},
    {"embedding", "400"},
    {"hidden", "256"},
    {"layers", "2"},
    {"dropout", "0.5"},
    {"dropout-ends", "0.3"},
    {"pretrain", "0"},
    {"batch", "50"},
    {"epochs", "4"},
    {"patience", "4"},
    {"clip", "5"},
    {NULL, NULL},
};

/* The course's learning rate is the same whatever the run's length. */
static int keeps_length(const void *options)
{
    return strcmp(((const settings *)options)->preset, "course") != 0;
}

static int uses_alternates(const void *options)
{
    return strcmp(((const settings *)options)->preset, "course") == 0;
}

const record_kind settings_record = {"sentiment", "data", keeps_length, uses_alternates};
