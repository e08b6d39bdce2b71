/* The commands, each returning an outcome (console.h). */
#ifndef SKETCH_COMMANDS_H
#define SKETCH_COMMANDS_H

#include "settings.h"

int generate_command(arguments *parsed);
int train_command(arguments *parsed);
int draw_command(arguments *parsed);
int evaluate_command(arguments *parsed);

#endif
