/* The loop of a program that trains: epochs of updates by Adam, whose rate falls to 0 along a
 * cosine. After each epoch the held-out part is measured, and the model's file gets the weights when
 * they are the best so far; the loop ends early when they get no better. Ctrl-C ends it between two
 * updates. Everything is told to people or, with `json`, as events start, progress, epoch, done.
 */
#ifndef COMMON_TRAINING_H
#define COMMON_TRAINING_H

#include <rnnkit/rnnkit.h>

#include "arguments.h"

typedef struct training_points {
    double *x, *y;
    size_t count, room;
} training_points;

/* What the held-out part says. */
typedef struct training_result {
    double loss;
    double figure; /* the other thing that is measured, or NaN */
} training_result;

/* What the program does; each gives an outcome (console.h). */
typedef struct training_steps {
    int (*begin_epoch)(void *user);
    /* Computes one update's mean loss, and its gradients, on the cleared tape. `weight`: of how many
     * words, points, ... it is the mean. */
    int (*update)(void *user, rnnkit_tape *tape, double *loss, double *weight);
    int (*validate)(void *user, training_result *result);
} training_steps;

typedef struct training {
    arguments *parsed; /* has rows "model", "seed" and "threads" */
    const training_steps *steps;
    void *user;
    rnnkit_context *context;
    rnnkit_model *network;
    const char *model, *plot;              /* files; plot may be "" */
    const char *unit;                      /* of the loss: "nats per word" */
    const char *figure_key, *figure_words; /* names of the other figure, or NULL */
    double lr, clip;
    int64_t epochs, patience, epoch_updates, seed;
    int json;

    /* the loop's own, zero at first */
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    training_points train_curve, valid_curve;
    training_result best;
    int64_t epoch, best_epoch, update;
    double epoch_loss, epoch_weight, interval_loss, interval_weight; /* sums */
    double began, told;
} training;

/* Before anything is read: looks whether model and plot can be written. `inputs` are pairs of an
 * option and its file, the last one NULL: an output may not be one of them. */
int training_check(const char *model, const char *plot, const char *const *inputs);

/* All of it. training_close is called in any case. */
int training_run(training *self);
void training_close(training *self);

#endif
