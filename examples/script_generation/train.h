/* The command `train`, and the parts that it is made of. */
#ifndef SCRIPT_GENERATION_TRAIN_H
#define SCRIPT_GENERATION_TRAIN_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "../common/session.h"
#include "corpus.h"
#include "network.h"
#include "report.h"
#include "settings.h"

/* How far a run has come: together with the library's objects, what a checkpoint holds. Doubles,
 * because a checkpoint keeps numbers as such. */
typedef struct run_place {
    double epoch, update;                   /* finished ones */
    double epoch_loss, epoch_targets;       /* sums over the epoch that is under way */
    double interval_loss, interval_targets; /* sums since the last point of the curve */
    double shown_loss;                      /* mean over the last interval */
    double best_epoch;                      /* 0: none yet */
    double best_loss, best_train_loss;
} run_place;

/* The objects of the library that a run needs; they are made and freed together. */
typedef struct machine {
    network net;
    rnnkit_batches *batches;
    rnnkit_state *state; /* NULL with sliding windows */
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    rnnkit_checkpoint *checkpoint;
} machine;

typedef struct trainer {
    session files;
    settings *options;
    const report *tell;
    rnnkit_context *context;
    corpus text;
    machine parts;
    int64_t train_tokens, valid_tokens;
    int64_t epoch_updates, updates; /* of an epoch; of the whole run */
    int64_t curve_interval;         /* updates between two points of the curve */
    run_place place;
    double busy; /* seconds that this process was at work, and what it did meanwhile */
    int64_t tokens_done;
} trainer;

int train_command(arguments *parsed);

/* machine.c: makes the parts for the trainer's settings; on failure too machine_close frees. */
int machine_open(trainer *run);
void machine_close(machine *parts);

/* train_loop.c: one update from a batch; and everything from `place` to the end. */
int train_update(trainer *run, const batch *from);
int train_run(trainer *run);

/* calibrate.c: sets --updates for the time that --minutes allows. */
int train_calibrate(trainer *run);

#endif
