/* The loop of a program that trains: epochs of updates by Adam, whose rate falls to 0 along a
 * cosine. After each epoch the held-out part is measured, and the model's file gets the weights when
 * they are the best so far; the loop ends early when they get no better. Ctrl-C ends it between two
 * updates, and the run goes on from its checkpoint, bit for bit. Everything is told to people or, with
 * `json`, as events progress, epoch, interrupted, done.
 */
#ifndef COMMON_TRAINING_H
#define COMMON_TRAINING_H

#include <rnnkit/rnnkit.h>

#include "arguments.h"
#include "buckets.h"
#include "curve.h"
#include "record.h"

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
    double seconds;                                                  /* in earlier processes */
} training_place;

typedef struct training {
    /* for training_begin; `parsed` has rows model, checkpoint, resume, seed and threads */
    arguments *parsed;
    const record_kind *kind;
    const training_steps *steps;
    void *user;
    const char *model, *plot, *checkpoint; /* files; the latter two may be "" */
    const char *unit;                      /* of the loss: nats per "word" */
    const char *figure_key, *figure_words; /* names of the other figure, or NULL */
    int64_t checkpoint_minutes;
    int resume, json;

    /* for training_run: a run that goes on has its options after training_begin alone */
    rnnkit_context *context;
    rnnkit_model *network;
    buckets *order;
    uint64_t fingerprint; /* of the data: record_hash */
    double lr, clip;
    int64_t epochs, patience, seed;

    /* the loop's own, zero at first */
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    rnnkit_checkpoint *run;
    char *run_path;
    record earlier;
    curve train_curve, valid_curve;
    training_place place;
    int64_t updates;
    double began, told, saved;
} training;

/* Before the data are read: looks whether all files can be written, and gives a run that goes on its
 * options. `inputs` are pairs of an option and its file, the last one NULL: an output may not be one
 * of them. */
int training_begin(training *self, const char *const *inputs);

/* All of it. training_close is called in any case. */
int training_run(training *self);
void training_close(training *self);

#endif
