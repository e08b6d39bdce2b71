/* Sentences as people type them, for a model that learned from text which was tokenised already:
 * "Ein Hund, ein Mann." becomes "Ein Hund , ein Mann .".
 */
#ifndef TRANSLATION_MARKS_H
#define TRANSLATION_MARKS_H

#include "network.h"

/* Parts marks from the ends of words that the model does not know with them. *to is the line, or a
 * new one in *room, which the caller frees. */
int marks_part(const network *with, const line *from, line *to, char **room);

#endif
