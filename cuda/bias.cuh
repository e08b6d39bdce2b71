/* Products with a bias, in one kernel where cuBLASLt has one for them: its epilogue adds the bias
 * while the product is still in registers. Elsewhere the bias is written first, and the product is
 * added to it.
 *
 * cuBLASLt is asked for an algorithm once for products of one kind, which takes longer than many
 * products do. It is told how the arrays are aligned, and sees where the bias is; but it may choose
 * kernels that read four floats of a bias at a time whatever its address, so one that does not begin
 * at such four is added the other way.
 */
#ifndef RKI_CUDA_BIAS_CUH
#define RKI_CUDA_BIAS_CUH

#include <pthread.h>

#include "blas.cuh"

enum { RKI_CUDA_BIAS_KINDS = 32 /* of products that are kept */ };

/* A kind of product, compared as bytes. */
struct rki_cuda_bias_key {
    int64_t m, n, k, lda, ldb, ldc;
    int32_t transpose_a, transpose_b, precision;
    uint32_t aligned_a, aligned_b, aligned_c, aligned_bias; /* bytes */
    float beta;
};

struct rki_cuda_bias_kind {
    rki_cuda_bias_key key;
    uint64_t turn; /* when it was last used; 0: the place is free */
    int usable;    /* cuBLASLt can do it */
    cublasLtMatmulDesc_t product;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
};

struct rki_cuda_biases {
    pthread_mutex_t lock; /* of all of it, also while a product is queued */
    int off;              /* opening failed, and is not tried again: bits would change on the way */
    uint64_t turn;
    cublasLtHandle_t handle;  /* NULL: not opened yet */
    rki_cuda_bias_kind *kept; /* [RKI_CUDA_BIAS_KINDS], or NULL */
};

void rki_cuda_biases_open(rki_cuda *device);
void rki_cuda_biases_close(rki_cuda *device);

/* c = op(a) op(b) + bias + beta c; otherwise as rki_cuda_product (blas.cuh). */
int32_t rki_cuda_bias_product(
    rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta);

#endif
