/* The kernels in plain vectors of four floats, for any processor. See kernels.h. */
#define RKI_KERNELS_NAME rki_kernels_portable
#define RKI_KERNELS_TEXT "portable"

#include "cpu/kernels/table.h"
