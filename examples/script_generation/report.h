/* What a training run tells, in two forms: lines for people (progress.c) and JSON lines for
 * programs (report_json.c). Losses are means per predicted token in nats.
 */
#ifndef SCRIPT_GENERATION_REPORT_H
#define SCRIPT_GENERATION_REPORT_H

#include <stdint.h>

typedef struct run_start {
    int64_t tokens, train_tokens, valid_tokens;
    int64_t words; /* of the vocabulary, <pad> and <unk> included */
    int64_t unknown;
    int64_t parameters, memory_bytes;
    int64_t embedding, layers, hidden;
    int tied;
    const char *unit, *windows, *device;
    int64_t threads, seed;
    int64_t batch, steps, epochs, epoch_updates, updates;
    int64_t update; /* where a resumed run goes on; else 0 */
} run_start;

typedef struct run_progress {
    int64_t update, updates, epoch, epochs;
    double loss, learning_rate, gradient_norm;
    double tokens_per_second, seconds, seconds_left;
} run_progress;

typedef struct run_epoch_end {
    int64_t epoch, epochs, update;
    double train_loss, valid_loss; /* valid_loss: NaN when nothing is held out */
    int best;                      /* this epoch's weights were saved */
    double seconds;
} run_epoch_end;

typedef struct run_done {
    double train_loss, valid_loss; /* of the saved weights; valid_loss may be NaN */
    int64_t best_epoch, updates, seed;
    int single_characters;    /* the unit is a character or a byte: bits per token mean something */
    double tokens_per_second; /* NaN when a resumed run had nothing left to do */
    double seconds;
    const char *model, *command;
} run_done;

typedef struct report {
    double interval; /* seconds between two calls of `progress` */
    void (*start)(const run_start *run);
    void (*progress)(const run_progress *run);
    void (*epoch)(const run_epoch_end *run);
    void (*done)(const run_done *run);
} report;

/* progress.c; `terminal`: rewrite one line in place. */
const report *report_for_people(int terminal);
/* report_json.c */
const report *report_for_programs(void);

#endif
