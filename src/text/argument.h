/* Arguments that every call with a text has: the text itself, and room for the result. */
#ifndef RKI_TEXT_ARGUMENT_H
#define RKI_TEXT_ARGUMENT_H

#include <stddef.h>
#include <stdint.h>

/* *size = length, or strlen(text) when that is -1. */
int32_t rki_check_text(const char *text, int64_t length, const char *argument, size_t *size);

/* Whether `capacity` elements at `array` make sense at all. */
int32_t rki_check_room(const void *array, int64_t capacity, const char *argument);

/* RNNKIT_E_TOO_SMALL with both numbers when capacity < needed. */
int32_t rki_check_capacity(int64_t capacity, int64_t needed, const char *unit);

/* The end of a path, short enough for a message. */
const char *rki_path_end(const char *path);

#endif
