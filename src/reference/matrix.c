/* Products and sums of matrices. */
#include "reference/reference.h"

int32_t rki_reference_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < count; i++)
        add(device, y, i, alpha * get(device, x, i));
    return RNNKIT_OK;
}

int32_t rki_reference_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out)
{
    const rki_reference *device = self;
    for (int64_t j = 0; j < n; j++) {
        double sum = accumulate ? get(device, out, j) : 0.0;
        for (int64_t i = 0; i < m; i++)
            sum += get(device, a, i * n + j);
        set(device, out, j, sum);
    }
    return RNNKIT_OK;
}

size_t rki_reference_gemm_scratch(void *self, const rki_gemm *call)
{
    (void)self;
    (void)call;
    return 0;
}

size_t rki_reference_gemm_keep(void *self, const rki_gemm *call, void *block)
{
    (void)self;
    (void)call;
    (void)block;
    return 0;
}

/* op(a)[i][p] */
static double left(const rki_reference *device, const rki_gemm *call, int64_t i, int64_t p)
{
    return get(device, call->a, call->transpose_a ? p * call->lda + i : i * call->lda + p);
}

/* op(b)[p][j] */
static double right(const rki_reference *device, const rki_gemm *call, int64_t p, int64_t j)
{
    return get(device, call->b, call->transpose_b ? j * call->ldb + p : p * call->ldb + j);
}

int32_t rki_reference_gemm(void *self, const rki_gemm *call)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < call->m; i++) {
        for (int64_t j = 0; j < call->n; j++) {
            double sum = get_or_zero(device, call->bias, j);
            for (int64_t p = 0; p < call->k; p++)
                sum += left(device, call, i, p) * right(device, call, p, j);
            if (call->accumulate) sum += get(device, call->c, i * call->ldc + j);
            set(device, call->c, i * call->ldc + j, sum);
        }
    }
    return RNNKIT_OK;
}
