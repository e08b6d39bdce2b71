/* Log lines to the host's hook. See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void rki_log_line(const rki_log *log, int32_t level, const char *format, ...)
{
    if (log->write == NULL) return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    log->write(level, line, log->user);
}
