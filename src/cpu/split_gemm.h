/* Products of matrices on matrix tiles. See split_gemm.c. */
#ifndef RKI_CPU_SPLIT_GEMM_H
#define RKI_CPU_SPLIT_GEMM_H

#include "cpu/cpu.h"

/* Whether this product can run on matrix tiles and is large enough. That a row is the same in any
 * company, it depends on n, k and the kind of product alone; for a sum over the rows of a batch on m
 * as well. */
int rki_split_suits(const rki_cpu *cpu, const rki_gemm *call);

/* For a product that suits; as rki_gemm_run() and its scratch. */
size_t rki_split_room(const rki_cpu *cpu, const rki_gemm *call);
void rki_split_gemm(const rki_cpu *cpu, const rki_gemm *call, const int32_t *list);

/* For b_kept of a product that suits: b split as a whole. */
size_t rki_split_keep_room(const rki_gemm *call);
void rki_split_keep(const rki_cpu *cpu, const rki_gemm *call, void *block);

#endif
