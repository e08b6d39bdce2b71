/* Log: one line to the host's hook, or nowhere. The library never prints. */
#ifndef RKI_BASE_LOG_H
#define RKI_BASE_LOG_H

#include <stdint.h>

#include "rnnkit/context.h"

typedef struct rki_log {
    rnnkit_log_fn write;
    void *user;
} rki_log;

void rki_log_line(const rki_log *log, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
