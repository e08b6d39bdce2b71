/* Random search over a training program's options (Bergstra and Bengio, JMLR 13, 2012): the first
 * trial has the options as they are, each further one draws those that were not given from stated
 * ranges. What a trial draws depends on the seed and its number alone.
 */
#ifndef COMMON_SEARCH_H
#define COMMON_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "arguments.h"

/* Beside the outcomes of console.h: a trial that is over, as its numbers are no longer finite. */
enum { OUTCOME_DIVERGED = 3 };

typedef struct search_range {
    const char *option;
    double least, most;
    int by_ratio; /* as likely between 1 and 2 as between 10 and 20 */
} search_range;

/* What a trial is told, and what it tells. */
typedef struct search_trial {
    double to_beat;  /* it writes the model only when its validation loss is below this */
    double deadline; /* on system_clock(): it ends at the first epoch behind it; INFINITY: none */
    double loss;     /* its best validation loss; NaN when it has none */
    int64_t epoch;   /* the epoch of that */
    int cut;         /* the deadline ended it */
} search_trial;

typedef struct search {
    const search_range *ranges;
    size_t range_count;
    int64_t trials, seed;
    double minutes; /* 0: as long as it takes */
    int json;
    const char *input, *what; /* what each trial reads, and a word for it */
    int saves;                /* a checkpoint was asked for */
    /* Trains with the settings of `parsed`: an outcome; what diverges has a NaN loss and is OK. */
    int (*run)(arguments *parsed, search_trial *trial);
} search;

/* A training command: one run without --search; else the trials, of which each is told, and in the
 * end a table, best first, and the command that repeats the winner. `parsed` has rows "search" and
 * "search-minutes". */
int search_train(const search *source, arguments *parsed);

#endif
