/* From scores to gradients and the loss, LANES scores at once.
 *
 * A row's scores take up ROW lanes, one for each output row of a block and an empty one. What a lane
 * stands for is in `weights`: how many windows of the group the pair is in, none, one or two, and
 * which label it has.
 *
 * The loss, -log of a product of many probabilities, is kept as a mantissa in [1, 2) and a sum of
 * exponents a lane, so that the logarithm is taken once. A lane that stands for nothing has
 * probability 1/2, which is one exponent, and is taken off in the end.
 */
#ifndef RKI_WORD2VEC_KERNELS_GRADIENT_H
#define RKI_WORD2VEC_KERNELS_GRADIENT_H

#include <math.h>
#include <string.h>

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

#if defined(RKI_KERNELS_AVX512) || defined(RKI_KERNELS_NEON)
enum { TILE_INPUTS = 2 };
#else
enum { TILE_INPUTS = 1 };
#endif

enum {
    ROW = RKI_W2V_SCORES,
    TILE = TILE_INPUTS * ROW,
    KINDS = 4, /* bit j: the row is in word j's window */
    TILE_KINDS = TILE_INPUTS == 2 ? KINDS * KINDS : KINDS
};

/* For each kind of a tile's rows, its lanes: -label log2 e, the label being 1 or -1, and 0 where a
 * lane stands for nothing; label rate, as often as the pair is there; 0 where it is there twice,
 * otherwise 1. */
typedef struct weights {
    float power[TILE_KINDS][TILE], rate[TILE_KINDS][TILE], most[TILE_KINDS][TILE];
} weights;

/* The first `own` output rows are those of the group's words, the others those of noise. */
static void set_weights(weights *to, int own, float rate)
{
    const float log2_e = 1.44269504f;
    float power[KINDS][ROW], rates[KINDS][ROW], most[KINDS][ROW];
    for (int kind = 0; kind < KINDS; kind++) {
        int windows = (kind & 1) + (kind >> 1);
        for (int j = 0; j < ROW; j++) {
            int times = j < own ? kind >> j & 1 : windows;
            float label = j < own ? 1.0f : -1.0f;
            power[kind][j] = times > 0 ? -label * log2_e : 0.0f;
            rates[kind][j] = label * rate * (float)times;
            most[kind][j] = times > 1 ? 0.0f : 1.0f;
        }
    }
    for (int kind = 0; kind < TILE_KINDS; kind++)
        for (int i = 0; i < TILE_INPUTS; i++) {
            int row = i == TILE_INPUTS - 1 ? kind % KINDS : kind / KINDS;
            memcpy(to->power[kind] + i * ROW, power[row], sizeof power[row]);
            memcpy(to->rate[kind] + i * ROW, rates[row], sizeof rates[row]);
            memcpy(to->most[kind] + i * ROW, most[row], sizeof most[row]);
        }
}

typedef struct tally {
    vf mantissa; /* product of probabilities, in [1, 2) */
    vi exponent;
    vf check;      /* sum of gradients: not a number when one of them is not */
    int64_t empty; /* lanes that stood for nothing */
} tally;

/* Scores to gradients, by lane `first` of the kind's weights and those behind it. */
static INLINE vf gradients_of(vf score, const weights *by, int32_t kind, int first, tally *sum)
{
    const float limit = 57.7f; /* beyond e^-40 probabilities are 0 and 1, and the loss is 40 */
    vf rate = vf_load(by->rate[kind] + first);
    vf t = vf_mul(score, vf_load(by->power[kind] + first));
    vf e = vf_exp2(vf_min(vf_set1(limit), t)); /* t second: a NaN passes */
    vf p = vf_div(vf_set1(1.0f), vf_add(e, vf_set1(1.0f)));
    vf g = vf_fnma(rate, p, rate);
    sum->check = vf_add(sum->check, g);
    /* no less than 2^-117, and so a normal number */
    vf twice = vf_mul(p, vf_max(p, vf_load(by->most[kind] + first)));
    vi bits = vf_bits(vf_mul(sum->mantissa, twice));
    sum->exponent = vi_add(sum->exponent, vi_sub(vi_shift_right(bits, 23), vi_set1(127)));
    sum->mantissa = vi_as_float(vi_add(vi_and(bits, vi_set1(0x007FFFFF)), vi_set1(0x3F800000)));
    return g;
}

/* -log of all probabilities counted. */
static double loss_of(const tally *sum)
{
    const double log_2 = 0.693147180559945309;
    int32_t exponent[LANES];
    float mantissa[LANES];
    double total = -(double)sum->empty * log_2;
    vi_store(exponent, sum->exponent);
    vf_store(mantissa, sum->mantissa);
    for (int i = 0; i < LANES; i++)
        total -= (double)exponent[i] * log_2 + log((double)mantissa[i]);
    return total;
}

#endif
