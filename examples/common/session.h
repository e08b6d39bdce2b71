/* One process's part of a training run: the files that it writes, what it goes on with, its clock.
 * What a run can be stopped at and goes on from, bit for bit, is its checkpoint: the model, the
 * library's objects beside it, the program's place, and the loss curves. Of both files the older one
 * is replaced only when the new one is complete.
 */
#ifndef COMMON_SESSION_H
#define COMMON_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "arguments.h"
#include "curve.h"
#include "record.h"
#include "resume.h"

typedef struct session {
    /* the program's; `parsed` has rows checkpoint, resume, threads and seed */
    arguments *parsed;
    const record_kind *kind;
    const char *model, *plot, *checkpoint; /* files; the latter two may be "" */
    double checkpoint_minutes;             /* between two checkpoints within an epoch; 0: none */
    int resume, json;
    const resume_number *numbers; /* of the program's place */
    size_t number_count;

    /* the program's, from session_load on; it destroys them */
    rnnkit_model *network;
    rnnkit_checkpoint *run;

    /* the session's own, zero at first */
    char *path; /* of the checkpoint */
    record earlier;
    curve train_curve, valid_curve;
    double seconds;            /* in earlier processes */
    double began, told, saved; /* on system_clock() */
} session;

/* In the initialiser of a session: what it takes from the settings, which name these alike in every
 * program. */
#define SESSION_SETTINGS(given, options)                                                           \
    .parsed = (given), .kind = &settings_record, .model = (options)->model,                        \
    .plot = (options)->plot, .checkpoint = (options)->checkpoint,                                  \
    .checkpoint_minutes = (options)->checkpoint_minutes, .resume = (options)->resume,              \
    .json = (options)->json

/* Before the data are read: looks whether all files can be written, and gives a run that goes on its
 * options and curves. `inputs` are pairs of an option and its file, the last one NULL: an output may
 * not be one of them. session_close is called in any case. */
int session_begin(session *self, const char *const *inputs);
void session_close(session *self);

/* The commands that are told name threads and seed, whatever the run was given; *threads 0: all. */
void session_settle(session *self, int64_t *threads);

/* A run that goes on has the data that it had. */
int session_check_data(const session *self, uint64_t fingerprint);

/* A run that goes on gets its place, and the library's objects theirs. */
int session_load(session *self, void *place);

/* Writes options and fingerprint into the model, from which files get them. `has_model`: the run has
 * written its model already, which must still be there. */
int session_record(session *self, uint64_t fingerprint, int has_model);

/* Starts the clock; how long the run has taken, earlier processes included. */
void session_start(session *self);
double session_seconds(const session *self);

/* The weights as they are; the whole run; the same when the last time is long enough ago. */
int session_save_model(session *self, int with_curves);
int session_save(session *self, const void *place);
int session_save_when_due(session *self, const void *place);

/* Saves a run that is stopped, and tells how it goes on. */
int session_stop(session *self, const void *place, int64_t update, int64_t updates);

#endif
