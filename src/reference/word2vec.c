/* Training of word vectors, block by block and group after group, as backend/word2vec.h has it. */
#include "reference/reference.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

enum { GROUP = RKI_WORD2VEC_GROUP };

/* What the scratch holds: a block's words, then a group's numbers. */
typedef struct desk {
    int32_t *words, *places, *reach; /* [block + 2 halo] */
    int32_t *noise;                  /* [negatives] */
    int64_t *rows;                   /* [2 window + GROUP] first elements of the input rows */
    int32_t (*in)[GROUP];            /* [2 window + GROUP] whether each is in a word's window */
    double *g;                       /* [2 window + GROUP][RKI_WORD2VEC_OUTPUTS] */
    double *x, *old;                 /* [2][stride]: a mean and what it was */
    size_t bytes;
} desk;

static void *cut(char *block, size_t *used, int64_t count, size_t size)
{
    char *at = block == NULL ? NULL : block + *used;
    *used += ((size_t)count * size + 63) / 64 * 64;
    return at;
}

static desk lay_out(const rki_word2vec *of, void *block)
{
    desk d = {0};
    int64_t words = of->block + 2 * of->halo, rows = 2 * of->window + GROUP;
    d.words = cut(block, &d.bytes, words, sizeof(int32_t));
    d.places = cut(block, &d.bytes, words, sizeof(int32_t));
    d.reach = cut(block, &d.bytes, words, sizeof(int32_t));
    d.noise = cut(block, &d.bytes, of->negatives, sizeof(int32_t));
    d.rows = cut(block, &d.bytes, rows, sizeof(int64_t));
    d.in = cut(block, &d.bytes, rows, sizeof *d.in);
    d.g = cut(block, &d.bytes, rows * RKI_WORD2VEC_OUTPUTS, sizeof(double));
    d.x = cut(block, &d.bytes, of->stride, sizeof(double));
    d.old = cut(block, &d.bytes, of->stride, sizeof(double));
    return d;
}

int32_t rki_reference_word2vec_scratch(void *self, const rki_word2vec *of, size_t *bytes)
{
    (void)self;
    *bytes = lay_out(of, NULL).bytes;
    return RNNKIT_OK;
}

typedef struct run {
    const rki_reference *device;
    const rki_word2vec_train *call;
    desk at;
    int64_t kept, first, last; /* words of the block and around it; those of the block */
    double rate;
    double tally[RKI_WORD2VEC_TALLY];
} run;

static philox4x32_ctr_t draw(const run *r, int64_t token, uint32_t number)
{
    const rki_word2vec_train *call = r->call;
    uint64_t place = (uint64_t)(call->base + token);
    philox4x32_ctr_t counter = {{(uint32_t)place, (uint32_t)(place >> 32), call->pass, number}};
    philox4x32_key_t key = {{call->key[0], call->key[1]}};
    return philox4x32(counter, key);
}

/* Which tokens of the block and around it are kept, and how far their windows would reach. */
static void keep_words(run *r, int64_t begin, int64_t end)
{
    const rki_word2vec_train *call = r->call;
    const rki_word2vec *of = &call->of;
    const uint32_t *keep = (const uint32_t *)call->keep + 1;
    int64_t from = begin > of->halo ? begin - of->halo : 0;
    int64_t to = call->count - end > of->halo ? end + of->halo : call->count;
    r->kept = r->first = r->last = 0;
    for (int64_t i = from; i < to; i++) {
        philox4x32_ctr_t drawn = draw(r, i, 0);
        int inside = i >= begin && i < end;
        if (inside && call->tokens[i] >= 0) r->tally[2]++;
        if ((drawn.v[0] & ~1u) >= keep[call->tokens[i]]) continue;
        r->at.words[r->kept] = call->tokens[i];
        r->at.places[r->kept] = (int32_t)i;
        r->at.reach[r->kept] = (int32_t)of->window;
        if (of->shrink)
            r->at.reach[r->kept] = 1 + (int32_t)((uint64_t)drawn.v[1] * (uint64_t)of->window >> 32);
        r->kept++;
        r->first += i < begin;
        r->last += i < end;
    }
}

