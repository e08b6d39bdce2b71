/* The parts of the command `train`. */
#ifndef TIME_SERIES_TRAIN_H
#define TIME_SERIES_TRAIN_H

#include "../common/search.h"
#include "../common/session.h"
#include "commands.h"

/* How far a run has come: together with the library's objects, what a checkpoint holds. Doubles,
 * because a checkpoint keeps numbers as such. */
typedef struct run_place {
    double epoch, update;           /* the epoch that is under way, from 1; finished updates */
    double within;                  /* 1: the epoch has begun */
    double first, at;               /* its first row, and how far each lane has come */
    double random_high, random_low; /* halves of the generator's number */
    double loss;                    /* of the last update */
    double best_epoch, best; /* 0: none yet; ratio to the naive forecast on what is held out */
} run_place;

typedef struct trainer {
    session files;
    const settings *options;
    rnnkit_context *context;
    series data;
    network net;
    rnnkit_tape *tape;
    rnnkit_state *state;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    int64_t rows, lanes; /* to learn from; read side by side */
    float *x, *targets;  /* [steps][lanes][columns] */
    uint64_t random;
    run_place place;
    search_trial *trial; /* or NULL: then the run speaks for itself */
} trainer;

int64_t train_epoch_updates(const trainer *run);

/* train_report.c */
void report_start(const trainer *run);
void report_epoch(trainer *run, double ratio, int best);
int report_done(trainer *run);
int report_plot(trainer *run); /* from the first held-out row on, at most 200 of them */

/* train_save.c: the whole run, and back. */
extern const resume_number train_numbers[];
extern const size_t train_number_count;
int train_save_run(trainer *run);
int train_load_run(trainer *run);
int train_stop(trainer *run);

#endif
