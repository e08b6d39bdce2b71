/* Shim: cuda/blas.cu's functions with plain loops in the place of cuBLAS. */
#include <stdio.h>
#include <string.h>

#include "device.cuh"
#include "shim_blas.h"

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

/* A factor's element as the device would see it: a float in fp32, rounded to 11 bits for TF32, or
 * two bytes of bf16. */
static double element(rki_precision precision, const void *array, int64_t i)
{
    uint32_t bits;
    float value;
    if (precision == RKI_PRECISION_BF16)
        bits = (uint32_t) static_cast<const uint16_t *>(array)[i] << 16;
    else
        memcpy(&bits, static_cast<const float *>(array) + i, sizeof bits);
    if (precision == RKI_PRECISION_TF32 && (bits & 0x7F800000u) != 0x7F800000u)
        bits = (bits + 0x1000u) & ~0x1FFFu;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

void shim_multiply(rki_precision precision, const rki_gemm *call, float beta)
{
    const float *bias = static_cast<const float *>(call->bias);
    int64_t a_row = call->transpose_a ? 1 : call->lda, a_next = call->transpose_a ? call->lda : 1;
    int64_t b_row = call->transpose_b ? 1 : call->ldb, b_next = call->transpose_b ? call->ldb : 1;
    for (int64_t i = 0; i < call->m; i++) {
        float *c = static_cast<float *>(call->c) + i * call->ldc;
        for (int64_t j = 0; j < call->n; j++) {
            double sum = beta == 0.0f ? 0.0 : (double)beta * (double)c[j];
            if (bias != nullptr) sum += (double)bias[j];
            for (int64_t k = 0; k < call->k; k++)
                sum += element(precision, call->a, i * a_row + k * a_next) *
                       element(precision, call->b, k * b_row + j * b_next);
            c[j] = (float)sum;
        }
    }
}

int32_t rki_cuda_product(
    rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta)
{
    rki_gemm own = *call;
    own.bias = nullptr;
    return rki_cuda_check(device,
        shim_do(device->stream,
            [=]() {
                shim_multiply(precision, &own, beta);
                return (cudaError_t)cudaSuccess;
            }),
        "a matrix product");
}
