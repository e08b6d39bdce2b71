/* Files that are read whole. */
#ifndef COMMON_INPUT_H
#define COMMON_INPUT_H

#include <stddef.h>

/* Reads a file, or standard input for -, with a NUL behind it; the caller frees *text.
 * OUTCOME_FAILED after a message, *text being NULL. */
int input_read(const char *path, char **text, size_t *length);

/* What messages call it. */
const char *input_name(const char *path);

#endif
