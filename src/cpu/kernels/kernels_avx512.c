/* The kernels in AVX-512 (F, BW, DQ, VL). See kernels.h. */
#define RKI_KERNELS_AVX512
#define RKI_KERNELS_NAME rki_kernels_avx512
#define RKI_KERNELS_TEXT "avx512"

#include "cpu/kernels/table.h"
