/* Shim: cuda/blas.cu's functions with plain loops in the place of cuBLAS. */
#include <stdio.h>

#include "device.cuh"

int rki_cuda_blas_load(char *, size_t)
{
    return 1;
}

void rki_cuda_blas_describe(char *text, size_t capacity)
{
    snprintf(text, capacity, "plain loops");
}

const char *rki_cuda_blas_message(cublasStatus_t)
{
    return "none";
}

int32_t rki_cuda_blas_open(rki_cuda *)
{
    return RNNKIT_OK;
}

void rki_cuda_blas_close(rki_cuda *)
{
}

int32_t rki_cuda_product(rki_cuda *, const rki_gemm *call, float beta)
{
    const float *a = static_cast<const float *>(call->a), *b = static_cast<const float *>(call->b);
    int64_t a_row = call->transpose_a ? 1 : call->lda, a_next = call->transpose_a ? call->lda : 1;
    int64_t b_row = call->transpose_b ? 1 : call->ldb, b_next = call->transpose_b ? call->ldb : 1;
    for (int64_t i = 0; i < call->m; i++) {
        float *c = static_cast<float *>(call->c) + i * call->ldc;
        for (int64_t j = 0; j < call->n; j++) {
            double sum = beta == 0.0f ? 0.0 : (double)beta * (double)c[j];
            for (int64_t k = 0; k < call->k; k++)
                sum += (double)a[i * a_row + k * a_next] * (double)b[k * b_row + j * b_next];
            c[j] = (float)sum;
        }
    }
    return RNNKIT_OK;
}
