/* Rows of option tables (arguments.h) that several programs have, said once. A program's settings
 * have the fields that the rows name, and its table has defined AT(field).
 */
#ifndef COMMON_ROWS_H
#define COMMON_ROWS_H

#define ROW_SIZES 1048576.0          /* of anything that memory is taken for */
#define ROW_SEEDS 9007199254740992.0 /* 2^53 */

#define ROW_HEADING(text)                                                                          \
    {                                                                                              \
        .type = ARGUMENT_HEADING, .help = text                                                     \
    }

/* Files. */

#define ROW_MODEL_OUT(commands)                                                                    \
    {                                                                                              \
        ARGUMENT_TEXT, commands, "model", "FILE", NULL, AT(model), 0, 0, 0,                        \
            "the result: the weights of the epoch with the best validation loss"                   \
    }

#define ROW_MODEL_IN(commands)                                                                     \
    {                                                                                              \
        ARGUMENT_TEXT, commands, "model", "FILE", NULL, AT(model), 0, 0, 0,                        \
            "a model that train wrote"                                                             \
    }

#define ROW_CHECKPOINT(commands, when)                                                             \
    {                                                                                              \
        ARGUMENT_TEXT, commands, "checkpoint", "FILE", "", AT(checkpoint), 0, 0, 0,                \
            "save the whole run here " when "; without it only Ctrl-C saves, as MODEL.checkpoint"  \
    }

#define ROW_CHECKPOINT_MINUTES(commands, initial, help)                                            \
    {                                                                                              \
        ARGUMENT_NUMBER, commands, "checkpoint-minutes", "N", initial, AT(checkpoint_minutes), 0,  \
            100000, 0, help                                                                        \
    }

#define ROW_RESUME(commands)                                                                       \
    {                                                                                              \
        ARGUMENT_FLAG, commands, "resume", NULL, "no", AT(resume), 0, 0, 0,                        \
            "go on from the checkpoint; the options that were saved in it apply"                   \
    }

#define ROW_LOSS_PLOT(commands)                                                                    \
    {                                                                                              \
        ARGUMENT_TEXT, commands, "plot", "FILE", "", AT(plot), 0, 0, 0,                            \
            "draw training and validation loss into this SVG file"                                 \
    }

#define ROW_JSON(commands)                                                                         \
    {                                                                                              \
        ARGUMENT_FLAG, commands, "json", NULL, "no", AT(json), 0, 0, 0,                            \
            "print one JSON object a line instead"                                                 \
    }

/* Network and training; `marks` are the program's own. */

#define ROW_CELL(commands, marks)                                                                  \
    {                                                                                              \
        ARGUMENT_CHOICE, commands, "cell", "rnn|gru|lstm", "lstm", AT(cell), 0, 0, marks,          \
            "kind of recurrent layer; rnn: Elman's"                                                \
    }

#define ROW_LAYERS(commands, marks)                                                                \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "layers", "N", "1", AT(layers), 1, 64, marks,                  \
            "recurrent layers"                                                                     \
    }

#define ROW_EMBEDDING(commands, initial, marks)                                                    \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "embedding", "N", initial, AT(embedding), 1, ROW_SIZES, marks, \
            "numbers that stand for a word"                                                        \
    }

#define ROW_BATCH(commands, initial, things, marks)                                                \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "batch", "N", initial, AT(batch), 1, ROW_SIZES, marks,         \
            things " an update looks at, of similar length"                                        \
    }

#define ROW_EPOCHS(commands, initial, data, marks)                                                 \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "epochs", "N", initial, AT(epochs), 1, 1e9, marks,             \
            "times the " data " read, at most"                                                     \
    }

#define ROW_PATIENCE(commands, initial, marks)                                                     \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "patience", "N", initial, AT(patience), 1, 1e9, marks,         \
            "end after so many epochs without a better validation loss"                            \
    }

#define ROW_LR(commands, initial, marks)                                                           \
    {                                                                                              \
        ARGUMENT_NUMBER, commands, "lr", "RATE", initial, AT(lr), 0, 1000, marks,                  \
            "learning rate of Adam at its highest; it falls to 0 along a cosine"                   \
    }

#define ROW_CLIP(commands, marks)                                                                  \
    {                                                                                              \
        ARGUMENT_NUMBER, commands, "clip", "NORM", "1", AT(clip), 0, 1e9, marks,                   \
            "largest norm of the gradient; 0: any"                                                 \
    }

#define ROW_SEED(commands, marks)                                                                  \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "seed", "N", "1", AT(seed), 0, ROW_SEEDS, marks,               \
            "the same seed gives the same model"                                                   \
    }

#define ROW_SEARCH(commands, ranges)                                                               \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "search", "N", "0", AT(search), 0, 100000, 0,                  \
            "train N times, the first time with the options as they are, then with random ones "   \
            "where "                                                                               \
            "none were given, and keep the best: " ranges                                          \
    }

#define ROW_SEARCH_MINUTES(commands)                                                               \
    {                                                                                              \
        ARGUMENT_NUMBER, commands, "search-minutes", "N", "0", AT(search_minutes), 0, 1e6, 0,      \
            "end the search after about so long; 0: no limit"                                      \
    }

/* Machine. */

#define ROW_THREADS(commands, initial, help)                                                       \
    {                                                                                              \
        ARGUMENT_INTEGER, commands, "threads", "N", initial, AT(threads), 0, 4096, 0, help         \
    }

#define ROW_DEVICE(commands)                                                                       \
    {                                                                                              \
        ARGUMENT_TEXT, commands, "device", "NAME", "auto", AT(device), 0, 0, 0,                    \
            "auto, cpu, cuda, cuda:1 or reference"                                                 \
    }

/* To write one step after the other, initial is "auto"; to measure in batches, which packed weights
 * make no faster, "f32". */
#define ROW_WEIGHTS(commands, initial)                                                             \
    {                                                                                              \
        ARGUMENT_CHOICE, commands, "weights", "auto|f32|packed|bf16|int8", initial, AT(weights),   \
            0, 0, 0,                                                                               \
            "how the model's weights are held; packed is f32 in an order that steps read faster, " \
            "and auto is packed on --device cpu, f32 elsewhere; bf16 and int8 are smaller and "    \
            "round; all but f32 for --device cpu alone"                                            \
    }

#endif
