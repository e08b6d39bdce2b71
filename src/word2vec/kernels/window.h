/* Training on the windows of a stretch of words: the equations are in kernels.h.
 *
 * Scores are products of a few input rows with up to OUTPUTS output rows, summed in registers; the
 * sums of a tile become gradients in registers too. Then one pass over the columns changes all rows
 * of the window: output rows, old and new, stay in registers while the input rows pass by.
 *
 * Meanwhile rows of a word further on are fetched, a line for a line that is worked on: all at once
 * they would fill what the processor has for lines on their way, and stop it.
 *
 * The loss, -log of a product of many probabilities, is kept as a mantissa in [1, 2) and a sum of
 * exponents a lane, so that the logarithm is taken once.
 */
#ifndef RKI_WORD2VEC_KERNELS_WINDOW_H
#define RKI_WORD2VEC_KERNELS_WINDOW_H

#include <math.h>

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

#if defined(RKI_KERNELS_AVX512) || defined(RKI_KERNELS_NEON)
enum { TILE_INPUTS = 4, CHUNKS = 2 };
#else
enum { TILE_INPUTS = 2, CHUNKS = 1 };
#endif

enum {
    OUTPUTS = RKI_W2V_OUTPUTS,
    TILE_SUMS = TILE_INPUTS * OUTPUTS,
    PLACES = TILE_SUMS + LANES, /* where the last vector of a tile's sums may end */
    AHEAD = 2
};

/* What scores are multiplied by on their way to gradients, for tiles of n outputs whose first is the
 * word itself at [n], for tiles of noise words at [0]. */
typedef struct scales {
    float power[OUTPUTS + 1][PLACES]; /* -label log2 e, the label being 1 or -1 */
    float rate[OUTPUTS + 1][PLACES];  /* label rate */
} scales;

static void set_scales(scales *to, float rate)
{
    const float log2_e = 1.44269504f;
    for (int n = 0; n <= OUTPUTS; n++) {
        for (int i = 0; i < PLACES; i++) {
            to->power[n][i] = log2_e;
            to->rate[n][i] = -rate;
        }
        for (int i = 0; n > 0 && i < PLACES; i += n) {
            to->power[n][i] = -log2_e;
            to->rate[n][i] = rate;
        }
    }
}

/* What is known of the group of output rows in hand. */
typedef struct group {
    float *rows[OUTPUTS];
    int has_word; /* row 0 is the word itself */
    const scales *scale;
    const float *const *fetch; /* [fetched_with(inputs)] rows that are soon wanted */
} group;

/* The rows that a group fetches: one with each input row that changes, one with each tile. */
static INLINE int64_t fetched_with(int64_t inputs)
{
    return inputs + (inputs + TILE_INPUTS - 1) / TILE_INPUTS;
}

typedef struct tally {
    vf mantissa; /* product of probabilities, in [1, 2) */
    vi exponent;
    vf check; /* sum of gradients: not a number when one of them is not */
} tally;

/* 2^t, t within [-126, 126]: 2^n 2^r, n whole and |r| <= 1/2; the polynomial is a minimax fit of the
 * relative error, 7.5e-8. */
static INLINE vf exp2_of(vf t)
{
    vf r = vf_fraction(t), square = vf_mul(r, r);
    vf low = vf_fma(vf_set1(0.6931469671f), r, vf_set1(1.0f));
    vf middle = vf_fma(vf_set1(0.0555071329f), r, vf_set1(0.2402211972f));
    vf high = vf_fma(vf_set1(0.0013276466f), r, vf_set1(0.0096755413f));
    return vf_scale(vf_fma(vf_fma(high, square, middle), square, low), vf_sub(t, r));
}

static INLINE void count_loss(tally *sum, vf probability)
{
    vf product = vf_mul(sum->mantissa, probability);
    vi bits = vf_bits(product);
    sum->exponent = vi_add(sum->exponent, vi_sub(vi_shift_right(bits, 23), vi_set1(127)));
    sum->mantissa = vi_as_float(vi_add(vi_and(bits, vi_set1(0x007FFFFF)), vi_set1(0x3F800000)));
}

/* -log of all probabilities counted. */
static double loss_of(const tally *sum)
{
    int32_t exponent[LANES];
    float mantissa[LANES];
    double total = 0;
    vi_store(exponent, sum->exponent);
    vf_store(mantissa, sum->mantissa);
    for (int i = 0; i < LANES; i++)
        total -= (double)exponent[i] * 0.693147180559945309 + log((double)mantissa[i]);
    return total;
}

/* Scores to gradients: n of them, whose scales are at `power` and `rate`. */
static INLINE vf gradients_of(vf score, int n, const float *power, const float *rate, tally *sum)
{
    const float limit = 57.7f; /* beyond e^-40 probabilities are 0 and 1, and the loss is 40 */
    /* t second: a NaN passes */
    vf t = vf_mul(score, vf_load(power));
    vf e = exp2_of(vf_min(vf_set1(limit), vf_max(vf_set1(-limit), t)));
    vf p = vf_div(vf_set1(1.0f), vf_add(e, vf_set1(1.0f)));
    vf g = vf_mul(vf_mul(e, vf_load(rate)), p);
    sum->check = vf_add(sum->check, g);
    count_loss(sum, n < LANES ? vf_select(vm_first(n), p, vf_set1(1.0f)) : p);
    return g;
}

