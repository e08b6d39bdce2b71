/* cuBLAS, opened when a device is: so that a machine without it, or without a driver, gets a
 * reason in words, and does not load some hundred megabytes for that.
 *
 * Products are in fp32, without TF32 and without emulation. Every device has a handle and a
 * workspace of its own, in its one stream, so the same call gives the same bits.
 */
#ifndef RKI_CUDA_BLAS_CUH
#define RKI_CUDA_BLAS_CUH

#include <cublas_v2.h>
#include <stddef.h>
#include <stdint.h>

struct rki_cuda;
struct rki_gemm;

struct rki_cuda_blas {
    cublasHandle_t handle;
    void *workspace;
};

/* 1 when cuBLAS is loaded; else 0 and why. Loaded once and never closed. */
int rki_cuda_blas_load(char *reason, size_t capacity);
/* "cuBLAS 13.1.0"; after loading. */
void rki_cuda_blas_describe(char *text, size_t capacity);
const char *rki_cuda_blas_message(cublasStatus_t status);

int32_t rki_cuda_blas_open(rki_cuda *device);
void rki_cuda_blas_close(rki_cuda *device);

/* c = op(a) op(b) + beta c, all row-major as in rki_gemm; bias and accumulate are not looked at. */
int32_t rki_cuda_product(rki_cuda *device, const rki_gemm *call, float beta);

#endif
