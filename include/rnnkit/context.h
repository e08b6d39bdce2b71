/** @file
 * The context: a device, a number of threads, a seed, and the host's hooks.
 *
 * Everything else is created from a context, directly or through a parent, and keeps it alive.
 */
#ifndef RNNKIT_CONTEXT_H
#define RNNKIT_CONTEXT_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

#define RNNKIT_LOG_WARNING 1
#define RNNKIT_LOG_INFO    2

/** A host's allocator: `bytes` aligned to `alignment` (a power of two), or NULL. */
typedef void *(*rnnkit_allocate_fn)(size_t bytes, size_t alignment, void *user);

/** Frees what the matching rnnkit_allocate_fn gave; never called with NULL. */
typedef void (*rnnkit_release_fn)(void *block, void *user);

/** Takes one line of log without its line feed; may be called from the thread of any call. */
typedef void (*rnnkit_log_fn)(int32_t level, const char *line, void *user);

/** Opens a device: "auto", "cpu", "cuda", "cuda:1" or "reference". "auto" takes a GPU where there
 * is a usable one and else the CPU, with one line, given to the first log hook, that says why.
 *
 * Options (noun "context"): threads (0: all that the process may use), seed, dtype, precision (full;
 * tf32, bf16: the factors of large products are rounded, but no sum, state or weight; for cuda alone,
 * and for auto, which on the CPU has full), isa (auto; portable, avx2, avx512, amx, neon: the most
 * that kernels on the CPU use, those of word2vec on any device as well; a set of another processor
 * caps nothing, nor does one better than this processor has).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_context_destroy.
 * Errors: RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_MEMORY, RNNKIT_E_BACKEND (no such
 *   device; the message says what is missing).
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_context_create(
    const char *device, const char *options, rnnkit_context **out);

/** The same with the host's allocator: every host allocation made for this context and its
 * children goes through it, but for what libraries below (cJSON, OpenMP, BLAS) take themselves.
 *
 * Arrays: none.
 * Ownership: *out is the caller's; allocator and user must outlive the context and its children.
 * Errors: as rnnkit_context_create; RNNKIT_E_ARGUMENT when only one of the two functions is given.
 * Threads: any; the allocator must be safe to call from every thread that uses the context.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_context_create_with_allocator(const char *device,
    const char *options, rnnkit_allocate_fn allocate, rnnkit_release_fn release, void *user,
    rnnkit_context **out);

/** Gives up the handle. The context goes when its last child has gone.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards; NULL is fine.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_context_destroy(rnnkit_context *context);

/** Sets or (write NULL) removes the log hook. Without one the library is silent.
 *
 * Arrays: none.
 * Ownership: user must outlive the hook's use.
 * Errors: RNNKIT_E_HANDLE.
 * Threads: owner; not while another thread uses the context.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_context_set_log(
    rnnkit_context *context, rnnkit_log_fn write, void *user);

/** Asks the long call that runs with this context, or else the next one, to stop at a clean point:
 * it returns RNNKIT_STOPPED.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: none; NULL is ignored.
 * Threads: any, and from a signal handler.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_context_cancel(rnnkit_context *context);

/** The device in use: "cpu", "reference", "cuda:0".
 *
 * Arrays: none.
 * Ownership: the text lives as long as the context.
 * Errors: none; an empty text for a bad handle.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_context_device(const rnnkit_context *context);

/** Copies the message of the context's last failure, on whatever thread that was.
 *
 * Arrays: buffer: room for `capacity` bytes; NULL when capacity is 0. *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT when needed is NULL; RNNKIT_E_TOO_SMALL when
 *   capacity < *needed, and *needed is set all the same.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_context_error_message(
    rnnkit_context *context, char *buffer, int64_t capacity, int64_t *needed);

RNNKIT_END

#endif
