/* What a model file tells about its training: entries beside the weights, and what a run that goes
 * on from a checkpoint has to agree with. They hold no time and no path, so that the same run gives
 * the same file.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "arguments.h"
#include "curve.h"

/* The mark of a row whose option shapes the result: it goes into the record. A program's own marks
 * are other bits. */
enum { MARK_RECORDED = 1 };

/* Whose record it is. */
typedef struct record_owner {
    const char *program; /* entries are "program.options" and so on */
    const char *text;    /* the option that names what is learned from: "corpus" */
    /* 1 when a resumed run may have another value; or NULL: none may. */
    int (*may_differ)(const arguments *parsed, size_t row);
    /* Called when all settings have their recorded values: which defaults apply; or NULL. */
    void (*settle)(arguments *parsed);
} record_owner;

/* Writes the recorded options and the text's fingerprint into the model. */
int record_options(
    const record_owner *owner, rnnkit_model *model, const arguments *parsed, uint64_t fingerprint);

/* Writes the loss curves so far. */
int record_curves(
    const record_owner *owner, rnnkit_model *model, const curve *train, const curve *valid);

/* The options and curves of an earlier run. */
typedef struct record {
    char *options; /* name and value in turn, each with its NUL, which settings point into */
    char *fingerprint;
    curve train, valid;
} record;

/* Reads them from a model or checkpoint file. */
int record_read(const record_owner *owner, record *target, const char *path);
void record_free(record *target);

/* Gives the settings the recorded values; an option on the command line that differs is an error.
 */
int record_apply(const record_owner *owner, const record *source, arguments *parsed);

/* OUTCOME_FAILED after a message when the text is another one. */
int record_check_text(const record_owner *owner, const record *source, uint64_t fingerprint);

/* OUTCOME_FAILED after a message when the run's model, which a later epoch may not beat, is gone.
 */
int record_check_model(const record_owner *owner, const record *source, const char *path);

#endif
