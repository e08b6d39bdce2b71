/* Products of matrices on the CPU. See gemm.c. */
#ifndef RKI_CPU_GEMM_H
#define RKI_CPU_GEMM_H

#include "cpu/cpu.h"

/* As the operation of the table; scratch as large as rki_cpu_gemm_scratch() says for this call. With
 * a list, step i of the sum is stored row list[i] of both a (which is transposed) and b (which is
 * not); k is the list's length, and the scratch of a longer one will do. Cannot fail. */
void rki_gemm_run(const rki_cpu *cpu, const rki_gemm *call, const int32_t *list);

#endif
