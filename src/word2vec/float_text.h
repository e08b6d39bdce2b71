/* Floats as text: the shortest digits that read back to the same float, and back; in no locale. */
#ifndef RKI_WORD2VEC_FLOAT_TEXT_H
#define RKI_WORD2VEC_FLOAT_TEXT_H

#include <stddef.h>

enum { RKI_FLOAT_TEXT = 24 };

/* A finite value; returns how many bytes were written, without a NUL. */
size_t rki_float_write(float value, char out[RKI_FLOAT_TEXT]);

/* 1 and *value when the whole of [text, text + size) is a number that a float holds; else 0. */
int rki_float_read(const char *text, size_t size, float *value);

#endif
