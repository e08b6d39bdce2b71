/* The context as every layer sees it: hooks, seed, threads, instruction set, cancellation, last message.
 *
 * The device is opaque here; src/backend/ opens and closes it.
 */
#ifndef RKI_BASE_CONTEXT_H
#define RKI_BASE_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/object.h"

struct rki_device;

struct rnnkit_context {
    rki_object object;
    rki_memory memory;
    rki_log log;
    int64_t seed;
    int64_t threads; /* at least 1 */
    char isa[16];    /* the cap of the CPU's kernels: rki_isa_chosen() */
    atomic_int cancelled;
    pthread_mutex_t message_lock; /* guards last_message alone */
    char last_message[RKI_MESSAGE_SIZE];
    char note[512]; /* a log line from before there could be a hook; handed to the first one */
    struct rki_device *device;
};

/* How every public function returns: a failure's message gets the call's name in front and is
 * kept in the context (which may be NULL when no handle was good). */
int32_t rki_leave(rnnkit_context *context, const char *call, int32_t status);

void rki_context_retain(rnnkit_context *context);
void rki_context_release(rnnkit_context *context);

/* RNNKIT_STOPPED once after rnnkit_context_cancel() (the request is taken), else RNNKIT_OK. */
int32_t rki_poll_cancel(rnnkit_context *context);

#endif
