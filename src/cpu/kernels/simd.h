/* One small vector vocabulary, so that a kernel is written once and compiled for each set of
 * instructions. A file that includes this has defined RKI_KERNELS_AVX512, RKI_KERNELS_AVX2,
 * RKI_KERNELS_NEON or none of them; everything is static, so no function built for one set can be called by another.
 *
 * LANES floats make a `vf`, LANES 32-bit integers a `vi`; `vm` says yes or no for each lane.
 *   vm_first(n)           yes for the first n lanes, n from 0 to LANES
 *   vf_load_n, _store_n   touch the first n lanes alone; loaded lanes behind them are 0
 *   vf_fma, vf_fnma       a * b + c, c - a * b; rounded once, but for portable code on a processor
 *                         that has no such instruction
 *   vf_min, vf_max        a < b ? a : b, a > b ? a : b: with a NaN in either the result is b
 *   vf_select(m, a, b)    m ? a : b
 *   vf_sum, vf_largest    over the lanes, as a tree in fixed order
 *   vf_add_squares(a, s)  s[i] += a[i]^2 in double, which holds the square exactly
 *   vf_bits, vi_as_float  the same 32 bits
 *   vi_shift_right        keeps the sign
 *   vi_dot_bytes(s, x, w) s plus products of 2 LANES int16 by int8, two to a lane
 *   vi_sum, vi_sum_four(a, s)  over the lanes; s[i] = that of a[i], of four
 *   vu_mul_high, vu_less  take the lanes as unsigned
 *   vi_transpose_quads(a)  transposes the squares that lanes 4 q .. 4 q + 3 of a[0] .. a[3] make
 *   vf_transpose_load(p, stride, out)  out[j] lane i = p[i * stride + j]: a square of LANES rows
 */
#ifndef RKI_CPU_KERNELS_SIMD_H
#define RKI_CPU_KERNELS_SIMD_H

#if defined(RKI_KERNELS_AVX512)
#include "cpu/kernels/simd_avx512.h"
#elif defined(RKI_KERNELS_AVX2)
#include "cpu/kernels/simd_avx2.h"
#elif defined(RKI_KERNELS_NEON)
#include "cpu/kernels/simd_neon.h"
#else
#include "cpu/kernels/simd_portable.h"
#endif

/* For small functions whose constant arguments must be seen by the compiler, and for loops of a few
 * turns over arrays that are to live in registers. */
#define INLINE inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL_TWICE _Pragma("clang loop unroll_count(2)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#endif
