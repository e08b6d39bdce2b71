/* The devices under test: reference in float64 (the truth) and float32, the CPU at every
 * instruction set that this machine has, and CUDA where there is a device. */
#ifndef PARITY_SUBJECT_H
#define PARITY_SUBJECT_H

#include "backend/backend.h"

typedef struct subject {
    char name[32]; /* "cpu/avx512/2": backend, instruction set, threads */
    const rki_backend *ops;
    void *self;
    rki_dtype dtype;
    int rows_to_the_bit; /* a row gets the same bits in any batch */
} subject;

/* Each opens a device or fails the test. */
subject open_reference(rki_dtype dtype);
/* With several threads as if no core had a cache, so that products are cut into as many blocks as
 * they ever are: that must change no bit either. */
subject open_cpu(int32_t isa, int64_t threads);
/* 0 when there is no CUDA device that can be used. */
int open_cuda(rki_precision precision, subject *s);
void close_subject(subject *s);

/* How many instruction sets this machine has: the levels 0 .. isa_count() - 1. */
int32_t isa_count(void);

#endif
