/* Status and messages: how every failure travels up, and what the user reads.
 *
 * Inside the library a function that fails calls rki_fail() once, at the place that knows what
 * went wrong, and returns its status; everybody above passes the status on with RKI_TRY. The
 * public function, and only it, adds its own name (rki_leave, context.h). The message lives in a
 * fixed thread-local buffer, so that reporting "out of memory" needs none.
 */
#ifndef RKI_BASE_STATUS_H
#define RKI_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "rnnkit/status.h"

enum { RKI_MESSAGE_SIZE = 1024 };

/* Sets the calling thread's message and returns `status`, so that a caller can `return rki_fail(...)`. */
int32_t rki_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the calling thread's message; used where more context becomes known. */
void rki_prefix_message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The calling thread's message; never NULL. */
const char *rki_message(void);

/* Text of a system error number, in a thread-local buffer. */
const char *rki_system_message(int error);

/* Hands a failure (negative status) to the caller at once; notes (positive) go on. */
#define RKI_TRY(expression)                                                                        \
    do {                                                                                           \
        int32_t rki_try_status = (expression);                                                     \
        if (rki_try_status < 0) return rki_try_status;                                             \
    } while (0)

#endif
