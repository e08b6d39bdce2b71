/* An SVG picture: drawn into memory, then written as a whole file. */
#ifndef COMMON_PICTURE_H
#define COMMON_PICTURE_H

#include <stddef.h>
#include <stdio.h>

typedef struct picture {
    FILE *out; /* where the drawing goes */
    char *text;
    size_t length;
} picture;

/* Begins a picture on white; OUTCOME_FAILED after a message. */
int picture_begin(picture *self, double width, double height, const char *title);

/* Text that comes from outside: what means something in XML is written as text, control characters
 * as spaces, bytes that are no UTF-8 as U+FFFD. */
void picture_text(FILE *out, const char *text);

/* About how wide a text is in the sans-serif font of that size. */
double picture_text_width(const char *text, double size);

/* Ends the picture and replaces the file. `outcome` is how the drawing went: when it is not
 * OUTCOME_OK, the picture is dropped, the file stays, and `outcome` comes back. */
int picture_end(picture *self, const char *path, int outcome);

#endif
