/* How well a network predicts a text. */
#ifndef SCRIPT_GENERATION_EVALUATE_H
#define SCRIPT_GENERATION_EVALUATE_H

#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "network.h"
#include "settings.h"

/* Which tokens, and how they are read: "contiguous", or "sliding" in windows of `steps`. */
typedef struct evaluation {
    rnnkit_tokens *tokens;
    int64_t first, count;
    const char *windows;
    int64_t steps;
} evaluation;

/* *loss: the mean over *predicted tokens, in nats. OUTCOME_INTERRUPTED when a signal came. */
int evaluate(network *source, rnnkit_context *context, const evaluation *what, double *loss,
    int64_t *predicted);

/* The first of the tokens that a `fraction` at the end of `count` holds. */
int64_t evaluate_first(int64_t count, double fraction);

/* The command `evaluate`. */
int evaluate_command(const settings *options);

#endif
