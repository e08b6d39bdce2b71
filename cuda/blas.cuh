/* cuBLAS, opened when a device is: so that a machine without it, or without a driver, gets a
 * reason in words, and does not load some hundred megabytes for that.
 *
 * Products are in fp32, without TF32 and without emulation, unless the context asked for less
 * (rki_precision): then those that go through rki_cuda_large_product round their factors. Every
 * device has a handle and a workspace of its own, in its one stream, so the same call gives the same
 * bits.
 */
#ifndef RKI_CUDA_BLAS_CUH
#define RKI_CUDA_BLAS_CUH

#include <cublasLt.h>
#include <cublas_v2.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

/* Bytes, as the documentation of cublasSetWorkspace has it for Hopper; less is enough elsewhere. */
enum { RKI_CUDA_WORKSPACE = 32 << 20 };

struct rki_cuda;

struct rki_cuda_blas {
    cublasHandle_t handle;
    void *workspace;
};

/* 1 when cuBLAS is loaded; else 0 and why. Loaded once and never closed. */
int rki_cuda_blas_load(char *reason, size_t capacity);
/* "cuBLAS 13.1.0"; after loading. */
void rki_cuda_blas_describe(char *text, size_t capacity);
const char *rki_cuda_blas_message(cublasStatus_t status);

/* The functions of cuBLASLt that are in use, with the types that the header gives them. */
struct rki_cuda_lt {
    decltype(&cublasLtCreate) create;
    decltype(&cublasLtDestroy) destroy;
    decltype(&cublasLtMatmulDescCreate) product_create;
    decltype(&cublasLtMatmulDescDestroy) product_destroy;
    decltype(&cublasLtMatmulDescSetAttribute) product_set;
    decltype(&cublasLtMatrixLayoutCreate) layout_create;
    decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
    decltype(&cublasLtMatmulPreferenceCreate) preference_create;
    decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
    decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
    decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
    decltype(&cublasLtMatmul) multiply;
};

/* NULL where cuBLASLt is not installed or lacks one of them; after loading. */
const rki_cuda_lt *rki_cuda_lt_calls(void);

int32_t rki_cuda_blas_open(rki_cuda *device);
void rki_cuda_blas_close(rki_cuda *device);

/* c = op(a) op(b) + beta c, all row-major as in rki_gemm; bias and accumulate are not looked at. With
 * RKI_PRECISION_BF16 a and b are in bf16, else in fp32; c always is, and so are the sums. */
int32_t rki_cuda_product(
    rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta);

/* narrow.cu: the same in the context's precision, with the bias if there is one; a and b in fp32.
 * call->scratch has room for their copies in bf16, which for a product of this size takes at most
 * rki_cuda_narrow_bytes. */
size_t rki_cuda_narrow_bytes(const rki_cuda *device, int64_t m, int64_t n, int64_t k);
int32_t rki_cuda_large_product(rki_cuda *device, const rki_gemm *call, float beta);

#endif
