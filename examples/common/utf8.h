/* UTF-8, as far as a program that writes text of others has to know it. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

/* The length of the well-formed character at `at` (Unicode 15, table 3-7), or 0. */
int utf8_length(const char *at);

#endif
