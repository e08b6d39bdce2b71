/* Training of word vectors: the windows. See word2vec.cuh; the equations are in backend/word2vec.h.
 *
 * A warp is a block of its own. It walks along its stretch of words with the input rows of all words
 * up to `window` to each side in shared memory: a row is read from global memory once, when its word
 * comes near, and what changed of it is added there once, when its word is out of reach. So a row
 * meets all groups around it for one read and one addition (Randall, Allen and Ge, "FULL-W2V", ICS
 * 2021; but a group's pairs are scored together here and reduced in one go, and no barrier is
 * wider than the warp). Output rows stay in shared memory for their group alone. Changes of both
 * are atomic additions, so that no warp's work undoes another's; rows are read past the first-level
 * cache, which would go on showing what they were.
 */
#include <math.h>

#include "lanes.cuh"
#include "shared.cuh"
#include "word2vec.cuh"

enum {
    WARP = 32,
    GROUP = RKI_WORD2VEC_GROUP,
    OUTPUTS = RKI_WORD2VEC_OUTPUTS,
    INPUTS = WARP / OUTPUTS, /* rows scored together: a lane for each score */
};

/* A word's plan: how far its window reaches, the words of the group that begins with it, its row;
 * behind these its noise words. */
enum { LEFT, RIGHT, WORDS, WORD, NOISE };

static const unsigned ALL = 0xFFFFFFFFu;

/* The warp's shared memory, in floats. Slot n of values and changes has the row of word n modulo
 * `ring`; with CBOW there is one more slot, for the mean. */
struct window_layout {
    int stride, ring, changes, outputs, gradients, plan;
    __device__ explicit window_layout(const rki_cuda_word2vec &c)
        : stride((int)c.stride), ring(2 * (int)c.window + GROUP),
          changes((ring + (c.cbow ? 1 : 0)) * stride), outputs(2 * changes),
          gradients(outputs + OUTPUTS * stride), plan(gradients + (ring * OUTPUTS + 3) / 4 * 4)
    {
    }
};

size_t rki_cuda_window_bytes(const rki_word2vec *of)
{
    /* in 64 bits: any option's value must come out as too large, not as small */
    uint64_t ring = 2 * (uint64_t)of->window + GROUP;
    uint64_t rows = 2 * (ring + (of->cbow ? 1 : 0)) + OUTPUTS;
    uint64_t floats =
        rows * (uint64_t)of->stride + ring * OUTPUTS + 4 + (NOISE + (uint64_t)of->negatives) * WARP;
    return (size_t)(floats * sizeof(float));
}

struct walk {
    const rki_cuda_word2vec &c;
    window_layout at;
    float *values, *changes, *outputs, *gradients;
    int32_t *plan;
    const int32_t *words; /* of the block */
    int kept;
    float rate;
    double loss; /* the lane's */
    int pairs, diverged;

    __device__ walk(const rki_cuda_word2vec &call, int64_t block)
        : c(call), at(call), values(reinterpret_cast<float *>(rki_cuda_shared())),
          changes(values + at.changes), outputs(values + at.outputs),
          gradients(values + at.gradients), plan(reinterpret_cast<int32_t *>(values + at.plan)),
          words(call.words + block * call.pitch), kept(call.extents[block].kept),
          rate(call.rates[block]), loss(0.0), pairs(0), diverged(0)
    {
    }
    __device__ int32_t planned(int what, int word) const
    {
        return plan[what * WARP + word];
    }
};

static __device__ float4 *quad(float *at)
{
    return reinterpret_cast<float4 *>(at);
}

static __device__ void add_to(float4 *sum, float scale, const float4 &v)
{
    sum->x = fmaf(scale, v.x, sum->x);
    sum->y = fmaf(scale, v.y, sum->y);
    sum->z = fmaf(scale, v.z, sum->z);
    sum->w = fmaf(scale, v.w, sum->w);
}

/* Four numbers at once where the device can. */
static __device__ void add_atomically(float *to, const float4 &v)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
    atomicAdd(to, v.x);
    atomicAdd(to + 1, v.y);
    atomicAdd(to + 2, v.z);
    atomicAdd(to + 3, v.w);
#else
    atomicAdd(quad(to), v);
#endif
}

/* Input rows come and go. */

