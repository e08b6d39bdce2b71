/* What a model file tells about its training: entries beside the weights. They hold no time and no
 * path, so that the same run gives the same file.
 */
#ifndef SCRIPT_GENERATION_RECORD_H
#define SCRIPT_GENERATION_RECORD_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "../common/arguments.h"
#include "curve.h"
#include "settings.h"

/* Writes unit, windows, steps, the recorded options and the text's fingerprint into the model. */
int record_options(rnnkit_model *model, const arguments *parsed, uint64_t fingerprint);

/* Writes the loss curves so far. */
int record_curves(rnnkit_model *model, const curve *train, const curve *valid);

/* The options and curves of an earlier run. */
typedef struct record {
    char *options; /* name and value in turn, each with its NUL, which settings point into */
    char *fingerprint;
    curve train, valid;
} record;

/* Reads them from a model or checkpoint file. */
int record_read(record *target, const char *path);
void record_free(record *target);

/* Gives the settings the recorded values; an option on the command line that differs is an error.
 */
int record_apply(const record *source, arguments *parsed);

/* OUTCOME_FAILED after a message when the text is another one. */
int record_check_text(const record *source, uint64_t fingerprint);

/* OUTCOME_FAILED after a message when the run's model, which a later epoch may not beat, is gone.
 */
int record_check_model(const record *source, const char *path);

#endif