static INLINE void prefetch(const float *line)
{
    __builtin_prefetch(line, 1, 3);
}

static INLINE void score_tile(int inputs, int outputs, float *const *x, const group *to,
    int64_t stride, float *gradients, const float *fetch, tally *sum)
{
    vf sums[PLACES];
    int kind = to->has_word ? outputs : 0;
    const float *power = to->scale->power[kind], *rate = to->scale->rate[kind];
    UNROLL for (int i = 0; i < inputs * outputs; i++) sums[i] = vf_zero();
    UNROLL_TWICE for (int64_t k = 0; k < stride; k += LANES)
    {
        vf a[TILE_INPUTS];
        if (k % RKI_W2V_ALIGN == 0) prefetch(fetch + k);
        UNROLL for (int i = 0; i < inputs; i++) a[i] = vf_load(x[i] + k);
        UNROLL for (int j = 0; j < outputs; j++)
        {
            vf b = vf_load(to->rows[j] + k);
            UNROLL for (int i = 0; i < inputs; i++) sums[i * outputs + j] =
                vf_fma(a[i], b, sums[i * outputs + j]);
        }
    }
    UNROLL for (int i = 0; i < inputs * outputs; i += LANES)
    {
        int n = inputs * outputs - i < LANES ? inputs * outputs - i : LANES;
        vf g = gradients_of(vf_sums(sums + i, n), n, power + i, rate + i, sum);
        vf_store(gradients + i, g);
    }
}

/* y += sum g x, x += sum g y in `chunks` vectors of columns. */
static INLINE void change_columns(int chunks, int outputs, float *const *x, int64_t inputs,
    const group *to, int64_t k, const float *gradients)
{
    const float *const *fetch = to->fetch;
    vf old[OUTPUTS][CHUNKS], fresh[OUTPUTS][CHUNKS];
    UNROLL for (int j = 0; j < outputs; j++) UNROLL for (int c = 0; c < chunks; c++) fresh[j][c] =
        old[j][c] = vf_load(to->rows[j] + k + c * LANES);
    for (int64_t i = 0; i < inputs; i++) {
        float *row = x[i] + k;
        const float *g = gradients + i * outputs;
        vf a[CHUNKS], b[CHUNKS];
        UNROLL for (int c = 0; c < chunks; c++) if ((k + c * LANES) % RKI_W2V_ALIGN == 0)
            prefetch(fetch[i] + k + c * LANES);
        UNROLL for (int c = 0; c < chunks; c++) b[c] = a[c] = vf_load(row + c * LANES);
        UNROLL for (int j = 0; j < outputs; j++)
        {
            vf scale = vf_set1(g[j]);
            UNROLL for (int c = 0; c < chunks; c++)
            {
                fresh[j][c] = vf_fma(scale, a[c], fresh[j][c]);
                b[c] = vf_fma(scale, old[j][c], b[c]);
            }
        }
        UNROLL for (int c = 0; c < chunks; c++) vf_store(row + c * LANES, b[c]);
    }
    UNROLL for (int j = 0; j < outputs; j++) UNROLL for (int c = 0; c < chunks; c++)
        vf_store(to->rows[j] + k + c * LANES, fresh[j][c]);
}

static INLINE void train_group(int outputs, float *const *x, int64_t inputs, const group *to,
    const rki_w2v_run *run, tally *sum)
{
    int64_t i = 0, k = 0, stride = run->stride;
    float *g = run->gradients;
    const float *const *fetch = to->fetch + inputs;
    for (; i + TILE_INPUTS <= inputs; i += TILE_INPUTS)
        score_tile(TILE_INPUTS, outputs, x + i, to, stride, g + i * outputs, *fetch++, sum);
    if (TILE_INPUTS > 2 && inputs - i >= 2) {
        score_tile(2, outputs, x + i, to, stride, g + i * outputs, *fetch, sum);
        i += 2;
    }
    if (i < inputs) score_tile(1, outputs, x + i, to, stride, g + i * outputs, *fetch, sum);
    for (; k + CHUNKS * LANES <= stride; k += CHUNKS * LANES)
        change_columns(CHUNKS, outputs, x, inputs, to, k, g);
    if (CHUNKS > 1 && k < stride) change_columns(1, outputs, x, inputs, to, k, g);
}

/* Dispatches to a body for each number of output rows. */
static INLINE void train_rows(int outputs, float *const *x, int64_t inputs, const group *to,
    const rki_w2v_run *run, tally *sum)
{
    switch (outputs) {
    case 1: train_group(1, x, inputs, to, run, sum); break;
    case 2: train_group(2, x, inputs, to, run, sum); break;
    case 3: train_group(3, x, inputs, to, run, sum); break;
    case 4: train_group(4, x, inputs, to, run, sum); break;
    case 5: train_group(5, x, inputs, to, run, sum); break;
    default: train_group(6, x, inputs, to, run, sum); break;
    }
}

