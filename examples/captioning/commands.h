/* The commands, each returning an outcome (console.h). */
#ifndef CAPTIONING_COMMANDS_H
#define CAPTIONING_COMMANDS_H

#include "settings.h"

int generate_command(arguments *parsed);
int train_command(arguments *parsed);
int caption_command(arguments *parsed);
int evaluate_command(arguments *parsed);

#endif
