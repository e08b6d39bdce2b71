/* The commands. Each returns an outcome (console.h). */
#ifndef WORD2VEC_COMMANDS_H
#define WORD2VEC_COMMANDS_H

#include <rnnkit/rnnkit.h>

#include "settings.h"

int train_command(arguments *parsed);
int nearest_command(arguments *parsed);
int analogy_command(arguments *parsed);
int doesnt_match_command(arguments *parsed);
int evaluate_command(arguments *parsed);
int convert_command(arguments *parsed);
int map_command(arguments *parsed);

/* A context, and the vectors of --vectors. OUTCOME_FAILED after a message; close takes both, NULL
 * being fine. */
int open_vectors(const settings *values, rnnkit_context **context, rnnkit_vectors **vectors);
void close_vectors(rnnkit_context *context, rnnkit_vectors *vectors);

enum { WORD_SIZE = 4096 };

/* The word of an id; returns `buffer`. One that is longer is shown as "...". */
const char *word_of(const rnnkit_vectors *vectors, int32_t id, char buffer[WORD_SIZE]);

#endif
