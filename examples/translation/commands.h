/* The commands, each returning an outcome (console.h), and how a model does on sentence pairs. */
#ifndef TRANSLATION_COMMANDS_H
#define TRANSLATION_COMMANDS_H

#include "network.h"

int train_command(arguments *parsed);
int translate_command(arguments *parsed);
int evaluate_command(arguments *parsed);

/* The mean loss of a target word, in nats, of all pairs. */
int evaluate_loss(network *source, rnnkit_context *context, const pairs *from, double *loss);

#endif
