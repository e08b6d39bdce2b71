/* Training on the windows of a stretch of words, group after group: the equations are in
 * kernels.h. */
#ifndef RKI_WORD2VEC_KERNELS_WINDOW_H
#define RKI_WORD2VEC_KERNELS_WINDOW_H

#include "word2vec/kernels/block.h"

/* A group of words. Its input rows are those of words low .. high - 1, but for one that is in no
 * window. */
typedef struct group {
    int64_t first, words; /* no words: there is nothing to train */
    int64_t low, high;
    int64_t pairs; /* of a word and one in its window */
} group;

static INLINE group group_of(const rki_w2v_run *run, int64_t number)
{
    int64_t t = run->starts[number], left = run->left[t], right = run->right[t];
    group of = {
        .first = t, .words = 1, .low = t - left, .high = t + right + 1, .pairs = left + right};
    if (run->starts[number + 1] > t + 1 && run->words[t + 1] >= 0) {
        left = run->left[t + 1];
        right = run->right[t + 1];
        of.words = 2;
        of.pairs += left + right;
        if (t + 1 - left < of.low) of.low = t + 1 - left;
        if (t + 2 + right > of.high) of.high = t + 2 + right;
    }
    return of;
}

/* Lists a group's input rows, and which of its windows each is in. Returns how many they are. */
static INLINE int64_t collect_rows(rki_w2v_run *run, const group *of)
{
    int64_t count = 0, t = of->first, second = t + of->words - 1;
    int64_t low = t - run->left[t], span = run->left[t] + run->right[t];
    int64_t low2 = second - run->left[second];
    int64_t span2 = of->words > 1 ? run->left[second] + run->right[second] : -1;
    for (int64_t i = of->low; i < of->high; i++) {
        int in = (i - low <= span) & (i >= low) & (i != t);
        int in2 = (i - low2 <= span2) & (i >= low2) & (i != second);
        run->rows[count] = run->input + run->words[i] * run->stride;
        run->kinds[count] = (uint8_t)(in | in2 << 1);
        count += in | in2;
    }
    run->kinds[count] = 0;
    return count;
}

/* Trains a block and fetches the first `count` of run->fetch. */
static void train_and_fetch(
    rki_w2v_run *run, int outputs, const block *b, int64_t count, tally *sum)
{
    int64_t with = fetched_with(b->inputs);
    for (int64_t i = count; i < with; i++)
        run->fetch[i] = b->y[0]; /* which is here */
    train_block(outputs, b, sum);
    for (int64_t i = with; i < count; i++)
        for (int64_t k = 0; k < run->stride; k += RKI_W2V_ALIGN)
            prefetch(run->fetch[i] + k);
}

/* All output rows of a group against the input rows x, which make `pairs` pairs with its words;
 * `fetched` rows are to be fetched. */
static INLINE void train_outputs(rki_w2v_run *run, int64_t number, const group *of, block *b,
    const weights *by, int64_t pairs, int64_t fetched, tally *sum)
{
    int64_t own = of->words, k = 0;
    do {
        int outputs = (int)own;
        for (int j = 0; j < outputs; j++)
            b->y[j] = run->output + run->targets[of->first + j] * run->stride;
        for (; k < run->negatives && outputs < OUTPUTS; k++) {
            int32_t row = run->noise[k * run->pitch + number];
            if (row >= 0) b->y[outputs++] = run->output + row * run->stride;
        }
        if (outputs == 0) break;
        b->weights = &by[own];
        train_and_fetch(run, outputs, b, fetched, sum);
        run->pairs += pairs * (outputs - own + (own > 0));
        sum->empty += (ROW - outputs) * pairs + (own > 0 ? b->inputs * own - pairs : 0);
        own = fetched = 0;
    } while (k < run->negatives);
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

/* Lists the rows of a group that are not near yet: its output rows, and the input rows of words from
 * `known` on. */
static INLINE int64_t list_rows(
    const rki_w2v_run *run, int64_t number, const group *of, int64_t known)
{
    const float **fetch = run->fetch;
    int64_t count = 0;
    for (int64_t j = 0; j < of->words; j++)
        fetch[count++] = run->output + run->targets[of->first + j] * run->stride;
    for (int64_t k = 0; k < run->negatives; k++) {
        int32_t row = run->noise[k * run->pitch + number];
        if (row >= 0) fetch[count++] = run->output + row * run->stride;
    }
    for (int64_t i = known > of->low ? known : of->low; i < of->high; i++)
        fetch[count++] = run->input + run->words[i] * run->stride;
    return count;
}

static void train_group(rki_w2v_run *run, int64_t number, const group *of, const weights *by,
    int64_t fetched, tally *sum)
{
    int64_t inputs = collect_rows(run, of);
    block b = {.inputs = inputs,
        .stride = run->stride,
        .x = run->rows,
        .kinds = run->kinds,
        .gradients = run->gradients,
        .fetch = run->fetch};
    if (run->cbow) {
        /* the mean of the rows stands for them */
        const uint8_t kinds[] = {1, 0};
        b.inputs = 1;
        b.x = &run->mean;
        b.kinds = kinds;
        set_mean(run, inputs);
        train_outputs(run, number, of, &b, by, 1, fetched, sum);
        spread_mean(run, run->rows, inputs);
    } else {
        train_outputs(run, number, of, &b, by, of->pairs, fetched, sum);
    }
}

static void kernel_train(rki_w2v_run *run)
{
    tally sum = {vf_set1(1.0f), vi_set1(0), vf_zero(), 0};
    weights by[RKI_W2V_TOGETHER + 1];
    group next = {0};
    for (int own = 0; own <= RKI_W2V_TOGETHER; own++)
        set_weights(&by[own], own, run->rate);
    if (run->first < run->last) next = group_of(run, run->first);
    for (int64_t g = run->first; g < run->last; g++) {
        group now = next;
        int64_t fetched = 0;
        if (g + 1 < run->last) {
            next = group_of(run, g + 1);
            fetched = list_rows(run, g + 1, &next, now.high);
        }
        if (now.pairs > 0) train_group(run, g, &now, by, fetched, &sum);
    }
    run->loss += loss_of(&sum);
    if (!(vf_sum(sum.check) < INFINITY)) run->diverged = 1;
}

#endif
