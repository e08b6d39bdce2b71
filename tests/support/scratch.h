/* A folder for one test program, removed with all that is in it when the program ends. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* The path of `name` in the folder, which is made on first use. The text is valid until 64 more
 * calls were made. */
const char *scratch_path(const char *name);

/* Writes a file; ends the program with a message when that fails. */
void scratch_write(const char *path, const void *bytes, size_t size);

/* The whole file with a NUL behind it, to be freed; NULL when it cannot be read. */
unsigned char *scratch_read(const char *path, size_t *size);

/* How many files and folders there are in the folder. */
int scratch_count(const char *folder);

#endif
