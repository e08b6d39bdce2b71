/* The commands, each returning an outcome (console.h), and how a model does on reviews. */
#ifndef SENTIMENT_COMMANDS_H
#define SENTIMENT_COMMANDS_H

#include "network.h"

int train_command(arguments *parsed);
int predict_command(arguments *parsed);
int evaluate_command(arguments *parsed);

typedef struct score {
    int64_t table[2][2]; /* [true label][predicted label] */
    double loss;         /* mean, in nats */
    double accuracy;
} score;

/* Measures all sequences. `probabilities` of the positive label, by place, or NULL. */
int evaluate_sequences(network *source, rnnkit_context *context, const sequences *from,
    int64_t batch_size, score *result, double *probabilities);

#endif
