/* The instruction set that the kernels run in, chosen at run time.
 *
 * What the processor AND the operating system support (the wide registers must be saved on a task
 * switch), under two caps: the context's option `isa`, and for the whole process the environment
 * variable RNNKIT_MAX_ISA. A cap names a set, of portable|avx2|avx512|amx, or on AArch64
 * portable|neon; any other name caps nothing. The variable is read once, when first asked.
 *
 * amx is avx512 with products on matrix tiles (kernels/split.h). Linux gives them to a process that
 * asks, and for good: that is done by rki_isa_split() alone, so for a context that may use them.
 * Where it refuses, avx512 it is, from then on for all contexts.
 */
#ifndef RKI_CPU_ISA_H
#define RKI_CPU_ISA_H

#include "cpu/kernels/kernels.h"
#include "cpu/kernels/split.h"

/* The sets that a processor can have, each with all those before it. */
typedef enum rki_isa {
    RKI_ISA_PORTABLE,
#if defined(__aarch64__)
    RKI_ISA_NEON,
#else
    RKI_ISA_AVX2,
    RKI_ISA_AVX512,
    RKI_ISA_AMX,
#endif
    RKI_ISA_COUNT
} rki_isa;

const char *rki_isa_name(rki_isa isa);

/* The best set that there is here, whatever the caps are; matrix tiles may be refused. */
rki_isa rki_isa_supported(void);

/* The set to use: rki_isa_supported() under RNNKIT_MAX_ISA and `cap` (NULL: no other), without tiles
 * once they were refused. */
rki_isa rki_isa_chosen(const char *cap);

/* The set's kernels, or NULL where it cannot be used. */
const rki_kernels *rki_isa_kernels(rki_isa isa);

/* The set's products on matrix tiles, or NULL: it has none, or the system refuses. Asks it. */
const rki_split_kernels *rki_isa_split(rki_isa isa);

#endif