typedef struct group {
    int64_t first, words;
    int64_t inputs; /* input rows: the first of the desk's */
    double *mean;   /* stands for them, if given */
} group;

/* The group that begins with word t. */
static group find_group(const run *r, int64_t t)
{
    const int32_t *words = r->at.words + t;
    int two = !r->call->of.cbow && t + 1 < r->last && words[1] >= 0 && words[1] != words[0];
    return (group){.first = t, .words = two ? 2 : 1};
}

static void draw_noise(run *r, const group *of)
{
    const rki_word2vec_train *call = r->call;
    const uint32_t *limits = call->limits;
    const int32_t *aliases = call->aliases, *words = r->at.words + of->first;
    for (int64_t k = 0; k < call->of.negatives; k++) {
        philox4x32_ctr_t drawn = draw(r, r->at.places[of->first], (uint32_t)(1 + k / 2));
        uint32_t u = drawn.v[2 * (k % 2)], v = drawn.v[2 * (k % 2) + 1];
        int32_t column = (int32_t)((uint64_t)u * (uint64_t)call->of.size >> 32);
        int32_t row = v < limits[column] ? column : aliases[column];
        int again = row == words[0] || row == words[of->words - 1];
        for (int64_t j = 0; j < k; j++)
            again |= r->at.noise[j] == row;
        r->at.noise[k] = again ? -1 : row;
    }
}

/* A word and those up to which its window goes. */
typedef struct window {
    int64_t word, first, last;
} window;

static window find_window(const run *r, int64_t t)
{
    const int32_t *words = r->at.words;
    window of = {t, t, t};
    while (t - of.first < r->at.reach[t] && of.first > 0 && words[of.first - 1] >= 0)
        of.first--;
    while (of.last - t < r->at.reach[t] && of.last + 1 < r->kept && words[of.last + 1] >= 0)
        of.last++;
    return of;
}

static int has(const window *of, int64_t i)
{
    return i != of->word && i >= of->first && i <= of->last;
}

/* The input rows of the group's windows. */
static void find_rows(run *r, group *of)
{
    window a = find_window(r, of->first), b = find_window(r, of->first + of->words - 1);
    int64_t first = a.first < b.first ? a.first : b.first, last = a.last > b.last ? a.last : b.last;
    for (int64_t i = first; i <= last; i++) {
        if (!has(&a, i) && !has(&b, i)) continue;
        r->at.in[of->inputs][0] = has(&a, i);
        r->at.in[of->inputs][1] = of->words > 1 && has(&b, i);
        r->at.rows[of->inputs++] = r->at.words[i] * r->call->of.stride;
    }
}

/* Counts a pair that is there so many times; returns its g. */
static double count_pair(run *r, double score, int label, int times)
{
    double s = label ? score : -score;
    s = s < -40.0 ? -40.0 : s > 40.0 ? 40.0 : s;
    double p = 1.0 / (1.0 + exp(-s));
    r->tally[0] -= times * log(p);
    r->tally[1] += times;
    if (isnan(score)) r->tally[3] = 1;
    return (label ? r->rate : -r->rate) * times * exp(-s) * p;
}

static double get_input(const run *r, const group *of, int64_t i, int64_t k)
{
    return of->mean ? of->mean[k] : get(r->device, r->call->input, r->at.rows[i] + k);
}

