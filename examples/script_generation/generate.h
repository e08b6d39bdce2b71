/* The command `generate`: a model writes. */
#ifndef SCRIPT_GENERATION_GENERATE_H
#define SCRIPT_GENERATION_GENERATE_H

#include "settings.h"

int generate_command(const settings *options);

#endif
