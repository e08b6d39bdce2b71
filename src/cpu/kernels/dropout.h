/* Dropout with its random numbers drawn on the way: Philox 4x32-10 (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011), LANES counters at once.
 *
 * Counter k serves elements 4k .. 4k + 3. The LANES counters of a group are put into the lanes in
 * such an order that transposing 4 x 4 squares, which stays inside the 128-bit parts of a register,
 * leaves the draws of 4 * LANES elements in the elements' order.
 */
#ifndef RKI_CPU_KERNELS_DROPOUT_H
#define RKI_CPU_KERNELS_DROPOUT_H

#include "cpu/kernels/kernels.h"
#include "cpu/kernels/simd.h"

enum { ROUNDS = 10 };

/* Words 0 .. 3 of each lane's counter, in and out. */
static inline void philox(vi c[4], uint32_t key0, uint32_t key1)
{
    vi m0 = vi_set1((int32_t)0xD2511F53u), m1 = vi_set1((int32_t)0xCD9E8D57u);
    for (int i = 0; i < ROUNDS; i++) {
        vi high0 = vu_mul_high(m0, c[0]), low0 = vi_mul(m0, c[0]);
        vi high1 = vu_mul_high(m1, c[2]), low1 = vi_mul(m1, c[2]);
        c[0] = vi_xor(vi_xor(high1, c[1]), vi_set1((int32_t)key0));
        c[1] = low1;
        c[2] = vi_xor(vi_xor(high0, c[3]), vi_set1((int32_t)key1));
        c[3] = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* Draws of elements 4 * counter .. + 4 * LANES - 1; counter is a multiple of LANES, so its low word
 * does not overflow inside the group. */
static inline void draw_group(const rki_dropout_draws *draws, uint64_t counter, vi out[4])
{
    vi lane = vi_count(); /* lane 4 q + i holds counter (LANES / 4) i + q of the group */
    vi place =
        vi_add(vi_mul(vi_and(lane, vi_set1(3)), vi_set1(LANES / 4)), vi_shift_right(lane, 2));
    out[0] = vi_add(vi_set1((int32_t)(uint32_t)counter), place);
    out[1] = vi_set1((int32_t)(uint32_t)(counter >> 32));
    out[2] = vi_set1((int32_t)draws->fixed[0]);
    out[3] = vi_set1((int32_t)draws->fixed[1]);
    philox(out, draws->key[0], draws->key[1]);
    vi_transpose_quads(out);
}

/* One vector: y (+)= x * (draw < threshold ? 0 : scale). */
static inline void drop(
    const rki_dropout_draws *draws, vi draw, int64_t n, const float *x, int accumulate, float *y)
{
    vm dropped = vu_less(draw, vi_set1((int32_t)draws->threshold));
    vf value = vf_mul(vf_load_n(x, n), vf_select(dropped, vf_zero(), vf_set1(draws->scale)));
    if (accumulate) value = vf_add(vf_load_n(y, n), value);
    vf_store_n(y, value, n);
}

/* Elements first .. first + count - 1, of which x and y are the first; first is a multiple of
 * 4 * LANES. */
static void kernel_dropout(const rki_dropout_draws *draws, int64_t first, int64_t count,
    const float *x, int accumulate, float *y)
{
    for (int64_t i = 0; i < count; i += 4 * LANES) {
        vi group[4];
        draw_group(draws, (uint64_t)(first + i) / 4, group);
        for (int v = 0; v < 4; v++) {
            int64_t at = i + v * LANES, n = count - at;
            if (n <= 0) break;
            drop(draws, group[v], n < LANES ? n : LANES, x + at, accumulate, y + at);
        }
    }
}

#endif
