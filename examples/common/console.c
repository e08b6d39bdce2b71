/* Standard output and standard error. The progress line is kept apart from whole lines: whoever
 * writes a whole line first ends the progress line, so that nothing is overwritten or glued on.
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rnnkit/rnnkit.h>

static size_t rewritten; /* length of the progress line on the screen; 0: none */
static int broken;       /* errno of the first failed write */

static void flush_output(void)
{
    if (fflush(stdout) != 0 && broken == 0) broken = errno;
}

static void leave_progress_line(void)
{
    if (rewritten == 0) return;
    rewritten = 0;
    putchar('\n');
    flush_output();
}

int console_is_terminal(void)
{
    return isatty(STDOUT_FILENO);
}

void console_line(const char *format, ...)
{
    va_list arguments;

    leave_progress_line();
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    flush_output();
}

void console_text(const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
    flush_output();
}

/* What fits into a line of the terminal: a line that wraps cannot be rewritten. */
static size_t fitting_length(const char *text)
{
    struct winsize window = {0};
    size_t length = strlen(text);

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col < 2) return length;
    return length < window.ws_col ? length : window.ws_col - 1u;
}

void console_rewrite(const char *text)
{
    size_t length = fitting_length(text);
    int gap = rewritten > length ? (int)(rewritten - length) : 0;

    printf("\r%.*s%*s", (int)length, text, gap, "");
    rewritten = length;
    flush_output();
}

static void write_error_line(const char *format, va_list arguments)
{
    leave_progress_line();
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_error_line(format, arguments);
    va_end(arguments);
    return OUTCOME_FAILED;
}

void console_note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_error_line(format, arguments);
    va_end(arguments);
}

int failed(int32_t status)
{
    if (status >= 0) return 0;
    fail("%s", rnnkit_error_message());
    return 1;
}

int console_is_broken(void)
{
    return broken != 0;
}

int console_finish(int outcome)
{
    leave_progress_line();
    flush_output();
    if (broken == 0) return outcome;
    return fail("standard output: %s", strerror(broken));
}

const char *console_count(int64_t value, char buffer[CONSOLE_NUMBER_SIZE])
{
    char digits[CONSOLE_NUMBER_SIZE];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
    int place = 0;

    for (int i = 0; i < length; i++) {
        int left = length - i;

        if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') buffer[place++] = ',';
        buffer[place++] = digits[i];
    }
    buffer[place] = '\0';
    return buffer;
}

const char *console_duration(double seconds, char buffer[CONSOLE_NUMBER_SIZE])
{
    long long whole = seconds > 0 && seconds < 1e12 ? (long long)(seconds + 0.5) : 0;
    int rest = (int)(whole % 3600);

    if (whole >= 3600)
        snprintf(buffer, CONSOLE_NUMBER_SIZE, "%lld:%02d:%02d", whole / 3600, rest / 60, rest % 60);
    else
        snprintf(buffer, CONSOLE_NUMBER_SIZE, "%d:%02d", rest / 60, rest % 60);
    return buffer;
}