/* Trains a group of output rows and fetches the first `count` of run->fetch. */
static void train_and_fetch(
    rki_w2v_run *run, int outputs, int64_t inputs, const group *to, int64_t count, tally *sum)
{
    int64_t with = fetched_with(inputs);
    for (int64_t i = count; i < with; i++)
        run->fetch[i] = to->rows[0]; /* which is here */
    train_rows(outputs, run->rows, inputs, to, run, sum);
    for (int64_t i = with; i < count; i++)
        for (int64_t k = 0; k < run->stride; k += RKI_W2V_ALIGN)
            prefetch(run->fetch[i] + k);
    run->pairs += inputs * outputs;
}

/* All output rows of word t against the input rows x; `fetched` rows are to be fetched. */
static INLINE void train_outputs(
    rki_w2v_run *run, int64_t t, int64_t inputs, int64_t fetched, const scales *scale, tally *sum)
{
    group to = {.has_word = 1, .scale = scale, .fetch = run->fetch};
    int outputs = 1;
    to.rows[0] = run->output + run->targets[t] * run->stride;
    for (int64_t k = 0; k < run->negatives; k++) {
        int32_t row = run->noise[k * run->pitch + t];
        if (row < 0) continue;
        if (outputs == OUTPUTS) {
            train_and_fetch(run, outputs, inputs, &to, fetched, sum);
            to.has_word = outputs = 0;
            fetched = 0;
        }
        to.rows[outputs++] = run->output + row * run->stride;
    }
    if (outputs > 0) train_and_fetch(run, outputs, inputs, &to, fetched, sum);
}

static int64_t collect_rows(rki_w2v_run *run, int64_t t)
{
    int64_t count = 0;
    for (int64_t i = t - run->left[t]; i <= t + run->right[t]; i++)
        if (i != t) run->rows[count++] = run->input + run->words[i] * run->stride;
    return count;
}

static void set_mean(rki_w2v_run *run, int64_t inputs)
{
    float *mean = run->mean, *before = mean + run->stride;
    vf scale = vf_set1(1.0f / (float)inputs);
    for (int64_t k = 0; k < run->stride; k += LANES) {
        vf sum = vf_zero();
        for (int64_t i = 0; i < inputs; i++)
            sum = vf_add(sum, vf_load(run->rows[i] + k));
        sum = vf_mul(sum, scale);
        vf_store(mean + k, sum);
        vf_store(before + k, sum);
    }
}

static void spread_mean(rki_w2v_run *run, float *const *rows, int64_t inputs)
{
    const float *mean = run->mean, *before = mean + run->stride;
    vf scale = vf_set1(run->spread > 0 ? run->spread : 1.0f / (float)inputs);
    for (int64_t k = 0; k < run->stride; k += LANES) {
        vf change = vf_mul(scale, vf_sub(vf_load(mean + k), vf_load(before + k)));
        for (int64_t i = 0; i < inputs; i++)
            vf_store(rows[i] + k, vf_add(vf_load(rows[i] + k), change));
    }
}

/* CBOW: the mean of the rows stands for them; rows[0] is kept aside meanwhile. */
static void train_mean(
    rki_w2v_run *run, int64_t t, int64_t inputs, int64_t fetched, const scales *scale, tally *sum)
{
    float *first = run->rows[0];
    set_mean(run, inputs);
    run->rows[0] = run->mean;
    train_outputs(run, t, 1, fetched, scale, sum);
    run->rows[0] = first;
    spread_mean(run, run->rows, inputs);
}

/* Lists the rows of word t that are not near yet: its output rows, and the input row that enters. */
static int64_t list_rows(const rki_w2v_run *run, int64_t t)
{
    const float **fetch = run->fetch;
    int64_t count = 0;
    if (t >= run->last || run->targets[t] < 0) return 0;
    fetch[count++] = run->output + run->targets[t] * run->stride;
    fetch[count++] = run->input + run->words[t + run->right[t]] * run->stride;
    for (int64_t k = 0; k < run->negatives; k++) {
        int32_t row = run->noise[k * run->pitch + t];
        if (row >= 0) fetch[count++] = run->output + row * run->stride;
    }
    return count;
}

static void kernel_train(rki_w2v_run *run)
{
    tally sum = {vf_set1(1.0f), vi_set1(0), vf_zero()};
    scales scale;
    set_scales(&scale, run->rate);
    for (int64_t t = run->first; t < run->last; t++) {
        if (run->words[t] < 0) continue;
        int64_t inputs = collect_rows(run, t);
        if (inputs == 0) continue;
        int64_t fetched = list_rows(run, t + AHEAD);
        if (run->cbow)
            train_mean(run, t, inputs, fetched, &scale, &sum);
        else
            train_outputs(run, t, inputs, fetched, &scale, &sum);
    }
    run->loss += loss_of(&sum);
    if (!(vf_sum(sum.check) < INFINITY)) run->diverged = 1;
}

#endif
