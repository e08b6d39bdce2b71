/* An allocator for tests: fails the n-th allocation, counts what is alive. */
#ifndef TESTS_SUPPORT_FAILING_MEMORY_H
#define TESTS_SUPPORT_FAILING_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct failing_memory {
    int64_t calls;   /* allocations asked for since the start */
    int64_t fail_at; /* the call that fails, counted from 1; 0: none */
    int64_t alive;   /* blocks not yet released */
    int64_t bytes;   /* asked for since the start */
} failing_memory;

/* rnnkit_allocate_fn and rnnkit_release_fn; `user` is a failing_memory. One thread at a time. */
void *failing_allocate(size_t bytes, size_t alignment, void *user);
void failing_release(void *block, void *user);

#endif
