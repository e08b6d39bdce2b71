/* The parts of the command `train`. */
#ifndef SENTIMENT_TRAIN_H
#define SENTIMENT_TRAIN_H

#include "../common/training.h"
#include "commands.h"

typedef struct trainer {
    const settings *options;
    rnnkit_context *context;
    reviews data;
    network net;
    sequences train, valid;
    batches from;
    int64_t known; /* words that have a vector of --vectors */
    int quiet;     /* a trial of a search, which says nothing */
} trainer;

/* train_report.c */
void report_start(const trainer *run);
void report_pretraining(const trainer *run);
void report_vectors(const trainer *run);

#endif
