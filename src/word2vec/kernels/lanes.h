/* What the kernels of word2vec need beyond cpu/kernels/simd.h, for each set of instructions.
 *
 *   vi_gather(base, index)    base[index] of each lane
 *   vi_keep(m, a, p)          puts the lanes that say yes, in order, at p; writes a whole vector;
 *                             returns how many they are
 *   vi_select(m, a, b)        m ? a : b
 *   vi_equal(a, b)            yes where the lanes are equal
 *   vm_or(m, n)
 *   vf_exp2(t)                2^t for t up to 126, relative error 6e-7; below 2^-126 it may be 2^-126
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

/* 2^t = 2^n 2^(i/16) 2^r: n whole, i from 0 to 15, |r| <= 1/32. Adding 1.5 * 2^19 leaves 16 n + i in
 * the low bits. */
static INLINE vf vf_exp2(vf t)
{
    const vf magic = vf_set1(786432.0f);
    const vf powers = _mm512_setr_ps(1.0f, 1.04427378f, 1.09050773f, 1.13878863f, 1.18920712f,
        1.24185781f, 1.29683955f, 1.35425555f, 1.41421356f, 1.47682615f, 1.54221083f, 1.61049033f,
        1.68179283f, 1.75625216f, 1.83400809f, 1.91520656f);
    vf shifted = vf_add(t, magic), n = vf_sub(shifted, magic), r = vf_sub(t, n);
    vf y = vf_fma(vf_fma(vf_set1(0.2402265070f), r, vf_set1(0.6931878800f)), r, vf_set1(1.0f));
    return _mm512_scalef_ps(vf_mul(_mm512_permutexvar_ps(vf_bits(shifted), powers), y), n);
}

/* Of two vectors the sums of lanes that are 1, 2, 4 or 8 apart: those of p in the lanes whose number
 * has that bit clear, those of q in the others. One shuffle each, for there is one unit for them. */
static INLINE vf fold1(vf p, vf q)
{
    const vi other = _mm512_setr_epi32(1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30);
    return vf_add(_mm512_mask_blend_ps(0xAAAA, p, q), _mm512_permutex2var_ps(p, other, q));
}

static INLINE vf fold2(vf p, vf q)
{
    return vf_add(_mm512_mask_blend_ps(0xCCCC, p, q), _mm512_shuffle_ps(p, q, 0x4E));
}

static INLINE vf fold4(vf p, vf q)
{
    const vi other = _mm512_setr_epi32(4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27);
    return vf_add(_mm512_mask_blend_ps(0xF0F0, p, q), _mm512_permutex2var_ps(p, other, q));
}

static INLINE vf fold8(vf p, vf q)
{
    return vf_add(_mm512_mask_blend_ps(0xFF00, p, q), _mm512_shuffle_f32x4(p, q, 0x4E));
}

static INLINE vf fold_four(const vf *a, int i, int n)
{
    if (i >= n) return vf_zero();
    return fold2(fold1(a[i], vf_at(a, i + 1, n)),
        i + 2 < n ? fold1(a[i + 2], vf_at(a, i + 3, n)) : vf_zero());
}

static INLINE vf vf_sums(const vf *a, int n)
{
    vf first = fold4(fold_four(a, 0, n), fold_four(a, 4, n));
    if (n <= 8) return fold8(first, vf_zero());
    return fold8(first, fold4(fold_four(a, 8, n), fold_four(a, 12, n)));
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

#if !defined(RKI_KERNELS_AVX512)

/* 2^t = 2^n 2^r: n whole, |r| <= 1/2, the polynomial a minimax fit. Adding 1.5 * 2^23 leaves n in the
 * low bits. */
static INLINE vf vf_exp2(vf t)
{
    const vf magic = vf_set1(12582912.0f);
    vf shifted = vf_add(vf_max(vf_set1(-126.0f), t), magic); /* t second: a NaN passes */
    vf r = vf_sub(vf_max(vf_set1(-126.0f), t), vf_sub(shifted, magic)), square = vf_mul(r, r);
    vf low = vf_fma(vf_set1(0.6931469671f), r, vf_set1(1.0f));
    vf middle = vf_fma(vf_set1(0.0555071329f), r, vf_set1(0.2402211972f));
    vf high = vf_fma(vf_set1(0.0013276466f), r, vf_set1(0.0096755413f));
    vf y = vf_fma(vf_fma(high, square, middle), square, low);
    return vi_as_float(vi_add(vf_bits(y), vi_shift_left(vf_bits(shifted), 23)));
}

#endif

#endif