/* The input rows against output rows ids[0 .. outputs - 1], the first `own` of which are the words'. */
static void train_rows(run *r, const group *of, const int32_t *ids, int outputs, int own)
{
    const rki_reference *device = r->device;
    const rki_word2vec_train *call = r->call;
    int64_t stride = call->of.stride, inputs = of->mean ? 1 : of->inputs;
    for (int64_t i = 0; i < inputs; i++)
        for (int j = 0; j < outputs; j++) {
            const int32_t *in = r->at.in[i];
            int times = of->mean ? 1 : j < own ? in[j] : in[0] + in[1];
            double score = 0.0;
            for (int64_t k = 0; k < stride; k++)
                score += get_input(r, of, i, k) * get(device, call->output, ids[j] * stride + k);
            r->at.g[i * RKI_WORD2VEC_OUTPUTS + j] = count_pair(r, score, j < own, times);
        }
    for (int64_t k = 0; k < stride; k++) {
        double y[RKI_WORD2VEC_OUTPUTS], dy[RKI_WORD2VEC_OUTPUTS] = {0};
        for (int j = 0; j < outputs; j++)
            y[j] = get(device, call->output, ids[j] * stride + k);
        for (int64_t i = 0; i < inputs; i++) {
            double x = get_input(r, of, i, k), dx = 0.0;
            for (int j = 0; j < outputs; j++) {
                double g = r->at.g[i * RKI_WORD2VEC_OUTPUTS + j];
                dy[j] += g * x;
                dx += g * y[j];
            }
            if (of->mean)
                of->mean[k] += dx;
            else
                add(device, call->input, r->at.rows[i] + k, dx);
        }
        for (int j = 0; j < outputs; j++)
            add(device, call->output, ids[j] * stride + k, dy[j]);
    }
}

static void train_group(run *r, const group *of)
{
    int32_t ids[RKI_WORD2VEC_OUTPUTS];
    int outputs = (int)of->words, own = outputs;
    memcpy(ids, r->at.words + of->first, (size_t)own * sizeof *ids);
    for (int64_t k = 0; k < r->call->of.negatives; k++) {
        if (r->at.noise[k] < 0) continue;
        if (outputs == RKI_WORD2VEC_OUTPUTS) {
            train_rows(r, of, ids, outputs, own);
            outputs = own = 0;
        }
        ids[outputs++] = r->at.noise[k];
    }
    if (outputs > 0) train_rows(r, of, ids, outputs, own);
}

static void train_mean(run *r, group *of)
{
    const rki_word2vec_train *call = r->call;
    double share = 1.0 / (double)of->inputs, spread = call->of.spread;
    for (int64_t k = 0; k < call->of.stride; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < of->inputs; i++)
            sum += get_input(r, of, i, k);
        r->at.x[k] = r->at.old[k] = share * sum;
    }
    of->mean = r->at.x;
    train_group(r, of);
    for (int64_t i = 0; i < of->inputs; i++)
        for (int64_t k = 0; k < call->of.stride; k++)
            add(r->device, call->input, r->at.rows[i] + k,
                (spread > 0.0 ? spread : share) * (r->at.x[k] - r->at.old[k]));
}

/* Trains the group that begins with word t; returns how many words it has. */
static int64_t train_from(run *r, int64_t t)
{
    if (r->at.words[t] < 0) return 1;
    group of = find_group(r, t);
    find_rows(r, &of);
    draw_noise(r, &of);
    if (of.inputs > 0 && r->call->of.cbow)
        train_mean(r, &of);
    else if (of.inputs > 0)
        train_group(r, &of);
    return of.words;
}

int32_t rki_reference_word2vec_train(void *self, const rki_word2vec_train *call)
{
    run r = {.device = self, .call = call, .at = lay_out(&call->of, call->scratch)};
    for (int64_t b = 0; call->begin + b * call->of.block < call->end; b++) {
        int64_t begin = call->begin + b * call->of.block, end = begin + call->of.block;
        memset(r.tally, 0, sizeof r.tally);
        r.rate = (double)call->rates[b];
        keep_words(&r, begin, end < call->end ? end : call->end);
        for (int64_t t = r.first; t < r.last;)
            t += train_from(&r, t);
        memcpy(call->tallies + b * RKI_WORD2VEC_TALLY, r.tally, sizeof r.tally);
    }
    return RNNKIT_OK;
}
