/* Shim: a matrix product as cuBLAS would do it, of plain loops. */
#ifndef SHIM_BLAS_H
#define SHIM_BLAS_H

#include "backend/backend.h"

/* c = op(a) op(b) + bias + beta c; a bias of NULL is none. */
void shim_multiply(rki_precision precision, const rki_gemm *call, float beta);

#endif
