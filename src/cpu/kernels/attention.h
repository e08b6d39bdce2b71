/* Attention of one query, and the source's gradient of additive scores; equations in
 * backend/attention.h.
 *
 * Rows of keys and values lie far apart (time comes first), so the outer loop takes ABREAST of them
 * and the inner one runs along them. The sum of an element runs over rows in their order, one fused
 * multiply-add each, so it depends neither on ABREAST nor on what stands behind the last row.
 */
#ifndef RKI_CPU_KERNELS_ATTENTION_H
#define RKI_CPU_KERNELS_ATTENTION_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/simd.h"

enum { ABREAST = 4 };

/* One term of a score: v tanh(q + k), or q k without v. */
static INLINE vf score_term(const int additive, vf q, vf k, vf v, vf sum)
{
    return additive ? vf_fma(v, vf_tanh(vf_add(q, k)), sum) : vf_fma(q, k, sum);
}

/* out[r] = scale * the score of `rows` rows from row `at` on. */
static INLINE void score_rows(const int additive, const int rows, const float *x,
    const rki_rows *from, int64_t at, const float *v, float scale, float *out)
{
    vf sum[ABREAST];
    const float *row[ABREAST];
    UNROLL for (int r = 0; r < rows; r++)
    {
        sum[r] = vf_zero();
        row[r] = from->first + (at + r) * from->stride;
    }
    int64_t j = 0;
    for (; j + LANES <= from->width; j += LANES) {
        vf q = vf_load(x + j), w = additive ? vf_load(v + j) : vf_zero();
        UNROLL for (int r = 0; r < rows; r++) sum[r] =
            score_term(additive, q, vf_load(row[r] + j), w, sum[r]);
    }
    int64_t left = from->width - j;
    if (left > 0) {
        vf q = vf_load_n(x + j, left), w = additive ? vf_load_n(v + j, left) : vf_zero();
        UNROLL for (int r = 0; r < rows; r++) sum[r] =
            score_term(additive, q, vf_load_n(row[r] + j, left), w, sum[r]);
    }
    UNROLL for (int r = 0; r < rows; r++) out[at + r] = scale * vf_sum(sum[r]);
}

static INLINE void score_all(const int additive, const float *x, const rki_rows *rows,
    const float *v, float scale, float *out)
{
    int64_t i = 0;
    for (; i + ABREAST <= rows->count; i += ABREAST)
        score_rows(additive, ABREAST, x, rows, i, v, scale, out);
    for (; i < rows->count; i++)
        score_rows(additive, 1, x, rows, i, v, scale, out);
}

static void kernel_additive_scores(
    const float *q, const rki_rows *keys, const float *v, float *scores)
{
    score_all(1, q, keys, v, 1.0f, scores);
}

/* out[i] = scale * x . row i */
static void kernel_row_products(const float *x, const rki_rows *rows, float scale, float *out)
{
    score_all(0, x, rows, NULL, scale, out);
}

/* out (+)= sum over `rows` rows from row `at` on of factors[i * stride] * row i. */
static INLINE void sum_some(const int rows, const float *factors, int64_t stride,
    const rki_rows *from, int64_t at, int fresh, float *out)
{
    vf factor[ABREAST];
    const float *row[ABREAST];
    UNROLL for (int r = 0; r < rows; r++)
    {
        factor[r] = vf_set1(factors[(at + r) * stride]);
        row[r] = from->first + (at + r) * from->stride;
    }
    for (int64_t j = 0; j < from->width; j += LANES) {
        int64_t n = from->width - j < LANES ? from->width - j : LANES;
        vf sum = fresh ? vf_zero() : vf_load_n(out + j, n);
        UNROLL for (int r = 0; r < rows; r++) sum =
            vf_fma(factor[r], vf_load_n(row[r] + j, n), sum);
        vf_store_n(out + j, sum, n);
    }
}

static INLINE void sum_rows(
    const float *factors, int64_t factor_stride, const rki_rows *rows, int fresh, float *out)
{
    int64_t i = 0;
    for (; i + ABREAST <= rows->count; i += ABREAST)
        sum_some(ABREAST, factors, factor_stride, rows, i, fresh && i == 0, out);
    for (; i < rows->count; i++)
        sum_some(1, factors, factor_stride, rows, i, fresh && i == 0, out);
}

/* out += sum over i of factors[i * factor_stride] * row i */
static void kernel_add_row_sum(
    const float *factors, int64_t factor_stride, const rki_rows *rows, float *out)
{
    sum_rows(factors, factor_stride, rows, 0, out);
}

/* out = scale * sum over i of factors[i * factor_stride] * row i; zeros when there are no rows. */
static void kernel_row_sum(
    const float *factors, int64_t factor_stride, const rki_rows *rows, float scale, float *out)
{
    if (rows->count == 0)
        for (int64_t j = 0; j < rows->width; j++)
            out[j] = 0.0f;
    sum_rows(factors, factor_stride, rows, 1, out);
    if (scale == 1.0f) return;
    for (int64_t j = 0; j < rows->width; j++)
        out[j] *= scale;
}

