/* The loop of a program that trains: epochs of updates by Adam, whose rate falls to 0 along a
 * cosine or stays. After each epoch the held-out part is measured, and the model's file gets the
 * weights when they are the best so far; the loop ends early when they get no better. Ctrl-C ends it
 * between two updates, and the run goes on from its checkpoint (session.h). Everything is told to
 * people or, with `json`, as events progress, epoch, interrupted, done; but for a trial of a search,
 * which says nothing.
 */
#ifndef COMMON_TRAINING_H
#define COMMON_TRAINING_H

#include <rnnkit/rnnkit.h>

#include "buckets.h"
#include "search.h"
#include "session.h"

/* What the held-out part says. */
typedef struct training_result {
    double loss;
    double figure; /* the other thing that is measured, if there is one */
} training_result;

/* What the program does; each gives an outcome (console.h). */
typedef struct training_steps {
    /* Computes one update's mean loss, and its gradients, on the cleared tape, of the next batch of
     * the order. `number`: of updates before it, which random numbers may depend on. `weight`: of how
     * many words, points, ... it is the mean. */
    int (*update)(void *user, int64_t number, rnnkit_tape *tape, double *loss, double *weight);
    int (*validate)(void *user, training_result *result);
} training_steps;

/* How far a run has come: together with the library's objects, what a checkpoint holds. Doubles,
 * because a checkpoint keeps numbers as such. */
typedef struct training_place {
    double update, epoch; /* finished updates; the epoch that is under way, from 1 */
    double within;        /* 1: the epoch has begun */
    double next;          /* its next batch */
    double epoch_loss, epoch_weight, interval_loss, interval_weight; /* sums; since it was told */
    double best_epoch, best_loss, best_figure;                       /* best_epoch 0: none yet */
} training_place;

typedef struct training {
    session files; /* as for session_begin, but for the numbers; the program starts its clock */
    const training_steps *steps;
    void *user;
    const char *unit;                      /* of the loss: nats per "word" */
    const char *figure_key, *figure_words; /* names of the other figure, or NULL */
    int figure_leads;                      /* it is what counts in the end */
    search_trial *trial;                   /* or NULL */

    /* for training_run: a run that goes on has its options after training_begin alone */
    rnnkit_context *context;
    buckets *order;
    uint64_t fingerprint; /* of the data: record_hash */
    double lr, clip;
    int constant; /* the learning rate */
    int64_t epochs, patience, seed;

    /* the loop's own, zero at first */
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    training_place place;
    int64_t updates;
} training;

/* session_begin, with the loop's place. */
int training_begin(training *self, const char *const *inputs);

/* All of it, with a network in files.network. training_close is called in any case. */
int training_run(training *self);
void training_close(training *self);

#endif
