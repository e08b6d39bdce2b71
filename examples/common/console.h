/* What the person sees: lines on standard output, one line that is rewritten in place on a
 * terminal, and failures on standard error.
 */
#ifndef COMMON_CONSOLE_H
#define COMMON_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

/* How a part of the program ended. */
enum { OUTCOME_OK = 0, OUTCOME_FAILED = 1, OUTCOME_INTERRUPTED = 2 };

int console_is_terminal(void);

void console_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text as it is, at once. */
void console_text(const char *text, size_t length);

/* Replaces the terminal's last line, which console_line and fail leave standing. */
void console_rewrite(const char *text);

/* One line on standard error; returns OUTCOME_FAILED, so that a caller can `return fail(...)`. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A remark on standard error that is no failure. */
void console_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 1 when a library call failed, after its message was printed; 0 for RNNKIT_OK and the notes. */
int failed(int32_t status);

/* Hands over what is buffered: `outcome`, or OUTCOME_FAILED when standard output did not take it.
 */
int console_finish(int outcome);

/* 1 when standard output no longer takes anything (a full disk, a closed pipe). */
int console_is_broken(void);

enum { CONSOLE_NUMBER_SIZE = 32 };

/* "1,234,567" and "1:02:03"; both return `buffer`. */
const char *console_count(int64_t value, char buffer[CONSOLE_NUMBER_SIZE]);
const char *console_duration(double seconds, char buffer[CONSOLE_NUMBER_SIZE]);

#endif
