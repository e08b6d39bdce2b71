/* Shim: cuBLAS's types, so far as cuda/blas.cuh names them; its products are in shim_blas.cpp. */
#ifndef SHIM_CUBLAS_H
#define SHIM_CUBLAS_H
typedef struct shim_blas *cublasHandle_t;
typedef int cublasStatus_t;
#define CUBLAS_STATUS_SUCCESS       0
#define CUBLAS_STATUS_ALLOC_FAILED  3
#define CUBLAS_STATUS_NOT_SUPPORTED 15
#endif
