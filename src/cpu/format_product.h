/* Products with weights in a format. See format_product.c. */
#ifndef RKI_CPU_FORMAT_PRODUCT_H
#define RKI_CPU_FORMAT_PRODUCT_H

#include "cpu/cpu.h"

/* Bytes of scratch that a product needs for `rows` rows of a, of k values each; with a packed weight
 * none. */
size_t rki_format_room(rki_format format, int64_t rows, int64_t k);

/* An rki_gemm with b in a format, and scratch as above; cannot fail. Rows of a are independent of
 * each other, so threads may have some each, with scratch of their own. */
void rki_format_gemm(const rki_cpu *cpu, const rki_gemm *call);

#endif
