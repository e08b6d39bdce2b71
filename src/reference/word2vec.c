/* Training of word vectors, block by block and word after word, as backend/word2vec.h has it. */
#include "reference/reference.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

/* What the scratch holds: a block's words, then a window's numbers. */
typedef struct desk {
    int32_t *words, *places, *reach; /* [block + 2 halo] */
    int32_t *noise;                  /* [negatives] */
    int64_t *rows;                   /* [2 window] first elements of the window's input rows */
    double *g;                       /* [2 window + 1][RKI_WORD2VEC_OUTPUTS] */
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
    int64_t words = of->block + 2 * of->halo, window = 2 * of->window + 1;
    d.words = cut(block, &d.bytes, words, sizeof(int32_t));
    d.places = cut(block, &d.bytes, words, sizeof(int32_t));
    d.reach = cut(block, &d.bytes, words, sizeof(int32_t));
    d.noise = cut(block, &d.bytes, of->negatives, sizeof(int32_t));
    d.rows = cut(block, &d.bytes, window, sizeof(int64_t));
    d.g = cut(block, &d.bytes, window * RKI_WORD2VEC_OUTPUTS, sizeof(double));
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

static void draw_noise(run *r, int64_t t)
{
    const rki_word2vec_train *call = r->call;
    const uint32_t *limits = call->limits;
    const int32_t *aliases = call->aliases;
    for (int64_t k = 0; k < call->of.negatives; k++) {
        philox4x32_ctr_t drawn = draw(r, r->at.places[t], (uint32_t)(1 + k / 2));
        uint32_t u = drawn.v[2 * (k % 2)], v = drawn.v[2 * (k % 2) + 1];
        int32_t column = (int32_t)((uint64_t)u * (uint64_t)call->of.size >> 32);
        int32_t row = v < limits[column] ? column : aliases[column];
        int again = row == r->at.words[t];
        for (int64_t j = 0; j < k; j++)
            again |= r->at.noise[j] == row;
        r->at.noise[k] = again ? -1 : row;
    }
}

/* The first elements of the window's input rows; returns how many. */
static int64_t find_rows(run *r, int64_t t)
{
    int64_t count = 0;
    for (int side = -1; side <= 1; side += 2)
        for (int64_t i = 1; i <= r->at.reach[t]; i++) {
            int64_t at = t + side * i;
            if (at < 0 || at >= r->kept || r->at.words[at] < 0) break;
            r->at.rows[count++] = r->at.words[at] * r->call->of.stride;
        }
    return count;
}

static double count_pair(run *r, double score, int label)
{
    double s = label ? score : -score;
    s = s < -40.0 ? -40.0 : s > 40.0 ? 40.0 : s;
    double p = 1.0 / (1.0 + exp(-s));
    r->tally[0] -= log(p);
    r->tally[1]++;
    if (isnan(score)) r->tally[3] = 1;
    return (label ? r->rate : -r->rate) * exp(-s) * p;
}

/* Input rows against output rows ids[0 .. outputs - 1]; `mean` stands for the input rows if given. */
static void train_group(
    run *r, int64_t inputs, double *mean, const int32_t *ids, int outputs, int has_word)
{
    const rki_reference *device = r->device;
    const rki_word2vec_train *call = r->call;
    int64_t stride = call->of.stride;
    for (int64_t i = 0; i < inputs; i++)
        for (int j = 0; j < outputs; j++) {
            double score = 0.0;
            for (int64_t k = 0; k < stride; k++)
                score += (mean ? mean[k] : get(device, call->input, r->at.rows[i] + k)) *
                         get(device, call->output, ids[j] * stride + k);
            r->at.g[i * RKI_WORD2VEC_OUTPUTS + j] = count_pair(r, score, has_word && j == 0);
        }
    for (int64_t k = 0; k < stride; k++) {
        double y[RKI_WORD2VEC_OUTPUTS], dy[RKI_WORD2VEC_OUTPUTS] = {0};
        for (int j = 0; j < outputs; j++)
            y[j] = get(device, call->output, ids[j] * stride + k);
        for (int64_t i = 0; i < inputs; i++) {
            double x = mean ? mean[k] : get(device, call->input, r->at.rows[i] + k), dx = 0.0;
            for (int j = 0; j < outputs; j++) {
                double g = r->at.g[i * RKI_WORD2VEC_OUTPUTS + j];
                dy[j] += g * x;
                dx += g * y[j];
            }
            if (mean)
                mean[k] += dx;
            else
                add(device, call->input, r->at.rows[i] + k, dx);
        }
        for (int j = 0; j < outputs; j++)
            add(device, call->output, ids[j] * stride + k, dy[j]);
    }
}

static void train_outputs(run *r, int64_t t, int64_t inputs, double *mean)
{
    int32_t ids[RKI_WORD2VEC_OUTPUTS] = {r->at.words[t]};
    int outputs = 1, has_word = 1;
    for (int64_t k = 0; k < r->call->of.negatives; k++) {
        if (r->at.noise[k] < 0) continue;
        if (outputs == RKI_WORD2VEC_OUTPUTS) {
            train_group(r, inputs, mean, ids, outputs, has_word);
            outputs = has_word = 0;
        }
        ids[outputs++] = r->at.noise[k];
    }
    if (outputs > 0) train_group(r, inputs, mean, ids, outputs, has_word);
}

static void train_mean(run *r, int64_t t, int64_t inputs)
{
    const rki_word2vec_train *call = r->call;
    double spread = call->of.spread > 0.0 ? call->of.spread : 1.0 / (double)inputs;
    for (int64_t k = 0; k < call->of.stride; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < inputs; i++)
            sum += get(r->device, call->input, r->at.rows[i] + k);
        r->at.x[k] = r->at.old[k] = sum / (double)inputs;
    }
    train_outputs(r, t, 1, r->at.x);
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t k = 0; k < call->of.stride; k++)
            add(r->device, call->input, r->at.rows[i] + k, spread * (r->at.x[k] - r->at.old[k]));
}

int32_t rki_reference_word2vec_train(void *self, const rki_word2vec_train *call)
{
    run r = {.device = self, .call = call, .at = lay_out(&call->of, call->scratch)};
    for (int64_t b = 0; call->begin + b * call->of.block < call->end; b++) {
        int64_t begin = call->begin + b * call->of.block, end = begin + call->of.block;
        memset(r.tally, 0, sizeof r.tally);
        r.rate = (double)call->rates[b];
        keep_words(&r, begin, end < call->end ? end : call->end);
        for (int64_t t = r.first; t < r.last; t++) {
            int64_t inputs = r.at.words[t] < 0 ? 0 : find_rows(&r, t);
            if (inputs == 0) continue;
            draw_noise(&r, t);
            if (call->of.cbow)
                train_mean(&r, t, inputs);
            else
                train_outputs(&r, t, inputs, NULL);
        }
        memcpy(call->tallies + b * RKI_WORD2VEC_TALLY, r.tally, sizeof r.tally);
    }
    return RNNKIT_OK;
}
