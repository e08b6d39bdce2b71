/* Numbers as text, whatever the host's locale says. */
#ifndef RKI_BASE_NUMBERS_H
#define RKI_BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* 1 and *value when the whole of [text, text + length) is a number; else 0. */
int rki_parse_integer(const char *text, size_t length, int64_t *value);
int rki_parse_number(const char *text, size_t length, double *value);

enum { RKI_NUMBER_SIZE = 32 };

/* The shortest digits that read back to the same double; returns `buffer`. */
const char *rki_format_number(double value, char buffer[RKI_NUMBER_SIZE]);

/* The same for a float. */
const char *rki_format_single(float value, char buffer[RKI_NUMBER_SIZE]);

#endif
