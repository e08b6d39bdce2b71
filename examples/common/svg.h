/* What all SVG pictures need: text that comes from elsewhere, and how much room it takes. */
#ifndef COMMON_SVG_H
#define COMMON_SVG_H

#include <stdio.h>

/* Writes text: marks that mean something in XML as such, control characters as spaces, bytes that
 * are no UTF-8 as U+FFFD. */
void svg_write_text(FILE *out, const char *text);

/* About how wide a text is in a sans-serif font of that size. */
double svg_text_width(const char *text, double size);

#endif