static __device__ void load_input(walk *w, int i)
{
    if (i < 0 || i >= w->kept || w->words[i] < 0) return;
    const float *from = w->c.input + w->words[i] * w->c.stride;
    int slot = i % w->at.ring * w->at.stride;
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP) {
        *quad(w->values + slot + k) = __ldcg(reinterpret_cast<const float4 *>(from + k));
        *quad(w->changes + slot + k) = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
}

static __device__ void store_input(walk *w, int i)
{
    if (i < 0 || i >= w->kept || w->words[i] < 0) return;
    float *to = w->c.input + w->words[i] * w->c.stride;
    int slot = i % w->at.ring * w->at.stride;
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP)
        add_atomically(to + k, *quad(w->changes + slot + k));
}

/* Plans of the next words: a lane for each. */

/* The noise words of the group that begins with words[0] and ends with words[last]. */
static __device__ void plan_noise(walk *w, int64_t token, const int32_t *words, int last)
{
    const rki_cuda_word2vec &c = w->c;
    philox4x32_ctr_t drawn = {};
    for (int k = 0; k < (int)c.negatives; k++) {
        if (k % 2 == 0) drawn = rki_cuda_token_draw(c, token, 1 + k / 2);
        uint32_t u = k % 2 ? drawn.v[2] : drawn.v[0], v = k % 2 ? drawn.v[3] : drawn.v[1];
        int32_t column = (int32_t)__umulhi(u, static_cast<uint32_t>(c.size));
        int32_t row = v < c.limits[column] ? column : c.aliases[column];
        int again = row == words[0] || row == words[last];
        for (int j = 0; j < k; j++)
            again |= w->planned(NOISE + j, threadIdx.x) == row;
        w->plan[(NOISE + k) * WARP + threadIdx.x] = again ? -1 : row;
    }
}

static __device__ void plan_words(walk *w, int64_t block, int first, int last)
{
    int t = first + (int)threadIdx.x;
    int32_t word = t < last ? w->words[t] : -1;
    w->plan[WORD * WARP + threadIdx.x] = word;
    w->plan[WORDS * WARP + threadIdx.x] = 1;
    if (word >= 0) {
        int64_t at = block * w->c.pitch + t;
        int reach = w->c.reach[at], left = 0, right = 0;
        int more = t + 1 < last && w->c.second[at + 1];
        while (left < reach && t - left > 0 && w->words[t - left - 1] >= 0)
            left++;
        while (right < reach && t + right + 1 < w->kept && w->words[t + right + 1] >= 0)
            right++;
        w->plan[LEFT * WARP + threadIdx.x] = left;
        w->plan[RIGHT * WARP + threadIdx.x] = right;
        w->plan[WORDS * WARP + threadIdx.x] = 1 + more;
        if (!w->c.second[at]) plan_noise(w, w->c.places[at], w->words + t, more);
    }
    __syncwarp();
}

/* Which words of a row are in a word's window, and the word. */
struct window {
    int word, left, right;

    __device__ int has(int i) const
    {
        return i != word && i >= word - left && i <= word + right;
    }
};

/* A group: the windows of its words, and its input rows, which are those of words `low` on, without
 * the own one of a word that is alone. */
struct group {
    window first, second;
    int words, low, inputs, pairs;
    int mean; /* CBOW's slot is the one input row */

    __device__ group(const walk *w, int t, int planned)
        : first{t, w->planned(LEFT, planned), w->planned(RIGHT, planned)}, second(first),
          words(w->planned(WORDS, planned)), low(t - first.left), mean(0)
    {
        int high = t + first.right;
        pairs = first.left + first.right;
        if (words > 1) {
            second = {t + 1, w->planned(LEFT, planned + 1), w->planned(RIGHT, planned + 1)};
            if (t + 1 - second.left < low) low = t + 1 - second.left;
            if (t + 1 + second.right > high) high = t + 1 + second.right;
            pairs += second.left + second.right;
        }
        inputs = high - low + (words > 1);
    }
    /* the word of input row i */
    __device__ int at(int i) const
    {
        return low + i + (words == 1 && low + i >= first.word);
    }
    __device__ int slot(const walk *w, int i) const
    {
        return (mean ? w->at.ring : at(i) % w->at.ring) * w->at.stride;
    }
    /* how often input row i is paired with output row j, the first `own` of which are the words' */
    __device__ int times(int i, int j, int own) const
    {
        if (words == 1) return 1;
        int a = first.has(at(i)), b = second.has(at(i));
        return j >= own ? a + b : j == 0 ? a : b;
    }
};

