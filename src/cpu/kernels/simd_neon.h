/* The vector vocabulary of the kernels in NEON, as every AArch64 processor has it. simd.h says what
 * each one means. */
#ifndef RKI_CPU_KERNELS_SIMD_NEON_H
#define RKI_CPU_KERNELS_SIMD_NEON_H

#include <arm_neon.h>
#include <stdint.h>

enum { LANES = 4 };

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm; /* all ones or all zeros in each lane */

static inline vi vi_set1(int32_t x)
{
    return vdupq_n_s32(x);
}

static inline vi vi_count(void)
{
    return (vi){0, 1, 2, 3};
}

static inline vm vm_first(int64_t n)
{
    return vcltq_s32(vi_count(), vi_set1((int32_t)n));
}

static inline vf vf_set1(float x)
{
    return vdupq_n_f32(x);
}

static inline vf vf_zero(void)
{
    return vdupq_n_f32(0.0f);
}

static inline vf vf_load(const float *p)
{
    return vld1q_f32(p);
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    if (n >= LANES) return vld1q_f32(p);
    vf x = vf_zero();
    if (n > 0) x = vld1q_lane_f32(p, x, 0);
    if (n > 1) x = vld1q_lane_f32(p + 1, x, 1);
    if (n > 2) x = vld1q_lane_f32(p + 2, x, 2);
    return x;
}

static inline void vf_store(float *p, vf x)
{
    vst1q_f32(p, x);
}

static inline void vf_store_n(float *p, vf x, int64_t n)
{
    if (n >= LANES) {
        vst1q_f32(p, x);
        return;
    }
    if (n > 0) vst1q_lane_f32(p, x, 0);
    if (n > 1) vst1q_lane_f32(p + 1, x, 1);
    if (n > 2) vst1q_lane_f32(p + 2, x, 2);
}

static inline vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}

static inline vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}

static inline vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}

static inline vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}

static inline vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}

static inline vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return vfmsq_f32(c, a, b);
}

static inline vm vf_less(vf a, vf b)
{
    return vcltq_f32(a, b);
}

static inline vm vf_is_nan(vf a)
{
    return vmvnq_u32(vceqq_f32(a, a));
}

static inline vf vf_select(vm m, vf a, vf b)
{
    return vbslq_f32(m, a, b);
}

/* FMIN and FMAX would give the NaN. */
static inline vf vf_min(vf a, vf b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

static inline vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline float vf_sum(vf a)
{
    return vaddvq_f32(a);
}

static inline float vf_largest(vf a)
{
    float32x2_t low = vget_low_f32(a), high = vget_high_f32(a);
    float32x2_t most = vbsl_f32(vcgt_f32(low, high), low, high);
    float x = vget_lane_f32(most, 0), y = vget_lane_f32(most, 1);
    return x > y ? x : y;
}

static inline void vf_add_squares(vf a, double *sums)
{
    float64x2_t low = vcvt_f64_f32(vget_low_f32(a)), high = vcvt_high_f64_f32(a);
    vst1q_f64(sums, vfmaq_f64(vld1q_f64(sums), low, low));
    vst1q_f64(sums + 2, vfmaq_f64(vld1q_f64(sums + 2), high, high));
}

static inline vi vf_bits(vf a)
{
    return vreinterpretq_s32_f32(a);
}

static inline vf vi_as_float(vi a)
{
    return vreinterpretq_f32_s32(a);
}

static inline vi vi_load(const int32_t *p)
{
    return vld1q_s32(p);
}

static inline void vi_store(int32_t *p, vi a)
{
    vst1q_s32(p, a);
}

static inline vi vi_add(vi a, vi b)
{
    return vaddq_s32(a, b);
}

static inline vi vi_sub(vi a, vi b)
{
    return vsubq_s32(a, b);
}

static inline vi vi_xor(vi a, vi b)
{
    return veorq_s32(a, b);
}

static inline vi vi_and(vi a, vi b)
{
    return vandq_s32(a, b);
}

/* Operators of the compiler: the intrinsics with a count in the instruction take literals alone. */
static inline vi vi_shift_left(vi a, int n)
{
    return vreinterpretq_s32_u32(vreinterpretq_u32_s32(a) << n);
}

static inline vi vi_shift_right(vi a, int n)
{
    return a >> n;
}

static inline vi vi_mul(vi a, vi b)
{
    return vmulq_s32(a, b);
}

static inline vi vi_dot_bytes(vi sum, const int16_t *x, const int8_t *w)
{
    int16x8_t wide = vmovl_s8(vld1_s8(w)), pairs = vld1q_s16(x);
    sum = vmlal_s16(sum, vget_low_s16(pairs), vget_low_s16(wide));
    return vmlal_high_s16(sum, pairs, wide);
}

static inline int32_t vi_sum(vi a)
{
    return vaddvq_s32(a);
}

static inline void vi_sum_four(const vi a[4], int32_t sums[4])
{
    vst1q_s32(sums, vpaddq_s32(vpaddq_s32(a[0], a[1]), vpaddq_s32(a[2], a[3])));
}

static inline vi vu_mul_high(vi a, vi b)
{
    uint32x4_t u = vreinterpretq_u32_s32(a), v = vreinterpretq_u32_s32(b);
    uint32x4_t low = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(u), vget_low_u32(v)));
    uint32x4_t high = vreinterpretq_u32_u64(vmull_high_u32(u, v));
    return vreinterpretq_s32_u32(vuzp2q_u32(low, high));
}

static inline vm vu_less(vi a, vi b)
{
    return vcltq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b));
}

static inline vi vi_low_halves(vi a, vi b)
{
    return vcombine_s32(vget_low_s32(a), vget_low_s32(b));
}

static inline vi vi_high_halves(vi a, vi b)
{
    return vcombine_s32(vget_high_s32(a), vget_high_s32(b));
}

static inline void vi_transpose_quads(vi a[4])
{
    vi even01 = vtrn1q_s32(a[0], a[1]), odd01 = vtrn2q_s32(a[0], a[1]);
    vi even23 = vtrn1q_s32(a[2], a[3]), odd23 = vtrn2q_s32(a[2], a[3]);
    a[0] = vi_low_halves(even01, even23);
    a[1] = vi_low_halves(odd01, odd23);
    a[2] = vi_high_halves(even01, even23);
    a[3] = vi_high_halves(odd01, odd23);
}

static inline void vf_transpose_load(const float *p, int64_t stride, vf out[LANES])
{
    vi square[LANES];
    for (int i = 0; i < LANES; i++)
        square[i] = vf_bits(vld1q_f32(p + i * stride));
    vi_transpose_quads(square);
    for (int i = 0; i < LANES; i++)
        out[i] = vi_as_float(square[i]);
}

#endif
