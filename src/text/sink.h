/* Where tokens or pieces of text go, one at a time: a function and its object. And the sink of the
 * calls that fill a caller's buffer: they run twice over their input, once to learn the size of the
 * result and once to write it, so that a failure leaves the buffer as it was. */
#ifndef RKI_TEXT_SINK_H
#define RKI_TEXT_SINK_H

#include <stddef.h>
#include <stdint.h>

/* Takes `size` bytes that are valid during the call. A failure goes back to whoever pushed. */
typedef int32_t (*rki_sink_fn)(void *user, const char *bytes, size_t size);

typedef struct rki_sink {
    rki_sink_fn take;
    void *user;
} rki_sink;

/* A text that is measured when `buffer` is NULL, and written when it is not. */
typedef struct rki_result {
    char *buffer;
    int64_t size;
} rki_result;

/* Adds bytes to the rki_result at `user`: a rki_sink_fn that cannot fail. */
int32_t rki_result_add(void *user, const char *bytes, size_t size);

#endif
