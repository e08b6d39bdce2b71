/* Shim: cuBLASLt with plain loops. It is strict where the device would be: an algorithm serves the
 * sizes and alignments alone that it was chosen for, and anything else stops the program.
 *
 * SHIM_EPILOGUES=closed in the environment: it cannot be opened; =none: no algorithm is found;
 * =refused: none can be queued; =broken: results are wrong, by which one sees that they come from
 * here.
 */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas.cuh"
#include "shim_blas.h"

struct shim_lt {
    int open;
};

struct shim_product {
    cublasComputeType_t compute;
    cublasOperation_t of_a, of_b;
    cublasLtEpilogue_t epilogue;
    const void *bias;
};

struct shim_layout {
    cudaDataType_t type;
    int64_t rows, columns, ld;
};

struct shim_preference {
    size_t workspace;
    uint32_t aligned[4];
};

static void insist(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "shim: cuBLASLt: %s\n", what);
    abort();
}

static int epilogues_are(const char *what)
{
    const char *text = getenv("SHIM_EPILOGUES");
    return text != nullptr && strcmp(text, what) == 0;
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out)
{
    if (epilogues_are("closed")) return CUBLAS_STATUS_NOT_SUPPORTED;
    *out = new shim_lt{1};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(
    cublasLtMatmulDesc_t *out, cublasComputeType_t compute, cudaDataType_t scale)
{
    insist(scale == CUDA_R_32F, "the factors' scale is no float");
    *out = new shim_product{compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t product)
{
    delete product;
    return CUBLAS_STATUS_SUCCESS;
}

template <typename Value> static void take(Value *to, const void *value, size_t bytes)
{
    insist(bytes == sizeof *to, "a value of another size");
    memcpy(to, value, bytes);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t product,
    cublasLtMatmulDescAttributes_t what, const void *value, size_t bytes)
{
    switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA: take(&product->of_a, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_TRANSB: take(&product->of_b, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE: take(&product->epilogue, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: take(&product->bias, value, bytes); break;
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutCreate(
    cublasLtMatrixLayout_t *out, cudaDataType_t type, uint64_t rows, uint64_t columns, int64_t ld)
{
    insist(rows > 0 && columns > 0 && ld >= (int64_t)rows, "a matrix without elements");
    *out = new shim_layout{type, (int64_t)rows, (int64_t)columns, ld};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out)
{
    *out = new shim_preference{0, {256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
    cublasLtMatmulPreferenceAttributes_t what, const void *value, size_t bytes)
{
    if (what == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        take(&preference->workspace, value, bytes);
    else
        take(&preference->aligned[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

static uint64_t alignment_of(const void *at)
{
    uint64_t low = (uint64_t)(uintptr_t)at | 256;
    return low & (~low + 1);
}

/* What an algorithm is chosen for: sizes, alignments, and with that of the bias which way the factors
 * lie. */
static cublasLtMatmulAlgo_t describe(cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a,
    cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t d, const uint32_t *aligned)
{
    int64_t k = product->of_a == CUBLAS_OP_N ? a->columns : a->rows;
    int64_t m = product->of_a == CUBLAS_OP_N ? a->rows : a->columns;
    int64_t n = product->of_b == CUBLAS_OP_N ? b->columns : b->rows;
    insist(k == (product->of_b == CUBLAS_OP_N ? b->rows : b->columns), "factors do not meet");
    insist(d->rows == m && d->columns == n, "the product has another size");
    insist(product->epilogue == CUBLASLT_EPILOGUE_BIAS, "no bias");
    return {{(uint64_t)m, (uint64_t)n, (uint64_t)k, aligned[0], aligned[1], aligned[2], aligned[3],
        alignment_of(product->bias) * 4 + (uint64_t)(product->of_a * 2 + product->of_b)}};
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t product,
    cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
    cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int wanted,
    cublasLtMatmulHeuristicResult_t *results, int *found)
{
    insist(handle != nullptr && wanted == 1 && c == d, "asked for something else");
    *found = 0;
    if (epilogues_are("none")) return CUBLAS_STATUS_NOT_SUPPORTED;
    results[0].algo = describe(product, a, b, d, preference->aligned);
    results[0].state = CUBLAS_STATUS_SUCCESS;
    *found = 1;
    return CUBLAS_STATUS_SUCCESS;
}

static void insist_aligned(const void *at, uint64_t bytes)
{
    insist(bytes > 0 && (uintptr_t)at % bytes == 0, "an array is not aligned as was said");
}

/* Columns of cuBLAS are our rows, so its second factor is our first. */
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t product,
    const void *alpha, const void *a, cublasLtMatrixLayout_t of_a, const void *b,
    cublasLtMatrixLayout_t of_b, const void *beta, const void *c, cublasLtMatrixLayout_t of_c,
    void *d, cublasLtMatrixLayout_t of_d, const cublasLtMatmulAlgo_t *algorithm, void *workspace,
    size_t bytes, cudaStream_t stream)
{
    if (epilogues_are("refused")) return CUBLAS_STATUS_NOT_SUPPORTED;
    const uint64_t *chosen = algorithm->data;
    const uint32_t aligned[4] = {
        (uint32_t)chosen[3], (uint32_t)chosen[4], (uint32_t)chosen[5], (uint32_t)chosen[6]};
    cublasLtMatmulAlgo_t now = describe(product, of_a, of_b, of_d, aligned);
    insist(memcmp(now.data, chosen, sizeof now.data) == 0, "the algorithm is for another product");
    insist(handle != nullptr && c == d && of_c == of_d && bytes <= RKI_CUDA_WORKSPACE &&
               *static_cast<const float *>(alpha) == 1.0f,
        "asked for something else");
    (void)workspace;
    insist_aligned(a, chosen[3]);
    insist_aligned(b, chosen[4]);
    insist_aligned(c, chosen[5]);
    insist_aligned(d, chosen[6]);
    insist_aligned(product->bias, 16);
    int narrow = of_a->type == CUDA_R_16BF;
    insist(of_b->type == of_a->type && of_d->type == CUDA_R_32F, "types that do not go together");
    insist(!narrow || product->compute == CUBLAS_COMPUTE_32F, "bf16 with another type of sums");
    rki_precision precision = narrow ? RKI_PRECISION_BF16
                              : product->compute == CUBLAS_COMPUTE_32F_FAST_TF32
                                  ? RKI_PRECISION_TF32
                                  : RKI_PRECISION_FULL;
    rki_gemm call = {};
    call.transpose_a = product->of_b == CUBLAS_OP_T;
    call.transpose_b = product->of_a == CUBLAS_OP_T;
    call.m = of_d->columns;
    call.n = of_d->rows;
    call.k = (int64_t)chosen[2];
    call.a = b;
    call.lda = of_b->ld;
    call.b = a;
    call.ldb = of_a->ld;
    call.bias = product->bias;
    call.c = d;
    call.ldc = of_d->ld;
    float kept = *static_cast<const float *>(beta);
    int broken = epilogues_are("broken");
    return shim_do(stream,
               [=]() {
                   shim_multiply(precision, &call, kept);
                   if (broken) *static_cast<float *>(call.c) += 1.0f;
                   return (cudaError_t)cudaSuccess;
               }) == cudaSuccess
               ? CUBLAS_STATUS_SUCCESS
               : CUBLAS_STATUS_NOT_SUPPORTED;
}

const rki_cuda_lt *rki_cuda_lt_calls(void)
{
    static const rki_cuda_lt calls = {cublasLtCreate, cublasLtDestroy, cublasLtMatmulDescCreate,
        cublasLtMatmulDescDestroy, cublasLtMatmulDescSetAttribute, cublasLtMatrixLayoutCreate,
        cublasLtMatrixLayoutDestroy, cublasLtMatmulPreferenceCreate,
        cublasLtMatmulPreferenceDestroy, cublasLtMatmulPreferenceSetAttribute,
        cublasLtMatmulAlgoGetHeuristic, cublasLtMatmul};
    return &calls;
}
