/* What the kernels of word2vec need beyond cpu/kernels/simd.h, for each set of instructions.
 *
 *   vi_gather(base, index)    base[index] of each lane
 *   vi_keep(m, a, p)          puts the lanes that say yes, in order, at p; writes a whole vector;
 *                             returns how many they are
 *   vi_select(m, a, b)        m ? a : b
 *   vi_equal(a, b)            yes where the lanes are equal
 *   vm_or(m, n)
 *   vf_sums(a, n)             lane i is the sum over the lanes of a[i], i < n <= LANES; the other
 *                             lanes are 0. n is known to the compiler.
 */
#ifndef RKI_WORD2VEC_KERNELS_LANES_H
#define RKI_WORD2VEC_KERNELS_LANES_H

#include "cpu/kernels/simd.h"

static INLINE vf vf_at(const vf *a, int i, int n)
{
    return i < n ? a[i] : vf_zero();
}

#if defined(RKI_KERNELS_AVX512)

static INLINE vi vi_gather(const int32_t *base, vi index)
{
    return _mm512_i32gather_epi32(index, base, 4);
}

static INLINE int vi_keep(vm m, vi a, int32_t *p)
{
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(m, a));
    return __builtin_popcount(m);
}

static INLINE vi vi_select(vm m, vi a, vi b)
{
    return _mm512_mask_blend_epi32(m, b, a);
}

static INLINE vm vi_equal(vi a, vi b)
{
    return _mm512_cmpeq_epi32_mask(a, b);
}

static INLINE vm vm_or(vm m, vm n)
{
    return (vm)(m | n);
}

/* Each 128-bit part: the part's sums of a[i] .. a[i + 3]. */
static INLINE vf sum_parts(const vf *a, int i, int n)
{
    vf p = vf_at(a, i, n), q = vf_at(a, i + 1, n), r = vf_at(a, i + 2, n), s = vf_at(a, i + 3, n);
    __m512d low =
        _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(p, q), _mm512_unpackhi_ps(p, q)));
    __m512d high =
        _mm512_castps_pd(_mm512_add_ps(_mm512_unpacklo_ps(r, s), _mm512_unpackhi_ps(r, s)));
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(low, high)),
        _mm512_castpd_ps(_mm512_unpackhi_pd(low, high)));
}

/* Two vectors of four parts: the sums of neighbouring parts. */
static INLINE vf sum_pairs(vf a, vf b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}

static INLINE vf vf_sums(const vf *a, int n)
{
    vf first = sum_pairs(sum_parts(a, 0, n), n > 4 ? sum_parts(a, 4, n) : vf_zero());
    if (n <= 8) return sum_pairs(first, vf_zero());
    vf second = sum_pairs(sum_parts(a, 8, n), n > 12 ? sum_parts(a, 12, n) : vf_zero());
    return sum_pairs(first, second);
}

#elif defined(RKI_KERNELS_AVX2)

static INLINE vi vi_gather(const int32_t *base, vi index)
{
    return _mm256_i32gather_epi32(base, index, 4);
}

/* Hacker's Delight would compress by steps; a lane at a time is as fast for the few that there
 * are. */
static INLINE int vi_keep(vm m, vi a, int32_t *p)
{
    int32_t lanes[LANES];
    unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(m));
    int count = 0;
    vi_store(lanes, a);
    UNROLL for (int i = 0; i < LANES; i++)
    {
        p[count] = lanes[i];
        count += (int)(mask >> i & 1);
    }
    return count;
}

static INLINE vi vi_select(vm m, vi a, vi b)
{
    return _mm256_blendv_epi8(b, a, m);
}

static INLINE vm vi_equal(vi a, vi b)
{
    return _mm256_cmpeq_epi32(a, b);
}

static INLINE vm vm_or(vm m, vm n)
{
    return _mm256_or_si256(m, n);
}

static INLINE vf sum_parts(const vf *a, int i, int n)
{
    vf low = _mm256_hadd_ps(vf_at(a, i, n), vf_at(a, i + 1, n));
    return _mm256_hadd_ps(low, _mm256_hadd_ps(vf_at(a, i + 2, n), vf_at(a, i + 3, n)));
}

static INLINE vf vf_sums(const vf *a, int n)
{
    vf first = sum_parts(a, 0, n), second = n > 4 ? sum_parts(a, 4, n) : vf_zero();
    return _mm256_add_ps(
        _mm256_permute2f128_ps(first, second, 0x20), _mm256_permute2f128_ps(first, second, 0x31));
}

#elif defined(RKI_KERNELS_NEON)

static INLINE vi vi_gather(const int32_t *base, vi index)
{
    vi out = vld1q_dup_s32(base + vgetq_lane_s32(index, 0));
    out = vld1q_lane_s32(base + vgetq_lane_s32(index, 1), out, 1);
    out = vld1q_lane_s32(base + vgetq_lane_s32(index, 2), out, 2);
    return vld1q_lane_s32(base + vgetq_lane_s32(index, 3), out, 3);
}

static INLINE int vi_keep(vm m, vi a, int32_t *p)
{
    int count = 0;
    UNROLL for (int i = 0; i < LANES; i++)
    {
        p[count] = a[i];
        count += (int)(m[i] & 1);
    }
    return count;
}

static INLINE vi vi_select(vm m, vi a, vi b)
{
    return vbslq_s32(m, a, b);
}

static INLINE vm vi_equal(vi a, vi b)
{
    return vceqq_s32(a, b);
}

static INLINE vm vm_or(vm m, vm n)
{
    return vorrq_u32(m, n);
}

static INLINE vf vf_sums(const vf *a, int n)
{
    vf low = vpaddq_f32(vf_at(a, 0, n), vf_at(a, 1, n));
    return vpaddq_f32(low, vpaddq_f32(vf_at(a, 2, n), vf_at(a, 3, n)));
}

#else

static INLINE vi vi_gather(const int32_t *base, vi index)
{
    for (int i = 0; i < LANES; i++)
        index[i] = base[index[i]];
    return index;
}

static INLINE int vi_keep(vm m, vi a, int32_t *p)
{
    int count = 0;
    for (int i = 0; i < LANES; i++) {
        p[count] = a[i];
        count += m[i] != 0;
    }
    return count;
}

static INLINE vi vi_select(vm m, vi a, vi b)
{
    return (a & m) | (b & ~m);
}

static INLINE vm vi_equal(vi a, vi b)
{
    return a == b;
}

static INLINE vm vm_or(vm m, vm n)
{
    return m | n;
}

static INLINE vf vf_sums(const vf *a, int n)
{
    vf out = vf_zero();
    for (int i = 0; i < LANES; i++)
        out[i] = vf_sum(vf_at(a, i, n));
    return out;
}

#endif

#endif
