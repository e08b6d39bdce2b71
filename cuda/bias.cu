/* Products with a bias. See bias.cuh. */
#include "bias.cuh"

#include <string.h>

#include "device.cuh"
#include "recent.cuh"

enum {
    MOST_ALIGNED = 256, /* bytes; more tells cuBLASLt nothing */
    BIAS_ALIGNED = 16
};

void rki_cuda_biases_open(rki_cuda *device)
{
    pthread_mutex_init(&device->biases.lock, NULL);
}

static void forget(const rki_cuda_lt *lt, rki_cuda_bias_kind *kind)
{
    if (kind->product != NULL) lt->product_destroy(kind->product);
    if (kind->a != NULL) lt->layout_destroy(kind->a);
    if (kind->b != NULL) lt->layout_destroy(kind->b);
    if (kind->c != NULL) lt->layout_destroy(kind->c);
    memset(kind, 0, sizeof *kind);
}

void rki_cuda_biases_close(rki_cuda *device)
{
    rki_cuda_biases *biases = &device->biases;
    const rki_cuda_lt *lt = rki_cuda_lt_calls();
    for (int i = 0; biases->kept != NULL && i < RKI_CUDA_BIAS_KINDS; i++)
        forget(lt, &biases->kept[i]);
    if (biases->kept != NULL) device->host.release(biases->kept, device->host.user);
    if (biases->handle != NULL) lt->destroy(biases->handle);
    pthread_mutex_destroy(&biases->lock);
}

static uint32_t alignment_of(const void *at)
{
    uint32_t low = (uint32_t)(uintptr_t)at | MOST_ALIGNED;
    return low & (~low + 1);
}

static rki_cuda_bias_key key_of(rki_precision precision, const rki_gemm *call, float beta)
{
    rki_cuda_bias_key key;
    memset(&key, 0, sizeof key);
    key.m = call->m;
    key.n = call->n;
    key.k = call->k;
    key.lda = call->lda;
    key.ldb = call->ldb;
    key.ldc = call->ldc;
    key.transpose_a = call->transpose_a;
    key.transpose_b = call->transpose_b;
    key.precision = precision;
    key.aligned_a = alignment_of(call->a);
    key.aligned_b = alignment_of(call->b);
    key.aligned_c = alignment_of(call->c);
    key.aligned_bias = alignment_of(call->bias);
    key.beta = beta;
    return key;
}

