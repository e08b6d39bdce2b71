/* The parts of the training loop (training.h): each gives an outcome. */
#ifndef COMMON_TRAINING_PARTS_H
#define COMMON_TRAINING_PARTS_H

#include "training.h"

/* training_save.c: the whole run, and back; a trial is never saved when that is due. */
int training_save(training *self);
int training_save_when_due(training *self);
int training_load(training *self);
int training_stop(training *self);

/* training_report.c */
int training_tell_progress(training *self);
int training_tell_epoch(training *self, const training_result *valid, int best);
int training_tell_done(training *self);

#endif
