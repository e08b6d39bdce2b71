/* The table of options. The defaults of `train` are a recipe for some ten thousand sentence pairs:
 * they were found on Multi30k, German to English (docs/translation.md).
 */
#include "settings.h"

#include "../common/rows.h"

#define AT(field) offsetof(settings, field)
#define TRAIN     COMMAND_TRAIN
#define TRANSLATE COMMAND_TRANSLATE
#define EVALUATE  COMMAND_EVALUATE
#define WRITE     (COMMAND_TRANSLATE | COMMAND_EVALUATE)
#define EVERY     (COMMAND_TRAIN | COMMAND_TRANSLATE | COMMAND_EVALUATE)

const argument_row settings_rows[] = {
    ROW_HEADING("Files"),
    {ARGUMENT_TEXT, TRAIN | EVALUATE, "source", "FILE", NULL, AT(source), 0, 0, 0,
        "sentences in the language to translate from, one a line, in UTF-8"},
    {ARGUMENT_TEXT, TRAIN | EVALUATE, "target", "FILE", NULL, AT(target), 0, 0, 0,
        "their translations, line by line"},
    {ARGUMENT_TEXT, TRAIN, "valid-source", "FILE", "", AT(valid_source), 0, 0, 0,
        "sentences to measure the model on; without them some are held out, see --valid"},
    {ARGUMENT_TEXT, TRAIN, "valid-target", "FILE", "", AT(valid_target), 0, 0, 0,
        "their translations, line by line"},
    ROW_MODEL_OUT(TRAIN),
    {ARGUMENT_TEXT, WRITE, "model", "FILE", NULL, AT(model), 0, 0, 0,
        "a model or checkpoint that train wrote"},
    {ARGUMENT_LIST, TRANSLATE, "text", "TEXT", "", AT(text), 0, 0, 0,
        "the sentence; - or none: each line of standard input is one"},
    {ARGUMENT_TEXT, TRANSLATE, "attention-svg", "FILE", "", AT(attention_svg), 0, 0, 0,
        "draw where the model looked for each word it wrote; from the second sentence on the file "
        "gets a number: FILE-2.svg"},
    {ARGUMENT_TEXT, EVALUATE, "output", "FILE", "", AT(output), 0, 0, 0,
        "write the translations into this file, one a line"},
    ROW_CHECKPOINT(TRAIN, "after each epoch"),
    ROW_CHECKPOINT_MINUTES(TRAIN, "10", "and every N minutes within an epoch; 0: not"),
    ROW_RESUME(TRAIN),
    {ARGUMENT_TEXT, TRAIN, "plot", "FILE", "", AT(plot), 0, 0, 0,
        "draw the loss curves into this SVG file"},
    ROW_JSON(EVERY),

    ROW_HEADING("Text"),
    {ARGUMENT_CHOICE, TRAIN, "punctuation", "auto|split|keep", "auto", AT(punctuation), 0, 0,
        MARK_RECORDED,
        "split: marks become words of their own; keep: words are what stands between spaces, for "
        "text that is tokenised already; auto: the text tells which"},
    {ARGUMENT_FLAG, TRAIN, "lowercase", NULL, "yes", AT(lowercase), 0, 0, MARK_RECORDED,
        "make all letters small; --no-lowercase keeps them"},
    {ARGUMENT_INTEGER, TRAIN, "min-count", "N", "2", AT(min_count), 1, 1e9, MARK_RECORDED,
        "rarer words become one word <unk>"},
    {ARGUMENT_INTEGER, TRAIN, "max-length", "N", "50", AT(max_length), 1, 4095, MARK_RECORDED,
        "leave out pairs with a sentence of more words"},
    {ARGUMENT_NUMBER, TRAIN, "valid", "FRACTION", "0.05", AT(valid), 0.001, 0.9, MARK_RECORDED,
        "hold out this part of the pairs, drawn at random, when there is no --valid-source"},

    ROW_HEADING("Network"),
    {ARGUMENT_CHOICE, TRAIN, "preset", "bahdanau|luong-dot|luong-general|luong-concat",
        "luong-concat", AT(preset), 0, 0, MARK_RECORDED,
        "bahdanau: looks before it reads on, by an additive score; luong: looks after it, by the "
        "score in the name, and feeds what it saw into the next step"},
    {ARGUMENT_CHOICE, TRAIN, "score", "preset|additive|dot|general|concat|scaled_dot", "preset",
        AT(score), 0, 0, MARK_RECORDED, "how alike state and source position are: another score"},
    {ARGUMENT_INTEGER, TRAIN, "window", "N", "0", AT(window), 0, 1e9, MARK_RECORDED,
        "local attention: predict a place in the source, and look at so many words to each side of "
        "it; 0: at the whole sentence"},
    {ARGUMENT_CHOICE, TRAIN, "cell", "gru|lstm", "gru", AT(cell), 0, 0, MARK_RECORDED,
        "kind of recurrent layer"},
    ROW_EMBEDDING(TRAIN, "256", MARK_RECORDED),
    {ARGUMENT_INTEGER, TRAIN, "hidden", "N", "256", AT(hidden), 2, ROW_SIZES, MARK_RECORDED,
        "units of a decoder layer, and of both directions of an encoder layer together; even"},
    {ARGUMENT_INTEGER, TRAIN, "layers", "N", "1", AT(layers), 1, 64, MARK_RECORDED,
        "recurrent layers of encoder and decoder"},
    {ARGUMENT_NUMBER, TRAIN, "dropout", "RATE", "0.4", AT(dropout), 0, 0.99, MARK_RECORDED,
        "dropout of the words that are read, of the source as it is looked at, before the output "
        "layer, and between layers"},
    {ARGUMENT_FLAG, TRAIN, "tie-weights", NULL, "yes", AT(tie_weights), 0, 0, MARK_RECORDED,
        "use the target words' embedding as output layer too"},

    ROW_HEADING("Training"),
    ROW_BATCH(TRAIN, "64", "pairs", MARK_RECORDED),
    ROW_EPOCHS(TRAIN, "12", "pairs are", MARK_RECORDED),
    ROW_PATIENCE(TRAIN, "3", MARK_RECORDED),
    ROW_LR(TRAIN, "0.002", MARK_RECORDED),
    ROW_CLIP(TRAIN, MARK_RECORDED),
    {ARGUMENT_NUMBER, TRAIN, "label-smoothing", "RATE", "0.1", AT(label_smoothing), 0, 0.99,
        MARK_RECORDED, "this part of a word's target goes to all words alike"},
    {ARGUMENT_NUMBER, TRAIN, "scheduled-sampling", "RATE", "0", AT(scheduled_sampling), 0, 1,
        MARK_RECORDED,
        "read the model's own word instead of the right one so often, at the end of training; it "
        "rises from 0"},
    ROW_SEED(TRAIN, MARK_RECORDED),

    ROW_HEADING("Writing"),
    {ARGUMENT_INTEGER, WRITE, "beam", "N", "5", AT(beam), 1, 1000, 0,
        "translations that are followed at once; 1: always the likeliest word"},
    {ARGUMENT_INTEGER, TRANSLATE, "n-best", "N", "1", AT(n_best), 1, 1000, 0,
        "print so many translations, at most --beam: line, rank, score and text"},
    {ARGUMENT_NUMBER, WRITE, "length-penalty", "POWER", "1", AT(length_penalty), 0, 10, 0,
        "a translation's score is its log-probability divided by this power of its length"},
    {ARGUMENT_FLAG, WRITE, "replace-unknown", NULL, "no", AT(replace_unknown), 0, 0, 0,
        "let the model write <unk>, and put the source word there that it looked at most"},

    ROW_HEADING("Machine"),
    ROW_THREADS(EVERY, "0", "processors to use; 0: all"),
    ROW_DEVICE(EVERY),
    ROW_WEIGHTS(WRITE, "auto"),
};

const size_t settings_row_count = sizeof settings_rows / sizeof *settings_rows;

const record_kind settings_record = {.program = "translation", .data = "source"};
