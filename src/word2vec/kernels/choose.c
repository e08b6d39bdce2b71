/* Which kernels run here. See kernels.h. */
#include <stddef.h>

#include "word2vec/kernels/kernels.h"

const rki_w2v_kernels *rki_w2v_kernels_of(rki_isa isa)
{
    if (isa > rki_isa_supported()) return NULL;
#if defined(__x86_64__)
    if (isa >= RKI_ISA_AVX512) return &rki_w2v_kernels_avx512;
    if (isa == RKI_ISA_AVX2) return &rki_w2v_kernels_avx2;
#elif defined(__aarch64__)
    if (isa == RKI_ISA_NEON) return &rki_w2v_kernels_neon;
#endif
    return &rki_w2v_kernels_portable;
}
