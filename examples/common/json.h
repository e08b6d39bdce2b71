/* JSON objects (RFC 8259), one a line on standard output. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdint.h>

/* Starts an object with the field "event"; the fields follow; json_end ends the line. */
void json_begin(const char *event);
void json_text(const char *name, const char *text); /* bytes that are not UTF-8 become U+FFFD */
void json_integer(const char *name, int64_t value);
void json_number(const char *name, double value); /* null when not finite */
void json_flag(const char *name, int value);
void json_end(void);

#endif
