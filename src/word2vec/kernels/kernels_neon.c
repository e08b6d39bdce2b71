/* The kernels of word2vec for one set of instructions. See kernels.h. */
#define RKI_KERNELS_NEON
#define RKI_W2V_NAME rki_w2v_kernels_neon

#include "word2vec/kernels/table.h"
