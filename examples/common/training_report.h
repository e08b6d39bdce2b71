/* What the training loop tells (training.h): each gives an outcome. */
#ifndef COMMON_TRAINING_REPORT_H
#define COMMON_TRAINING_REPORT_H

#include "training.h"

int training_tell_progress(training *self);
int training_tell_epoch(training *self, const training_result *valid, int best);
int training_tell_done(training *self);

#endif
