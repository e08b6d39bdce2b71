/* Files that the program is going to write. */
#ifndef COMMON_OUTPUT_H
#define COMMON_OUTPUT_H

#include <stddef.h>

/* Looks, before hours of work, whether `path` can be written at all: OUTCOME_OK, or
 * OUTCOME_FAILED after a message that names the option. Changes nothing. */
int output_check(const char *option, const char *path);

/* OUTCOME_FAILED after a message when both paths lead to the same existing file. */
int output_check_apart(
    const char *option, const char *path, const char *other_option, const char *other_path);

/* Replaces the file as a whole, or leaves it as it was. */
int output_replace(const char *path, const char *text, size_t length);

#endif