/* The scores of input rows i .. i + INPUTS - 1 with the output rows become gradients. */
static __device__ void score_tile(walk *w, const group &of, int i, int rows, int outputs, int own)
{
    float sums[WARP][1] = {};
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP) {
        float4 y[OUTPUTS];
#pragma unroll
        for (int j = 0; j < OUTPUTS; j++)
            if (j < outputs) y[j] = *quad(w->outputs + j * w->at.stride + k);
#pragma unroll
        for (int r = 0; r < INPUTS; r++) {
            if (r >= rows) break;
            float4 x = *quad(w->values + of.slot(w, i + r) + k);
#pragma unroll
            for (int j = 0; j < OUTPUTS; j++) {
                if (j >= outputs) break;
                float sum = sums[r * OUTPUTS + j][0];
                sum = fmaf(x.x, y[j].x, sum);
                sum = fmaf(x.y, y[j].y, sum);
                sum = fmaf(x.z, y[j].z, sum);
                sums[r * OUTPUTS + j][0] = fmaf(x.w, y[j].w, sum);
            }
        }
    }
    rki_cuda_lanes_add_up<WARP / 2>(sums, (int)threadIdx.x);
    float score = sums[0][0];
    int r = threadIdx.x / OUTPUTS, j = threadIdx.x % OUTPUTS;
    if (r >= rows || j >= outputs) return;
    float sign = j < own ? 1.0f : -1.0f, s = score * sign;
    float times = (float)of.times(i + r, j, own);
    s = s < -40.0f ? -40.0f : s > 40.0f ? 40.0f : s; /* NaN passes */
    float e = expf(-s), p = 1.0f / (1.0f + e), g = e * p * w->rate * sign * times;
    w->gradients[(i + r) * OUTPUTS + j] = g;
    w->loss -= (double)(times * logf(p));
    w->diverged |= !(g == g);
}

/* y += sum g x in global memory, x += sum g y here. */
static __device__ void change_rows(walk *w, const group &of, const int32_t *ids, int outputs)
{
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP) {
        float4 y[OUTPUTS], dy[OUTPUTS];
#pragma unroll
        for (int j = 0; j < OUTPUTS; j++) {
            dy[j] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (j < outputs) y[j] = *quad(w->outputs + j * w->at.stride + k);
        }
        for (int i = 0; i < of.inputs; i++) {
            float *value = w->values + of.slot(w, i) + k, *change = w->changes + of.slot(w, i) + k;
            float4 x = *quad(value), dx = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll
            for (int j = 0; j < OUTPUTS; j++) {
                if (j >= outputs) break;
                float g = w->gradients[i * OUTPUTS + j];
                add_to(&dy[j], g, x);
                add_to(&dx, g, y[j]);
            }
            float4 all = *quad(change);
            add_to(&x, 1.0f, dx);
            add_to(&all, 1.0f, dx);
            *quad(value) = x;
            *quad(change) = all;
        }
#pragma unroll
        for (int j = 0; j < OUTPUTS; j++)
            if (j < outputs) add_atomically(w->c.output + ids[j] * w->c.stride + k, dy[j]);
    }
}

static __device__ void train_rows(
    walk *w, const group &of, const int32_t *ids, int outputs, int own)
{
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP)
        for (int j = 0; j < outputs; j++)
            *quad(w->outputs + j * w->at.stride + k) =
                __ldcg(reinterpret_cast<const float4 *>(w->c.output + ids[j] * w->c.stride + k));
    /* a lane reads the columns that it wrote, here as with the input rows */
    for (int i = 0; i < of.inputs; i += INPUTS)
        score_tile(w, of, i, of.inputs - i < INPUTS ? of.inputs - i : INPUTS, outputs, own);
    __syncwarp();
    change_rows(w, of, ids, outputs);
    __syncwarp();
    w->pairs += of.pairs * (outputs - own + (own > 0));
}

static __device__ void train_outputs(walk *w, const group &of, int planned)
{
    int32_t ids[OUTPUTS] = {w->planned(WORD, planned)};
    if (of.words > 1) ids[1] = w->planned(WORD, planned + 1);
    int outputs = of.words, own = of.words;
    for (int k = 0; k < (int)w->c.negatives; k++) {
        int32_t row = w->planned(NOISE + k, planned);
        if (row < 0) continue;
        if (outputs == OUTPUTS) {
            train_rows(w, of, ids, outputs, own);
            outputs = own = 0;
        }
        ids[outputs++] = row;
    }
    if (outputs > 0) train_rows(w, of, ids, outputs, own);
}

