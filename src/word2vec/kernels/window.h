/* Training on the windows of a stretch of words, group after group: the equations are in
 * kernels.h. */
#ifndef RKI_WORD2VEC_KERNELS_WINDOW_H
#define RKI_WORD2VEC_KERNELS_WINDOW_H

#include "word2vec/kernels/block.h"

/* A group of words. Its input rows are those of words low .. high - 1, but for a word alone, which is
 * not in its own window. */
typedef struct group {
    int64_t first, words;
    int64_t low, high;
    int64_t pairs; /* of a word and one in its window */
    int64_t drawn; /* noise words whose rows are or were in y */
    int outputs;
    float *y[OUTPUTS];
} group;

/* Takes rows of noise words to y while there is room. */
static INLINE void add_noise(const rki_w2v_run *run, int64_t number, group *to)
{
    for (; to->drawn < run->negatives && to->outputs < OUTPUTS; to->drawn++) {
        int32_t row = run->noise[to->drawn * run->pitch + number];
        if (row >= 0) to->y[to->outputs++] = run->output + row * run->stride;
    }
}

static INLINE void set_group(const rki_w2v_run *run, int64_t number, group *to)
{
    int64_t t = run->starts[number], left = run->left[t], right = run->right[t];
    to->first = t;
    to->words = 1;
    to->low = t - left;
    to->high = t + right + 1;
    to->pairs = left + right;
    to->y[0] = run->output + run->targets[t] * run->stride;
    if (run->starts[number + 1] > t + 1 && run->words[t + 1] >= 0) {
        left = run->left[t + 1];
        right = run->right[t + 1];
        to->words = 2;
        to->pairs += left + right;
        if (t + 1 - left < to->low) to->low = t + 1 - left;
        if (t + 2 + right > to->high) to->high = t + 2 + right;
        to->y[1] = run->output + run->targets[t + 1] * run->stride;
    }
    to->outputs = (int)to->words;
    to->drawn = 0;
    add_noise(run, number, to);
}

/* Finds the input rows of words from `known` on, and lists them and the output rows: those of a group
 * that are not near yet. */
static INLINE int64_t list_rows(rki_w2v_run *run, const group *of, int64_t known)
{
    const float **fetch = run->fetch;
    int64_t count = 0;
    for (int j = 0; j < of->outputs; j++)
        fetch[count++] = of->y[j];
    for (int64_t i = known > of->low ? known : of->low; i < of->high; i++)
        fetch[count++] = run->rows[i] = run->input + run->words[i] * run->stride;
    return count;
}

/* `bit` where a row, numbered from the start of word t's window, is in it and not the word's own. */
static INLINE vi in_window(const rki_w2v_run *run, int64_t t, vi row, int32_t bit)
{
    vm self = vi_equal(row, vi_set1(run->left[t]));
    vm in = vu_less(row, vi_set1(run->left[t] + run->right[t] + 1));
    return vi_select(self, vi_set1(0), vi_select(in, vi_set1(bit), vi_set1(0)));
}

/* For two words, which windows each input row is in. */
static INLINE void set_kinds(const rki_w2v_run *run, const group *of)
{
    int64_t t = of->first, count = of->high - of->low;
    vi row = vi_add(vi_count(), vi_set1((int32_t)(of->low - t + run->left[t])));
    vi row2 = vi_add(vi_count(), vi_set1((int32_t)(of->low - t - 1 + run->left[t + 1])));
    for (int64_t i = 0; i <= count; i += LANES) {
        vi step = vi_set1((int32_t)i);
        vi in = in_window(run, t, vi_add(row, step), 1);
        vi_store(run->kinds + i, vi_add(in, in_window(run, t + 1, vi_add(row2, step), 2)));
    }
}