static int rki_cuda_same(const rki_cuda_bias_key *a, const rki_cuda_bias_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* A factor that is stored with `rows` rows of `width` elements, which cuBLAS takes for columns. */
static int describe_factor(const rki_cuda_lt *lt, cudaDataType_t type, int64_t rows, int64_t width,
    int64_t ld, cublasLtMatrixLayout_t *out)
{
    return lt->layout_create(out, type, (uint64_t)width, (uint64_t)rows, ld) ==
           CUBLAS_STATUS_SUCCESS;
}

static cublasComputeType_t compute_type(int32_t precision)
{
    return precision == RKI_PRECISION_FULL   ? CUBLAS_COMPUTE_32F_PEDANTIC
           : precision == RKI_PRECISION_TF32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                             : CUBLAS_COMPUTE_32F;
}

template <typename Object, typename What, typename Value>
static int set(cublasStatus_t (*setter)(Object, What, const void *, size_t), Object object,
    What what, Value value)
{
    return setter(object, what, &value, sizeof value) == CUBLAS_STATUS_SUCCESS;
}

/* To cuBLAS c is c^T = op(b)^T op(a)^T: its first factor is our b. 1 when all of it is there. */
static int describe(const rki_cuda_lt *lt, rki_cuda_bias_kind *kind, const void *bias)
{
    const rki_cuda_bias_key *key = &kind->key;
    cudaDataType_t type = key->precision == RKI_PRECISION_BF16 ? CUDA_R_16BF : CUDA_R_32F;
    int64_t a_rows = key->transpose_a ? key->k : key->m,
            b_rows = key->transpose_b ? key->n : key->k;
    int64_t a_width = key->m + key->k - a_rows, b_width = key->k + key->n - b_rows;
    return lt->product_create(&kind->product, compute_type(key->precision), CUDA_R_32F) ==
               CUBLAS_STATUS_SUCCESS &&
           set(lt->product_set, kind->product, CUBLASLT_MATMUL_DESC_TRANSA,
               key->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N) &&
           set(lt->product_set, kind->product, CUBLASLT_MATMUL_DESC_TRANSB,
               key->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N) &&
           set(lt->product_set, kind->product, CUBLASLT_MATMUL_DESC_EPILOGUE,
               CUBLASLT_EPILOGUE_BIAS) &&
           set(lt->product_set, kind->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias) &&
           describe_factor(lt, type, b_rows, b_width, key->ldb, &kind->b) &&
           describe_factor(lt, type, a_rows, a_width, key->lda, &kind->a) &&
           describe_factor(lt, CUDA_R_32F, key->m, key->n, key->ldc, &kind->c);
}

/* 1 when cuBLASLt has a kernel for it. */
static int choose(const rki_cuda_lt *lt, cublasLtHandle_t handle, rki_cuda_bias_kind *kind)
{
    const rki_cuda_bias_key *key = &kind->key;
    cublasLtMatmulPreference_t wish = NULL;
    cublasLtMatmulHeuristicResult_t best = {};
    int found = 0;
    if (lt->preference_create(&wish) != CUBLAS_STATUS_SUCCESS) return 0;
    int chosen =
        set(lt->preference_set, wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
            (size_t)RKI_CUDA_WORKSPACE) &&
        set(lt->preference_set, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key->aligned_b) &&
        set(lt->preference_set, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key->aligned_a) &&
        set(lt->preference_set, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key->aligned_c) &&
        set(lt->preference_set, wish, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key->aligned_c) &&
        lt->heuristic(handle, kind->product, kind->b, kind->a, kind->c, kind->c, wish, 1, &best,
            &found) == CUBLAS_STATUS_SUCCESS &&
        found == 1 && best.state == CUBLAS_STATUS_SUCCESS;
    lt->preference_destroy(wish);
    kind->algorithm = best.algo;
    return chosen;
}

/* 1 when all is open. */
static int open_parts(rki_cuda *device, const rki_cuda_lt *lt)
{
    rki_cuda_biases *biases = &device->biases;
    size_t bytes = RKI_CUDA_BIAS_KINDS * sizeof *biases->kept;
    if (biases->handle != NULL || biases->off) return !biases->off;
    biases->kept = static_cast<rki_cuda_bias_kind *>(
        device->host.allocate(bytes, alignof(rki_cuda_bias_kind), device->host.user));
    if (biases->kept != NULL) memset(static_cast<void *>(biases->kept), 0, bytes);
    biases->off = biases->kept == NULL || lt->create(&biases->handle) != CUBLAS_STATUS_SUCCESS;
    if (biases->off) biases->handle = NULL;
    return !biases->off;
}

static int queue_with_epilogue(
    rki_cuda *device, const rki_cuda_lt *lt, const rki_cuda_bias_key *key, const rki_gemm *call)
{
    const float one = 1.0f;
    rki_cuda_biases *biases = &device->biases;
    int known;
    if (!open_parts(device, lt)) return 0;
    rki_cuda_bias_kind *kind = rki_cuda_place_of(biases->kept, RKI_CUDA_BIAS_KINDS, key, &known);
    if (!known) {
        forget(lt, kind);
        kind->key = *key;
        kind->usable = describe(lt, kind, call->bias) && choose(lt, biases->handle, kind);
    }
    kind->turn = ++biases->turn;
    if (!kind->usable) return 0;
    kind->usable =
        set(lt->product_set, kind->product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, call->bias) &&
        lt->multiply(biases->handle, kind->product, &one, call->b, kind->b, call->a, kind->a,
            &key->beta, call->c, kind->c, call->c, kind->c, &kind->algorithm,
            device->blas.workspace, RKI_CUDA_WORKSPACE, device->stream) == CUBLAS_STATUS_SUCCESS;
    return kind->usable;
}

/* 1: it is queued; 0: it cannot be done this way. */
static int try_epilogue(rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta)
{
    const rki_cuda_lt *lt = rki_cuda_lt_calls();
    int any = call->m > 0 && call->n > 0 && call->k > 0;
    rki_cuda_bias_key key = key_of(precision, call, beta);
    if (lt == NULL || !any || key.aligned_bias < BIAS_ALIGNED) return 0;
    pthread_mutex_lock(&device->biases.lock);
    int queued = queue_with_epilogue(device, lt, &key, call);
    pthread_mutex_unlock(&device->biases.lock);
    if (!queued) cudaGetLastError(); /* it is done without, so this is nobody's failure */
    return queued;
}

static __global__ void put_bias(
    int64_t m, int64_t n, const float *bias, int accumulate, float *c, int64_t ldc)
{
    int64_t j = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (j >= n) return;
    for (int64_t i = blockIdx.y; i < m; i += gridDim.y)
        c[i * ldc + j] = accumulate ? c[i * ldc + j] + bias[j] : bias[j];
}

int32_t rki_cuda_bias_product(
    rki_cuda *device, rki_precision precision, const rki_gemm *call, float beta)
{
    if (try_epilogue(device, precision, call, beta)) return RNNKIT_OK;
    unsigned rows = static_cast<unsigned>(call->m < 4096 ? call->m : 4096);
    dim3 grid(static_cast<unsigned>((call->n + 127) / 128), rows);
    RKI_TRY(rki_cuda_launch(device, "the bias of a product", grid, 128, put_bias, call->m, call->n,
        static_cast<const float *>(call->bias), beta != 0.0f, static_cast<float *>(call->c),
        call->ldc));
    return rki_cuda_product(device, precision, call, 1.0f);
}
