/* The kernels in NEON. See kernels.h. */
#define RKI_KERNELS_NEON
#define RKI_KERNELS_NAME rki_kernels_neon
#define RKI_KERNELS_TEXT "neon"

#include "cpu/kernels/table.h"
