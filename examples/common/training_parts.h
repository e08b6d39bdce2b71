/* The parts of the training loop (training.h): each gives an outcome. */
#ifndef COMMON_TRAINING_PARTS_H
#define COMMON_TRAINING_PARTS_H

#include "training.h"

/* training_save.c: the model with the best weights so far; the whole run, and back. */
int training_save_model(training *self);
int training_save(training *self);
int training_load(training *self);
double training_seconds(const training *self);

/* training_report.c */
int training_tell_progress(training *self);
int training_tell_epoch(training *self, const training_result *valid, int best);
int training_tell_done(training *self);

#endif