/* CBOW: the mean of the rows stands for them, and its change is shared out. */
static __device__ void train_mean(walk *w, const group &of, int planned)
{
    group mean = of;
    mean.mean = mean.inputs = mean.pairs = 1;
    float part = 1.0f / (float)of.inputs, spread = w->c.spread > 0.0f ? w->c.spread : part;
    float *value = w->values + mean.slot(w, 0), *change = w->changes + mean.slot(w, 0);
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP) {
        float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f), scaled = sum;
        for (int i = 0; i < of.inputs; i++)
            add_to(&sum, 1.0f, *quad(w->values + of.slot(w, i) + k));
        *quad(change + k) = scaled;
        add_to(&scaled, part, sum);
        *quad(value + k) = scaled;
    }
    train_outputs(w, mean, planned);
    for (int k = threadIdx.x * 4; k < w->at.stride; k += 4 * WARP) {
        for (int i = 0; i < of.inputs; i++) {
            add_to(quad(w->values + of.slot(w, i) + k), spread, *quad(change + k));
            add_to(quad(w->changes + of.slot(w, i) + k), spread, *quad(change + k));
        }
    }
}

static __device__ void train_group(walk *w, int t, int planned)
{
    if (w->planned(WORD, planned) < 0) return;
    group of(w, t, planned);
    if (of.inputs == 0) return;
    if (w->c.cbow)
        train_mean(w, of, planned);
    else
        train_outputs(w, of, planned);
}

static __device__ void train_stretch(walk *w, int64_t block, int first, int last)
{
    int reach = (int)w->c.window, planned = WARP;
    for (int i = first - reach; i < first + reach; i++)
        load_input(w, i);
    for (int t = first, words; t < last; t += words, planned += words) {
        if (planned + GROUP > WARP) { /* the group's second word may not be planned */
            plan_words(w, block, t, last);
            planned = 0;
        }
        words = w->planned(WORDS, planned);
        for (int i = t; i < t + words; i++)
            load_input(w, i + reach);
        train_group(w, t, planned);
        for (int i = t; i < t + words; i++)
            store_input(w, i - reach);
        __syncwarp();
    }
    for (int i = last - reach; i < last + reach; i++)
        store_input(w, i);
    __syncwarp();
}

/* The lanes' losses, added up in their order where the plan was. */
static __device__ double sum_losses(const walk &w)
{
    double *losses = reinterpret_cast<double *>(w.plan), sum = 0.0;
    losses[threadIdx.x] = w.loss;
    __syncwarp();
    for (int i = 0; threadIdx.x == 0 && i < WARP; i++)
        sum += losses[i];
    __syncwarp();
    return sum;
}

static __global__ void __launch_bounds__(WARP) train_windows(rki_cuda_word2vec c)
{
    for (int64_t s = blockIdx.x; s < c.blocks * c.stretches; s += gridDim.x) {
        int64_t block = s / c.stretches;
        rki_cuda_extent extent = c.extents[block];
        int first = extent.first + (int)(s % c.stretches) * RKI_CUDA_STRETCH;
        int last = first + RKI_CUDA_STRETCH < extent.last ? first + RKI_CUDA_STRETCH : extent.last;
        const int32_t *second = c.second + block * c.pitch;
        if (first < extent.last) first += second[first];
        if (last < extent.last) last += second[last];
        walk w(c, block);
        if (first < last) train_stretch(&w, block, first, last);
        unsigned diverged = __ballot_sync(ALL, w.diverged);
        double loss = sum_losses(w);
        rki_cuda_stretch result = {loss, w.pairs, diverged != 0};
        if (threadIdx.x == 0) c.results[s] = result;
    }
}

int32_t rki_cuda_windows_queue(
    rki_cuda *device, const rki_word2vec *of, const rki_cuda_word2vec &call)
{
    int64_t warps = call.blocks * call.stretches;
    if (warps > of->together) warps = of->together;
    return rki_cuda_launch_shared(device, "word2vec's windows", static_cast<unsigned>(warps), WARP,
        rki_cuda_window_bytes(of), 0, train_windows, call);
}
