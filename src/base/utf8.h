/* UTF-8: is a text well formed? (Unicode 15, table 3-7: no overlong forms, no surrogates.) */
#ifndef RKI_BASE_UTF8_H
#define RKI_BASE_UTF8_H

#include <stddef.h>

/* How many bytes at the start of the text are whole, well-formed characters: `length` when all. */
size_t rki_utf8_span(const char *text, size_t length);

#endif
