/* The parts of the command `train`. */
#ifndef SENTIMENT_TRAIN_H
#define SENTIMENT_TRAIN_H

#include "../common/search.h"
#include "commands.h"

/* Beside the outcomes of console.h: a trial of a search that is over. */
enum { OUTCOME_DIVERGED = 3 };

/* How far a run has come: together with the library's objects, what a checkpoint holds. Doubles,
 * because a checkpoint keeps numbers as such. */
typedef struct run_place {
    double update, epoch; /* finished updates; the epoch that is under way, from 1 */
    double within;        /* 1: the epoch has begun */
    double next;          /* its next batch */
    double epoch_loss, epoch_count;
    double interval_loss, interval_count;        /* since something was told */
    double best_epoch, best_loss, best_accuracy; /* best_epoch 0: none yet */
    double seconds;                              /* in earlier processes */
} run_place;

typedef struct trainer {
    arguments *parsed;
    const settings *options;
    rnnkit_context *context;
    reviews data;
    network net;
    sequences train, valid;
    batches from;
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    rnnkit_checkpoint *checkpoint;
    const char *checkpoint_path;
    curve train_curve, valid_curve;
    run_place place;
    int64_t updates;
    int64_t known; /* words that have a vector of --vectors */
    double began, told, saved;
    search_trial *trial; /* or NULL: then the run speaks for itself */
} trainer;

/* train_report.c */
void report_start(const trainer *run);
void report_pretraining(const trainer *run);
void report_vectors(const trainer *run);
void report_progress(trainer *run);
void report_epoch(const trainer *run, const score *valid, int best);
int report_done(trainer *run);

/* train_save.c: the whole run, and back; the model with the best weights so far. */
uint64_t train_fingerprint(const reviews *data);
int train_save_model(trainer *run);
int train_save_run(trainer *run);
int train_load_run(trainer *run);
double train_seconds(const trainer *run);

#endif