/* d, the gradient of the weights p, becomes that of the scores: p (d - p . d). */
static void kernel_softmax_gradient(int64_t count, const float *p, float *d)
{
    vf sum = vf_zero();
    for (int64_t j = 0; j < count; j += LANES)
        sum = vf_fma(vf_load_n(p + j, count - j), vf_load_n(d + j, count - j), sum);
    vf mean = vf_set1(vf_sum(sum));
    for (int64_t j = 0; j < count; j += LANES) {
        int64_t n = count - j < LANES ? count - j : LANES;
        vf_store_n(d + j, vf_mul(vf_load_n(p + j, n), vf_sub(vf_load_n(d + j, n), mean)), n);
    }
}

/* sum + d (1 - h^2) with h = tanh(q + k) */
static INLINE vf add_through_tanh(vf d, vf h, vf sum)
{
    return vf_fma(d, vf_fnma(h, h, vf_set1(1.0f)), sum);
}

/* dq (+)= sum over `rows` keys of dscore (1 - h^2); times v at the last of them. */
static INLINE void query_some(const int rows, const float *q, const rki_rows *keys, int64_t at,
    const float *v, const float *dscores, float *dq)
{
    vf d[ABREAST];
    const float *row[ABREAST];
    int last = at + rows == keys->count;
    UNROLL for (int r = 0; r < rows; r++)
    {
        d[r] = vf_set1(dscores[at + r]);
        row[r] = keys->first + (at + r) * keys->stride;
    }
    for (int64_t j = 0; j < keys->width; j += LANES) {
        int64_t n = keys->width - j < LANES ? keys->width - j : LANES;
        vf x = vf_load_n(q + j, n), sum = at == 0 ? vf_zero() : vf_load_n(dq + j, n);
        UNROLL for (int r = 0; r < rows; r++) sum =
            add_through_tanh(d[r], vf_tanh(vf_add(x, vf_load_n(row[r] + j, n))), sum);
        vf_store_n(dq + j, last ? vf_mul(vf_load_n(v + j, n), sum) : sum, n);
    }
}

static void kernel_additive_query(
    const float *q, const rki_rows *keys, const float *v, const float *dscores, float *dq)
{
    int64_t i = 0;
    for (; i + ABREAST <= keys->count; i += ABREAST)
        query_some(ABREAST, q, keys, i, v, dscores, dq);
    for (; i < keys->count; i++)
        query_some(1, q, keys, i, v, dscores, dq);
}

/* Queries that are looked at together: a vector of columns of each is copied, because rows that are
 * a power of two apart would push each other out of the cache. */
enum { QUERIES = 64 };

/* One vector of columns from j on, queries begin .. end - 1, all keys. */
static void keys_column(
    const rki_additive_keys *call, int64_t j, int64_t begin, int64_t end, vf *dv)
{
    float near[QUERIES * LANES];
    int64_t n = call->keys.width - j < LANES ? call->keys.width - j : LANES;
    for (int64_t t = begin; t < end; t++)
        vf_store(near + (t - begin) * LANES, vf_load_n(call->q.first + t * call->q.stride + j, n));
    vf v = vf_load_n(call->v + j, n), h_sum = *dv;
    for (int64_t s = 0; s < call->keys.count; s++) {
        vf k = vf_load_n(call->keys.first + s * call->keys.stride + j, n), sum = vf_zero();
        int64_t first = call->causal && s > begin ? s : begin;
        for (int64_t t = first; t < end; t++) {
            vf d = vf_set1(call->dscores[t * call->dscores_stride + s]);
            vf h = vf_tanh(vf_add(vf_load(near + (t - begin) * LANES), k));
            sum = add_through_tanh(d, h, sum);
            h_sum = vf_fma(d, h, h_sum);
        }
        if (call->dkeys == NULL) continue;
        float *dk = call->dkeys + s * call->keys.stride + j;
        vf before = begin == 0 ? vf_zero() : vf_load_n(dk, n);
        vf_store_n(dk, first < end ? vf_fma(v, sum, before) : before, n);
    }
    *dv = h_sum;
}

/* dkeys_s = v sum_t dscore_ts (1 - h_ts^2), dv = sum_t,s dscore_ts h_ts, h = tanh(q_t + k_s). */
static void kernel_additive_keys(const rki_additive_keys *call)
{
    for (int64_t j = 0; j < call->keys.width; j += LANES) {
        int64_t n = call->keys.width - j < LANES ? call->keys.width - j : LANES;
        vf dv = vf_zero();
        for (int64_t t = 0; t == 0 || t < call->q.count; t += QUERIES) {
            int64_t end = call->q.count - t < QUERIES ? call->q.count : t + QUERIES;
            keys_column(call, j, t, end, &dv);
        }
        vf_store_n(call->dv + j, dv, n);
    }
}

#endif
