/* The command `train`, and the parts that it is made of. */
#ifndef TRANSLATION_TRAIN_H
#define TRANSLATION_TRAIN_H

#include "../common/session.h"
#include "commands.h"

/* How far a run has come: together with the library's objects, what a checkpoint holds. Doubles,
 * because a checkpoint keeps numbers as such. Losses are sums over words that are written. */
typedef struct run_place {
    double epoch, update;                 /* finished ones */
    double batch;                         /* of the epoch that is under way, finished ones */
    double epoch_loss, epoch_words;       /* sums over that epoch */
    double interval_loss, interval_words; /* sums since the last point of the curve */
    double shown_loss;                    /* mean over the last interval */
    double best_epoch;                    /* 0: none yet */
    double best_loss, best_train_loss;
} run_place;

typedef struct trainer {
    session files;
    settings *options;
    rnnkit_context *context;
    network net;
    pairs train, valid;
    batches from;
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    rnnkit_search *sampler; /* of scheduled sampling, or NULL */
    int32_t *mixed;         /* what is then read */
    size_t mixed_room;
    int64_t epoch_updates, updates; /* of an epoch; of the whole run */
    int64_t curve_interval;         /* updates between two points of the curve */
    run_place place;
    /* What this process did: seconds at work, source and target words that were read. */
    double busy, words_done;
} trainer;

/* train_data.c: reads the texts and makes the network. */
int train_read(trainer *run);

/* train_loop.c: everything from `place` to the end. */
int train_run(trainer *run);

/* train_report.c: what is told, to people or as JSON. */
void report_start(const trainer *run);
int report_progress(trainer *run);
void report_epoch(const trainer *run, double train_loss, double valid_loss, int best);
int report_done(const trainer *run);
double report_interval(const trainer *run); /* seconds between two calls of report_progress */

#endif
