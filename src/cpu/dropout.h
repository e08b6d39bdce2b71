/* What dropout draws from, for kernels that drop something else. */
#ifndef RKI_CPU_DROPOUT_H
#define RKI_CPU_DROPOUT_H

#include "cpu/cpu.h"

/* A rate so near to 1 that no draw reaches it keeps nothing: the scale, then 0, takes care of that.
 */
rki_dropout_draws rki_dropout_prepare(
    const rki_cpu *cpu, rki_random random, uint64_t step, double rate);

#endif
