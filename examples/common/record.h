/* What a model or checkpoint file tells about its training, so that the run can go on: entries beside
 * the weights. They hold no time and no path, so that the same run gives the same file.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "arguments.h"
#include "curve.h"

/* Marks of an option's row: RECORDED options shape the result and go into the file, which a resumed
 * run has to agree with; of these, LENGTH ones may change where the result up to there does not depend
 * on them.
 */
enum { MARK_RECORDED = 1, MARK_LENGTH = 2 };

/* The program's ways. */
typedef struct record_kind {
    const char *program; /* "sentiment": entries begin with it and a dot */
    const char *data;    /* the option that names what is learned from: "corpus" */
    int (*keeps_length)(const void *settings); /* 1: LENGTH options must not change; NULL: never */
    int (*uses_alternates)(const void *settings); /* 1: the alternate defaults apply; or NULL */
} record_kind;

/* Writes the recorded options and the data's fingerprint into the model. */
int record_options(
    const record_kind *kind, rnnkit_model *model, const arguments *parsed, uint64_t fingerprint);

/* Writes the loss curves so far; NULL takes them out. */
int record_curves(
    const record_kind *kind, rnnkit_model *model, const curve *train, const curve *valid);

/* FNV-1a over `size` bytes more; starts from RECORD_HASH. */
#define RECORD_HASH UINT64_C(0xCBF29CE484222325)
uint64_t record_hash(uint64_t hash, const void *bytes, size_t size);

/* The options and curves of an earlier run. */
typedef struct record {
    const record_kind *kind;
    char *options; /* name and value in turn, each with its NUL, which settings point into */
    char *fingerprint;
    curve train, valid;
} record;

/* Reads them from a model or checkpoint file. */
int record_read(record *target, const record_kind *kind, const char *path);
void record_free(record *target);

/* Gives the settings the recorded values; an option on the command line that differs is an error.
 */
int record_apply(const record *source, arguments *parsed);

/* OUTCOME_FAILED after a message when the data are others. */
int record_check_data(const record *source, uint64_t fingerprint);

/* OUTCOME_FAILED after a message when the run's model, which a later epoch may not beat, is gone.
 */
int record_check_model(const record *source, const char *path);

#endif
