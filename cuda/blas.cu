/* cuBLAS. See blas.cuh. */
#include "blas.cuh"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "device.cuh"

/* The functions in use, with the types that the header gives them. */
struct functions {
    decltype(&cublasCreate_v2) create;
    decltype(&cublasDestroy_v2) destroy;
    decltype(&cublasSetStream_v2) set_stream;
    decltype(&cublasSetMathMode) set_math_mode;
    decltype(&cublasSetWorkspace_v2) set_workspace;
    decltype(&cublasGetProperty) get_property;
    decltype(&cublasGetStatusString) status_string;
    decltype(&cublasSgemm_v2_64) sgemm;
    decltype(&cublasGemmEx_64) gemm_ex;
};

static functions blas;
static rki_cuda_lt lt;
static int lt_loaded;
static char refusal[384]; /* why it is not loaded; empty: it is */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A symbol that is not there is `missing`. */
template <typename Function>
static void find(void *library, const char *name, Function *function, const char **missing)
{
    void *symbol = dlsym(library, name);
    if (symbol == NULL) *missing = name;
    memcpy(function, &symbol, sizeof symbol);
}

static void *open_library(const char *stem)
{
    char name[32];
    snprintf(name, sizeof name, "%s.so.%d", stem, CUBLAS_VER_MAJOR);
    return dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

static void load_lt()
{
    const char *missing = NULL;
    void *library = open_library("libcublasLt");
    if (library == NULL) return;
    find(library, "cublasLtCreate", &lt.create, &missing);
    find(library, "cublasLtDestroy", &lt.destroy, &missing);
    find(library, "cublasLtMatmulDescCreate", &lt.product_create, &missing);
    find(library, "cublasLtMatmulDescDestroy", &lt.product_destroy, &missing);
    find(library, "cublasLtMatmulDescSetAttribute", &lt.product_set, &missing);
    find(library, "cublasLtMatrixLayoutCreate", &lt.layout_create, &missing);
    find(library, "cublasLtMatrixLayoutDestroy", &lt.layout_destroy, &missing);
    find(library, "cublasLtMatmulPreferenceCreate", &lt.preference_create, &missing);
    find(library, "cublasLtMatmulPreferenceDestroy", &lt.preference_destroy, &missing);
    find(library, "cublasLtMatmulPreferenceSetAttribute", &lt.preference_set, &missing);
    find(library, "cublasLtMatmulAlgoGetHeuristic", &lt.heuristic, &missing);
    find(library, "cublasLtMatmul", &lt.multiply, &missing);
    lt_loaded = missing == NULL;
}

static void load()
{
    const char *missing = NULL;
    void *library = open_library("libcublas");
    if (library == NULL) {
        const char *why = dlerror();
        snprintf(refusal, sizeof refusal, "cuBLAS is not installed%s%s", why == NULL ? "" : ": ",
            why == NULL ? "" : why);
        return;
    }
    find(library, "cublasCreate_v2", &blas.create, &missing);
    find(library, "cublasDestroy_v2", &blas.destroy, &missing);
    find(library, "cublasSetStream_v2", &blas.set_stream, &missing);
    find(library, "cublasSetMathMode", &blas.set_math_mode, &missing);
    find(library, "cublasSetWorkspace_v2", &blas.set_workspace, &missing);
    find(library, "cublasGetProperty", &blas.get_property, &missing);
    find(library, "cublasGetStatusString", &blas.status_string, &missing);
    find(library, "cublasSgemm_v2_64", &blas.sgemm, &missing);
    find(library, "cublasGemmEx_64", &blas.gemm_ex, &missing);
    if (missing != NULL) snprintf(refusal, sizeof refusal, "cuBLAS has no %s", missing);
    load_lt();
}

const rki_cuda_lt *rki_cuda_lt_calls(void)
{
    return lt_loaded ? &lt : NULL;
}

int rki_cuda_blas_load(char *reason, size_t capacity)
{
    pthread_once(&once, load);
    if (refusal[0] == '\0') return 1;
    snprintf(reason, capacity, "%s", refusal);
    return 0;
}

void rki_cuda_blas_describe(char *text, size_t capacity)
{
    int major = 0, minor = 0, patch = 0;
    blas.get_property(MAJOR_VERSION, &major);
    blas.get_property(MINOR_VERSION, &minor);
    blas.get_property(PATCH_LEVEL, &patch);
    snprintf(text, capacity, "cuBLAS %d.%d.%d", major, minor, patch);
}

const char *rki_cuda_blas_message(cublasStatus_t status)
{
    return blas.status_string(status);
}

int32_t rki_cuda_blas_open(rki_cuda *device)
{
    rki_cuda_blas *own = &device->blas;
    RKI_TRY(rki_cuda_check_blas(device, blas.create(&own->handle), "opening cuBLAS"));
    RKI_TRY(rki_cuda_check(
        device, cudaMalloc(&own->workspace, RKI_CUDA_WORKSPACE), "allocating cuBLAS's workspace"));
    RKI_TRY(rki_cuda_check_blas(
        device, blas.set_stream(own->handle, device->stream), "giving cuBLAS its stream"));
    RKI_TRY(rki_cuda_check_blas(device,
        blas.set_workspace(own->handle, own->workspace, RKI_CUDA_WORKSPACE),
        "giving cuBLAS its workspace"));
    /* sgemm is then in fp32 alone; gemm_ex is as its compute type says, which pedantry would forbid */
    cublasMath_t mode =
        device->precision == RKI_PRECISION_FULL ? CUBLAS_PEDANTIC_MATH : CUBLAS_DEFAULT_MATH;
    return rki_cuda_check_blas(
        device, blas.set_math_mode(own->handle, mode), "holding cuBLAS to fp32");
}

void rki_cuda_blas_close(rki_cuda *device)
{
    if (device->blas.handle != NULL) blas.destroy(device->blas.handle);
    if (device->blas.workspace != NULL) cudaFree(device->blas.workspace);
}

/* cuBLAS counts by columns: to it our row-major c is c^T = op(b)^T op(a)^T. */
int32_t rki_cuda_product(
    rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta)
{
    const float one = 1.0f;
    cublasOperation_t of_b = call->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    cublasOperation_t of_a = call->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    if (precision == RKI_PRECISION_FULL)
        return rki_cuda_check_blas(device,
            blas.sgemm(device->blas.handle, of_b, of_a, call->n, call->m, call->k, &one,
                static_cast<const float *>(call->b), call->ldb, static_cast<const float *>(call->a),
                call->lda, &beta, static_cast<float *>(call->c), call->ldc),
            "a matrix product");
    int tf32 = precision == RKI_PRECISION_TF32;
    cudaDataType_t type = tf32 ? CUDA_R_32F : CUDA_R_16BF;
    return rki_cuda_check_blas(device,
        blas.gemm_ex(device->blas.handle, of_b, of_a, call->n, call->m, call->k, &one, call->b,
            type, call->ldb, call->a, type, call->lda, &beta, call->c, CUDA_R_32F, call->ldc,
            tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
        "a matrix product with rounded factors");
}
