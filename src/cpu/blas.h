/* The CBLAS: products in it, and what it is. The only file that includes cblas.h is blas.c. */
#ifndef RKI_CPU_BLAS_H
#define RKI_CPU_BLAS_H

#include "cpu/cpu.h"

/* Whether this product should and can run in the BLAS: the device's policy, and sizes that fit the
 * BLAS's integers. AUTO takes it where there are no own kernels for the processor, and there for
 * large sums over the rows of a batch alone: for other products a BLAS does not promise that a row
 * of the result is the same in any company. */
int rki_blas_wanted(const rki_cpu *cpu, const rki_gemm *call);

/* The product, on as many threads as the BLAS takes; scratch is not used. */
void rki_blas_gemm(const rki_gemm *call);

/* "OpenBLAS 0.3.21 ..., core SkylakeX, pthreads", or "CBLAS" where no more can be known. */
void rki_blas_describe(char *text, size_t capacity);

#endif