static INLINE void fill_kinds(const rki_w2v_run *run, int64_t inputs)
{
    for (int64_t i = 0; i < inputs; i++)
        run->kinds[i] = 1;
    run->kinds[inputs] = 0;
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

/* All output rows of a group against the input rows of a block, which make `pairs` pairs with its
 * words; `fetched` rows are to be fetched. */
static INLINE void train_outputs(rki_w2v_run *run, int64_t number, group *of, block *b,
    const weights *by, int64_t pairs, int64_t fetched, tally *sum)
{
    int64_t own = of->words;
    while (of->outputs > 0) {
        b->weights = &by[own];
        train_and_fetch(run, of->outputs, b, fetched, sum);
        run->pairs += pairs * (of->outputs - own + (own > 0));
        sum->empty += (ROW - of->outputs) * pairs + (own > 0 ? b->inputs * own - pairs : 0);
        own = fetched = of->outputs = 0;
        add_noise(run, number, of);
    }
}

static void set_mean(const rki_w2v_run *run, float *const *rows, int64_t inputs)
{
    float *mean = run->mean, *before = mean + run->stride;
    vf scale = vf_set1(1.0f / (float)inputs);
    for (int64_t k = 0; k < run->stride; k += LANES) {
        vf sum = vf_zero();
        for (int64_t i = 0; i < inputs; i++)
            sum = vf_add(sum, vf_load(rows[i] + k));
        sum = vf_mul(sum, scale);
        vf_store(mean + k, sum);
        vf_store(before + k, sum);
    }
}

static void spread_mean(const rki_w2v_run *run, float *const *rows, int64_t inputs)
{
    const float *mean = run->mean, *before = mean + run->stride;
    vf scale = vf_set1(run->spread > 0 ? run->spread : 1.0f / (float)inputs);
    for (int64_t k = 0; k < run->stride; k += LANES) {
        vf change = vf_mul(scale, vf_sub(vf_load(mean + k), vf_load(before + k)));
        for (int64_t i = 0; i < inputs; i++)
            vf_store(rows[i] + k, vf_add(vf_load(rows[i] + k), change));
    }
}

static void train_group(
    rki_w2v_run *run, int64_t number, group *of, const weights *by, int64_t fetched, tally *sum)
{
    float **rows = run->rows, *self = rows[of->first];
    block b = {.inputs = of->high - of->low,
        .stride = run->stride,
        .x = rows + of->low,
        .kinds = run->kinds,
        .y = of->y,
        .gradients = run->gradients,
        .fetch = run->fetch};
    if (of->words == 2) {
        set_kinds(run, of);
        train_outputs(run, number, of, &b, by, of->pairs, fetched, sum);
        return;
    }
    rows[of->first] = rows[of->high - 1]; /* where its own was */
    int64_t inputs = --b.inputs;
    if (run->cbow) { /* the mean of the rows stands for them */
        float *const *all = b.x;
        b.inputs = 1;
        b.x = &run->mean;
        set_mean(run, all, inputs);
        fill_kinds(run, 1);
        train_outputs(run, number, of, &b, by, 1, fetched, sum);
        spread_mean(run, all, inputs);
    } else {
        fill_kinds(run, inputs);
        train_outputs(run, number, of, &b, by, of->pairs, fetched, sum);
    }
    rows[of->first] = self;
}

static void kernel_train(rki_w2v_run *run)
{
    enum { MOST_AHEAD = 2 };
    tally sum = {vf_set1(1.0f), vi_set1(0), vf_zero(), 0};
    weights by[RKI_WORD2VEC_GROUP + 1];
    group groups[MOST_AHEAD + 1];
    /* a group is set up and its rows are fetched while one two words before it is trained: what is
     * fetched earlier another thread may write again */
    int64_t ahead = run->cbow ? 2 : 1, known = run->groups > 0 ? run->starts[0] : 0;
    for (int own = 0; own <= RKI_WORD2VEC_GROUP; own++)
        set_weights(&by[own], own, run->rate);
    /* the windows that come may reach back further than the first */
    for (int64_t i = 0; i < known; i++)
        if (run->words[i] >= 0) run->rows[i] = run->input + run->words[i] * run->stride;
    for (int64_t g = 0; g < run->groups + ahead; g++) {
        int64_t fetched = 0;
        if (g < run->groups) {
            group *next = &groups[g % (MOST_AHEAD + 1)];
            set_group(run, g, next);
            fetched = list_rows(run, next, known);
            if (next->high > known) known = next->high;
        }
        if (g < ahead) continue;
        group *now = &groups[(g - ahead) % (MOST_AHEAD + 1)];
        if (now->pairs > 0) train_group(run, g - ahead, now, by, fetched, &sum);
    }
    run->loss += loss_of(&sum);
    if (!(vf_sum(sum.check) < INFINITY)) run->diverged = 1;
}

#endif
