/* Tables of numbers from CSV text (RFC 4180): comma, semicolon or tab between fields, quotes where
 * a field has them, LF or CRLF line ends, an optional line of names.
 */
#ifndef TIME_SERIES_CSV_H
#define TIME_SERIES_CSV_H

#include <stdint.h>

#include "../common/arguments.h"

typedef struct table {
    int64_t rows, columns;
    char **names;   /* [columns] */
    double *values; /* [rows][columns] */
} table;

/* Reads the chosen columns (names, or numbers from 1) of a file; - is standard input. Without a
 * choice: every column whose first value is a number. OUTCOME_FAILED after a message that names
 * file, line and column. */
int csv_read(table *target, const char *path, const argument_list *columns);

void csv_free(table *target);

#endif
