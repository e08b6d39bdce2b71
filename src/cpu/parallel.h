/* Work spread over threads, without touching the host's OpenMP settings or floating-point mode.
 *
 * A range is cut into blocks of a fixed size, whatever the number of threads, and each block is
 * done by one call: so a function whose blocks are independent, or that leaves one result a block,
 * gives the same bits on every number of threads.
 */
#ifndef RKI_CPU_PARALLEL_H
#define RKI_CPU_PARALLEL_H

#include <stdint.h>

/* Does elements begin .. end - 1; begin is a multiple of the block size. */
typedef void (*rki_block_fn)(void *user, int64_t begin, int64_t end);

/* Calls `run` for every block of 0 .. count - 1, on at most `threads` threads, in our
 * floating-point mode (float_mode.h). One block, one thread, or a caller that is itself inside an
 * OpenMP parallel region: all on the calling thread. */
void rki_parallel_blocks(
    int64_t threads, int64_t count, int64_t block, rki_block_fn run, void *user);

/* The same with blocks of one element, of which a thread takes the next whenever it is through with
 * one: for processors that are not equally fast. */
void rki_parallel_claims(int64_t threads, int64_t count, rki_block_fn run, void *user);

#endif
