/* The handler only notes the signal; the loops look at the note between two steps, where everything
 * is whole and can be saved. A closed pipe and a file-size limit become ordinary write errors.
 */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t noted;
static rnnkit_context *volatile cancelled;

static void note(int signal_number)
{
    noted = signal_number;
    rnnkit_context_cancel(cancelled);
}

void interrupt_cancels(rnnkit_context *context)
{
    cancelled = context;
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

int interrupt_signal(void)
{
    return (int)noted;
}
