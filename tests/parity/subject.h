/* The devices under test: reference in float64 (the truth) and float32, the CPU at every
 * instruction set that this machine has. */
#ifndef PARITY_SUBJECT_H
#define PARITY_SUBJECT_H

#include "backend/backend.h"

typedef struct subject {
    char name[32]; /* "cpu/avx512/2": backend, instruction set, threads */
    const rki_backend *ops;
    void *self;
    rki_dtype dtype;
} subject;

/* Each opens a device or fails the test. */
subject open_reference(rki_dtype dtype);
subject open_cpu(int32_t isa, int64_t threads);
void close_subject(subject *s);

/* How many instruction sets this machine has: the levels 0 .. isa_count() - 1. */
int32_t isa_count(void);

#endif
