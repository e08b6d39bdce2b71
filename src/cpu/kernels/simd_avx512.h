/* The vector vocabulary of the kernels in AVX-512 (F, BW, DQ, VL). simd.h says what each one means. */
#ifndef RKI_CPU_KERNELS_SIMD_AVX512_H
#define RKI_CPU_KERNELS_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

enum { LANES = 16 };

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline vm vm_first(int64_t n)
{
    return (vm)((1u << n) - 1u);
}

static inline vf vf_set1(float x)
{
    return _mm512_set1_ps(x);
}

static inline vf vf_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    return n >= LANES ? _mm512_loadu_ps(p) : _mm512_maskz_loadu_ps(vm_first(n), p);
}

static inline void vf_store(float *p, vf x)
{
    _mm512_storeu_ps(p, x);
}

static inline void vf_store_n(float *p, vf x, int64_t n)
{
    if (n >= LANES)
        _mm512_storeu_ps(p, x);
    else
        _mm512_mask_storeu_ps(p, vm_first(n), x);
}

static inline vf vf_add(vf a, vf b)
{
    return _mm512_add_ps(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return _mm512_sub_ps(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return _mm512_mul_ps(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return _mm512_div_ps(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return _mm512_sqrt_ps(a);
}

static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

static inline vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}

static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}

static inline vm vf_less(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

static inline vm vf_is_nan(vf a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}

static inline vf vf_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

static inline float vf_sum(vf a)
{
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

static inline float vf_largest(vf a)
{
    __m256 h = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_movehdup_ps(q)));
}

static inline void vf_add_squares(vf a, double *sums)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(a));
    __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
    _mm512_storeu_pd(sums, _mm512_fmadd_pd(low, low, _mm512_loadu_pd(sums)));
    _mm512_storeu_pd(sums + 8, _mm512_fmadd_pd(high, high, _mm512_loadu_pd(sums + 8)));
}

static inline vi vf_bits(vf a)
{
    return _mm512_castps_si512(a);
}

static inline vf vi_as_float(vi a)
{
    return _mm512_castsi512_ps(a);
}

static inline vi vi_set1(int32_t x)
{
    return _mm512_set1_epi32(x);
}

static inline vi vi_count(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

static inline vi vi_load(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}

static inline void vi_store(int32_t *p, vi a)
{
    _mm512_storeu_si512(p, a);
}

static inline vi vi_add(vi a, vi b)
{
    return _mm512_add_epi32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return _mm512_sub_epi32(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return _mm512_xor_si512(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return _mm512_and_si512(a, b);
}

static inline vi vi_shift_left(vi a, int n)
{
    return _mm512_slli_epi32(a, (unsigned)n);
}

static inline vi vi_shift_right(vi a, int n)
{
    return _mm512_srai_epi32(a, (unsigned)n);
}

static inline vi vi_mul(vi a, vi b)
{
    return _mm512_mullo_epi32(a, b);
}

static inline vi vi_dot_bytes(vi sum, const int16_t *x, const int8_t *w)
{
    vi wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)w));
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_loadu_si512(x), wide));
}

static inline int32_t vi_sum(vi a)
{
    return _mm512_reduce_add_epi32(a);
}

static inline void vi_sum_four(const vi a[4], int32_t sums[4])
{
    vi ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a[0], a[1]), _mm512_unpackhi_epi32(a[0], a[1]));
    vi cd = _mm512_add_epi32(_mm512_unpacklo_epi32(a[2], a[3]), _mm512_unpackhi_epi32(a[2], a[3]));
    vi all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i h = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
    _mm_storeu_si128((__m128i *)(void *)sums, q);
}

static inline vi vu_mul_high(vi a, vi b)
{
    __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
    return _mm512_mask_blend_epi32(0xAAAA, even, odd);
}

static inline vm vu_less(vi a, vi b)
{
    return _mm512_cmplt_epu32_mask(a, b);
}

static inline void vi_transpose_quads(vi a[4])
{
    vi low01 = _mm512_unpacklo_epi32(a[0], a[1]), high01 = _mm512_unpackhi_epi32(a[0], a[1]);
    vi low23 = _mm512_unpacklo_epi32(a[2], a[3]), high23 = _mm512_unpackhi_epi32(a[2], a[3]);
    a[0] = _mm512_unpacklo_epi64(low01, low23);
    a[1] = _mm512_unpackhi_epi64(low01, low23);
    a[2] = _mm512_unpacklo_epi64(high01, high23);
    a[3] = _mm512_unpackhi_epi64(high01, high23);
}

/* Rows 4 apart share a register's four 128-bit parts, so that half of the shuffles of a register
 * transpose become loads. */
static inline void vf_transpose_load(const float *p, int64_t stride, vf out[LANES])
{
    for (int q = 0; q < 4; q++) {
        vf r[4], s[4];
        for (int i = 0; i < 4; i++) {
            const float *row = p + i * stride + 4 * q;
            r[i] = _mm512_castps128_ps512(_mm_loadu_ps(row));
            r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(row + 4 * stride), 1);
            r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(row + 8 * stride), 2);
            r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(row + 12 * stride), 3);
        }
        s[0] = _mm512_unpacklo_ps(r[0], r[1]);
        s[1] = _mm512_unpackhi_ps(r[0], r[1]);
        s[2] = _mm512_unpacklo_ps(r[2], r[3]);
        s[3] = _mm512_unpackhi_ps(r[2], r[3]);
        out[4 * q + 0] =
            _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(s[0]), _mm512_castps_pd(s[2])));
        out[4 * q + 1] =
            _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(s[0]), _mm512_castps_pd(s[2])));
        out[4 * q + 2] =
            _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(s[1]), _mm512_castps_pd(s[3])));
        out[4 * q + 3] =
            _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(s[1]), _mm512_castps_pd(s[3])));
    }
}

#endif
