/* Ctrl-C and SIGTERM: the first asks the program to stop at a clean point, the second kills it. */
#ifndef COMMON_INTERRUPT_H
#define COMMON_INTERRUPT_H

#include <rnnkit/rnnkit.h>

void interrupt_install(void);

/* A signal also cancels what the library does with this context; NULL: no longer. */
void interrupt_cancels(rnnkit_context *context);

/* The signal that asked the program to stop, or 0. */
int interrupt_signal(void);

#endif
