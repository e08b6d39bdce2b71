/* The parts of the command `train`. */
#ifndef SENTIMENT_TRAIN_H
#define SENTIMENT_TRAIN_H

#include "../common/search.h"
#include "commands.h"

/* Beside the outcomes of console.h: a trial of a search that is over. */
enum { OUTCOME_DIVERGED = 3 };

/* Points of the loss curves, for the plot. */
typedef struct points {
    double *x, *y;
    size_t count, room;
} points;

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
    points train_curve, valid_curve;
    int64_t update, updates, epoch, best_epoch;
    int64_t known; /* words that have a vector of --vectors */
    score best;
    double interval_loss, interval_count; /* since something was told */
    double epoch_loss, epoch_count;
    double began, told;
    search_trial *trial; /* or NULL: then the run speaks for itself */
} trainer;

/* train_report.c */
void report_start(const trainer *run);
void report_pretraining(const trainer *run);
void report_vectors(const trainer *run);
void report_progress(trainer *run);
void report_epoch(const trainer *run, const score *valid, int best);
int report_done(trainer *run);
int report_plot(const trainer *run);
int points_add(points *target, double x, double y);

#endif
