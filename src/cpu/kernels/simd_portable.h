/* The vector vocabulary of the kernels in GCC's vector extensions: four floats, any processor.
 * simd.h says what each one means. */
#ifndef RKI_CPU_KERNELS_SIMD_PORTABLE_H
#define RKI_CPU_KERNELS_SIMD_PORTABLE_H

#include <stdint.h>
#include <string.h>

enum { LANES = 4 };

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16))); /* all ones or all zeros in each lane */

static inline vi vi_set1(int32_t x)
{
    return (vi){x, x, x, x};
}

static inline vi vi_count(void)
{
    return (vi){0, 1, 2, 3};
}

static inline vm vm_first(int64_t n)
{
    return vi_count() < vi_set1((int32_t)n);
}

static inline vf vf_set1(float x)
{
    return (vf){x, x, x, x};
}

static inline vf vf_zero(void)
{
    return (vf){0, 0, 0, 0};
}

static inline vf vf_load(const float *p)
{
    vf x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline vf vf_load_n(const float *p, int64_t n)
{
    vf x = vf_zero();
    for (int i = 0; i < LANES; i++)
        if (i < n) x[i] = p[i];
    return x;
}

static inline void vf_store(float *p, vf x)
{
    memcpy(p, &x, sizeof x);
}

static inline void vf_store_n(float *p, vf x, int64_t n)
{
    for (int i = 0; i < LANES; i++)
        if (i < n) p[i] = x[i];
}

static inline vf vf_add(vf a, vf b)
{
    return a + b;
}

static inline vf vf_sub(vf a, vf b)
{
    return a - b;
}

static inline vf vf_mul(vf a, vf b)
{
    return a * b;
}

static inline vf vf_div(vf a, vf b)
{
    return a / b;
}

static inline vf vf_sqrt(vf a)
{
#if defined(__SSE2__)
    return (vf)__builtin_ia32_sqrtps(a);
#else
    for (int i = 0; i < LANES; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
#endif
}

/* Fused where the processor does it, else rounded twice: a call of fmaf() would be far too slow. */
static inline vf vf_fma(vf a, vf b, vf c)
{
#if defined(__FP_FAST_FMAF)
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
#else
    return a * b + c;
#endif
}

static inline vf vf_fnma(vf a, vf b, vf c)
{
    return vf_fma(-a, b, c);
}

static inline vm vf_less(vf a, vf b)
{
    return a < b;
}

static inline vm vf_is_nan(vf a)
{
    return a != a;
}

static inline vf vf_select(vm m, vf a, vf b)
{
    return (vf)(((vi)a & m) | ((vi)b & ~m));
}

static inline vf vf_min(vf a, vf b)
{
    return vf_select(a < b, a, b);
}

static inline vf vf_max(vf a, vf b)
{
    return vf_select(a > b, a, b);
}

static inline float vf_sum(vf a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}

static inline float vf_largest(vf a)
{
    float x = a[0] > a[2] ? a[0] : a[2];
    float y = a[1] > a[3] ? a[1] : a[3];
    return x > y ? x : y;
}

static inline void vf_add_squares(vf a, double *sums)
{
    for (int i = 0; i < LANES; i++)
        sums[i] += (double)a[i] * (double)a[i];
}

static inline vi vf_bits(vf a)
{
    return (vi)a;
}

static inline vf vi_as_float(vi a)
{
    return (vf)a;
}

static inline vi vi_load(const int32_t *p)
{
    vi x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline void vi_store(int32_t *p, vi a)
{
    memcpy(p, &a, sizeof a);
}

static inline vi vi_add(vi a, vi b)
{
    return (vi)((vu)a + (vu)b);
}

static inline vi vi_sub(vi a, vi b)
{
    return (vi)((vu)a - (vu)b);
}

static inline vi vi_xor(vi a, vi b)
{
    return a ^ b;
}

static inline vi vi_and(vi a, vi b)
{
    return a & b;
}

static inline vi vi_shift_left(vi a, int n)
{
    return (vi)((vu)a << n);
}

static inline vi vi_shift_right(vi a, int n)
{
    return a >> n;
}

static inline vi vi_mul(vi a, vi b)
{
    return (vi)((vu)a * (vu)b);
}

static inline vi vi_dot_bytes(vi sum, const int16_t *x, const int8_t *w)
{
    for (int i = 0; i < LANES; i++)
        sum[i] += x[2 * i] * w[2 * i] + x[2 * i + 1] * w[2 * i + 1];
    return sum;
}

static inline int32_t vi_sum(vi a)
{
    return (a[0] + a[1]) + (a[2] + a[3]);
}

static inline void vi_sum_four(const vi a[4], int32_t sums[4])
{
    for (int i = 0; i < 4; i++)
        sums[i] = vi_sum(a[i]);
}

static inline vi vu_mul_high(vi a, vi b)
{
    vi high;
    for (int i = 0; i < LANES; i++)
        high[i] = (int32_t)((uint64_t)(uint32_t)a[i] * (uint32_t)b[i] >> 32);
    return high;
}

static inline vm vu_less(vi a, vi b)
{
    return (vu)a < (vu)b;
}

static inline void vi_transpose_quads(vi a[4])
{
    vi b[4] = {a[0], a[1], a[2], a[3]};
    for (int i = 0; i < 4; i++)
        a[i] = (vi){b[0][i], b[1][i], b[2][i], b[3][i]};
}

static inline void vf_transpose_load(const float *p, int64_t stride, vf out[LANES])
{
    for (int i = 0; i < LANES; i++)
        out[i] = (vf){p[i], p[stride + i], p[2 * stride + i], p[3 * stride + i]};
}

#endif
