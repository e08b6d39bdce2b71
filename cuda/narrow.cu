/* Large products in the context's precision. With bf16, both factors are rounded into copies, to
 * nearest and ties to even; what is added up is in fp32.
 */
#include "device.cuh"

enum { THREADS = 256, ALIGN = 8 /* elements: rows of copies begin where tensor cores want them */ };

static __device__ uint16_t rounded(float x)
{
    uint32_t bits = __float_as_uint(x);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u); /* NaN */
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

static __global__ void round_rows(
    int64_t rows, int64_t width, const float *from, int64_t ld_from, uint16_t *to, int64_t ld_to)
{
    int64_t stride = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < rows * width; i += stride)
        to[i / width * ld_to + i % width] = rounded(from[i / width * ld_from + i % width]);
}

static int64_t aligned(int64_t width)
{
    return (width + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t factor_bytes(int64_t rows, int64_t width)
{
    return ((size_t)(rows * aligned(width)) * sizeof(uint16_t) + 255) / 256 * 256;
}

/* Either dimension of a factor may be its rows' width. */
static size_t most_bytes(int64_t rows, int64_t width)
{
    size_t plain = factor_bytes(rows, width), turned = factor_bytes(width, rows);
    return plain > turned ? plain : turned;
}

size_t rki_cuda_narrow_bytes(const rki_cuda *device, int64_t m, int64_t n, int64_t k)
{
    if (device->precision != RKI_PRECISION_BF16) return 0;
    return most_bytes(m, k) + most_bytes(k, n);
}

struct factor {
    const void *at;
    int64_t ld, rows, width;
};

/* Rounds a factor into a copy at `to`; the factor is then the copy. */
static int32_t round_factor(rki_cuda *device, factor *f, void *to)
{
    int64_t ld = aligned(f->width);
    RKI_TRY(rki_cuda_launch(device, "rounding to bf16",
        rki_cuda_blocks(f->rows * f->width, THREADS), THREADS, round_rows, f->rows, f->width,
        static_cast<const float *>(f->at), f->ld, static_cast<uint16_t *>(to), ld));
    f->at = to;
    f->ld = ld;
    return RNNKIT_OK;
}

static int32_t multiply(rki_cuda *device, const rki_gemm *call, float beta)
{
    return call->bias == NULL ? rki_cuda_product(device, device->precision, call, beta)
                              : rki_cuda_bias_product(device, device->precision, call, beta);
}

int32_t rki_cuda_large_product(rki_cuda *device, const rki_gemm *call, float beta)
{
    if (device->precision != RKI_PRECISION_BF16) return multiply(device, call, beta);
    factor a = {call->a, call->lda, call->m, call->k}, b = {call->b, call->ldb, call->k, call->n};
    if (call->transpose_a) a = {call->a, call->lda, call->k, call->m};
    if (call->transpose_b) b = {call->b, call->ldb, call->n, call->k};
    char *copies = static_cast<char *>(call->scratch);
    RKI_TRY(round_factor(device, &a, copies));
    RKI_TRY(round_factor(device, &b, copies + factor_bytes(a.rows, a.width)));
    rki_gemm product = *call;
    product.a = a.at;
    product.lda = a.ld;
    product.b = b.at;
    product.ldb = b.ld;
    return multiply(device, &product, beta);
}
