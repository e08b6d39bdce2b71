/* The vector vocabulary of the kernels in AVX2 with FMA. simd.h says what each one means. */
#ifndef RKI_CPU_KERNELS_SIMD_AVX2_H
#define RKI_CPU_KERNELS_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8 };

typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vm; /* all ones or all zeros in each lane */

static inline vi vi_count(void)
{
    return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}

static inline vm vm_first(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n), vi_count());
}

static inline vf vf_set1(float x)
{
    return _mm256_set1_ps(x);
}

static inline vf vf_zero(void)
{
    return _mm256_setzero_ps();
}

static inline vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    return n >= LANES ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, vm_first(n));
}

static inline void vf_store(float *p, vf x)
{
    _mm256_storeu_ps(p, x);
}

static inline void vf_store_n(float *p, vf x, int64_t n)
{
    if (n >= LANES)
        _mm256_storeu_ps(p, x);
    else
        _mm256_maskstore_ps(p, vm_first(n), x);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm256_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm256_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm256_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm256_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm256_sqrt_ps(a);
}

static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}

static inline vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}

static inline vm vf_less(vf a, vf b)
{
    return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

static inline vm vf_is_nan(vf a)
{
    return _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}

static inline vf vf_select(vm m, vf a, vf b)
{
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(m));
}

static inline float vf_sum(vf a)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

static inline float vf_largest(vf a)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

static inline void vf_add_squares(vf a, double *sums)
{
    __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
    __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    _mm256_storeu_pd(sums, _mm256_fmadd_pd(low, low, _mm256_loadu_pd(sums)));
    _mm256_storeu_pd(sums + 4, _mm256_fmadd_pd(high, high, _mm256_loadu_pd(sums + 4)));
}

static inline vi vf_bits(vf a)
{
    return _mm256_castps_si256(a);
}

static inline vf vi_as_float(vi a)
{
    return _mm256_castsi256_ps(a);
}

static inline vi vi_set1(int32_t x)
{
    return _mm256_set1_epi32(x);
}

static inline vi vi_load(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void vi_store(int32_t *p, vi a)
{
    _mm256_storeu_si256((__m256i *)(void *)p, a);
}

static inline vi vi_add(vi a, vi b)
{
    return _mm256_add_epi32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return _mm256_sub_epi32(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return _mm256_xor_si256(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return _mm256_and_si256(a, b);
}

static inline vi vi_shift_left(vi a, int n)
{
    return _mm256_slli_epi32(a, n);
}

static inline vi vi_shift_right(vi a, int n)
{
    return _mm256_srai_epi32(a, n);
}

static inline vi vi_mul(vi a, vi b)
{
    return _mm256_mullo_epi32(a, b);
}

static inline vi vi_dot_bytes(vi sum, const int16_t *x, const int8_t *w)
{
    vi wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)w));
    vi pairs = _mm256_loadu_si256((const __m256i *)(const void *)x);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, wide));
}

static inline int32_t vi_sum(vi a)
{
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    q = _mm_add_epi32(q, _mm_unpackhi_epi64(q, q));
    return _mm_cvtsi128_si32(_mm_add_epi32(q, _mm_shuffle_epi32(q, 1)));
}

static inline void vi_sum_four(const vi a[4], int32_t sums[4])
{
    vi ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a[0], a[1]), _mm256_unpackhi_epi32(a[0], a[1]));
    vi cd = _mm256_add_epi32(_mm256_unpacklo_epi32(a[2], a[3]), _mm256_unpackhi_epi32(a[2], a[3]));
    vi all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128((__m128i *)(void *)sums, q);
}

static inline vi vu_mul_high(vi a, vi b)
{
    __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
    __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return _mm256_blend_epi32(even, odd, 0xAA);
}

static inline vm vu_less(vi a, vi b)
{
    __m256i top = _mm256_set1_epi32(INT32_MIN);
    return _mm256_cmpgt_epi32(_mm256_xor_si256(b, top), _mm256_xor_si256(a, top));
}

static inline void vi_transpose_quads(vi a[4])
{
    vi low01 = _mm256_unpacklo_epi32(a[0], a[1]), high01 = _mm256_unpackhi_epi32(a[0], a[1]);
    vi low23 = _mm256_unpacklo_epi32(a[2], a[3]), high23 = _mm256_unpackhi_epi32(a[2], a[3]);
    a[0] = _mm256_unpacklo_epi64(low01, low23);
    a[1] = _mm256_unpackhi_epi64(low01, low23);
    a[2] = _mm256_unpacklo_epi64(high01, high23);
    a[3] = _mm256_unpackhi_epi64(high01, high23);
}

/* Rows 4 apart share a register's two 128-bit parts, so that half of the shuffles of a register
 * transpose become loads. */
static inline void vf_transpose_load(const float *p, int64_t stride, vf out[LANES])
{
    for (int q = 0; q < 2; q++) {
        vf r[4], s[4];
        for (int i = 0; i < 4; i++) {
            const float *row = p + i * stride + 4 * q;
            r[i] = _mm256_castps128_ps256(_mm_loadu_ps(row));
            r[i] = _mm256_insertf128_ps(r[i], _mm_loadu_ps(row + 4 * stride), 1);
        }
        s[0] = _mm256_unpacklo_ps(r[0], r[1]);
        s[1] = _mm256_unpackhi_ps(r[0], r[1]);
        s[2] = _mm256_unpacklo_ps(r[2], r[3]);
        s[3] = _mm256_unpackhi_ps(r[2], r[3]);
        out[4 * q + 0] = _mm256_shuffle_ps(s[0], s[2], 0x44);
        out[4 * q + 1] = _mm256_shuffle_ps(s[0], s[2], 0xEE);
        out[4 * q + 2] = _mm256_shuffle_ps(s[1], s[3], 0x44);
        out[4 * q + 3] = _mm256_shuffle_ps(s[1], s[3], 0xEE);
    }
}

#endif
