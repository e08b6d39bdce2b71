/* The kernels in AVX2 with FMA. See kernels.h. */
#define RKI_KERNELS_AVX2
#define RKI_KERNELS_NAME rki_kernels_avx2
#define RKI_KERNELS_TEXT "avx2"

#include "cpu/kernels/table.h"
