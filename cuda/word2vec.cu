/* Training of word vectors: the operation, and the draws of words. See word2vec.cuh. */
#include "word2vec.cuh"

#include "operations.cuh"

enum { THREADS = 256, WARP = 32, WARPS = THREADS / WARP };

/* Which of 256 tokens in a row are kept; their words go behind the `kept` ones. */
static __device__ int keep_tile(
    const rki_cuda_word2vec &c, int64_t i, int inside, int kept, int *counts)
{
    int64_t at = (int64_t)blockIdx.x * c.pitch;
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, all = 0, before = kept;
    int32_t token = inside ? c.tokens[i] : -1;
    philox4x32_ctr_t drawn = rki_cuda_token_draw(c, i, 0);
    int yes = inside && (drawn.v[0] & ~1u) < c.keep[token];
    unsigned votes = __ballot_sync(0xFFFFFFFFu, yes);
    if (lane == 0) counts[warp] = __popc(votes);
    __syncthreads();
    for (int w = 0; w < WARPS; w++) {
        if (w < warp) before += counts[w];
        all += counts[w];
    }
    if (yes) {
        int64_t place = at + before + __popc(votes & ((1u << lane) - 1));
        c.words[place] = token;
        c.places[place] = (int32_t)i;
        c.reach[place] = c.shrink
                             ? 1 + (int32_t)__umulhi(drawn.v[1], static_cast<uint32_t>(c.window))
                             : (int32_t)c.window;
    }
    __syncthreads(); /* counts are read */
    return kept + all;
}

/* How many of the block's places lie before `limit`; they are in order. */
static __device__ int count_before(const int32_t *places, int count, int64_t limit)
{
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (places[middle] < limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether word i is in no group with the one before it, whatever group that is in. */
static __device__ int stands_apart(
    const rki_cuda_word2vec &c, const int32_t *words, int first, int i)
{
    return c.cbow || i == first || words[i] < 0 || words[i - 1] < 0 || words[i] == words[i - 1];
}

/* Of words that do not stand apart every other one is a group's second, from the last that does. */
static __device__ void mark_seconds(const rki_cuda_word2vec &c, int first, int last)
{
    __shared__ int apart[THREADS]; /* the last one of each thread's words, -1 if there is none */
    int64_t at = (int64_t)blockIdx.x * c.pitch;
    const int32_t *words = c.words + at;
    int share = (last - first + THREADS - 1) / THREADS, from = first + (int)threadIdx.x * share;
    int to = from + share < last ? from + share : last, start = -1;
    for (int i = from; i < to; i++)
        if (stands_apart(c, words, first, i)) start = i;
    apart[threadIdx.x] = start;
    __syncthreads();
    start = -1;
    for (int t = (int)threadIdx.x - 1; t >= 0 && start < 0; t--)
        start = apart[t];
    for (int i = from; i < to; i++) {
        if (stands_apart(c, words, first, i)) start = i;
        c.second[at + i] = (i - start) & 1;
    }
}

static __global__ void draw_words(rki_cuda_word2vec c)
{
    __shared__ int counts[WARPS];
    __shared__ unsigned words;
    int64_t begin = c.begin + blockIdx.x * c.block, end = begin + c.block;
    if (end > c.end) end = c.end;
    int64_t from = begin > c.halo ? begin - c.halo : 0;
    int64_t to = c.count - end > c.halo ? end + c.halo : c.count;
    int kept = 0;
    unsigned mine = 0;
    if (threadIdx.x == 0) words = 0;
    for (int64_t tile = from; tile < to; tile += THREADS) {
        int64_t i = tile + threadIdx.x;
        kept = keep_tile(c, i, i < to, kept, counts);
        mine += i >= begin && i < end && c.tokens[i] >= 0;
    }
    atomicAdd(&words, mine);
    __syncthreads();
    const int32_t *places = c.places + (int64_t)blockIdx.x * c.pitch;
    int first = count_before(places, kept, begin), last = count_before(places, kept, end);
    mark_seconds(c, first, last);
    rki_cuda_extent extent = {kept, first, last, (int32_t)words};
    if (threadIdx.x == 0) c.extents[blockIdx.x] = extent;
}

/* A block's tally, its stretches added up in their order. */
static __global__ void tally(rki_cuda_word2vec c)
{
    int64_t b = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (b >= c.blocks) return;
    double *to = c.tallies + b * RKI_WORD2VEC_TALLY;
    const rki_cuda_stretch *from = c.results + b * c.stretches;
    double loss = 0.0, pairs = 0.0;
    int diverged = 0;
    for (int64_t s = 0; s < c.stretches; s++) {
        loss += from[s].loss;
        pairs += (double)from[s].pairs;
        diverged |= from[s].diverged;
    }
    to[0] = loss;
    to[1] = pairs;
    to[2] = (double)c.extents[b].words;
    to[3] = (double)diverged;
}

/* What the scratch holds of a call. */
static size_t lay_out(const rki_word2vec *of, char *block, rki_cuda_word2vec *c)
{
    size_t used = 0;
    auto cut = [&](int64_t count, size_t size) {
        char *at = block == NULL ? NULL : block + used;
        used += ((size_t)count * size + 255) / 256 * 256;
        return at;
    };
    c->pitch = of->block + 2 * of->halo;
    c->stretches = (of->block + RKI_CUDA_STRETCH - 1) / RKI_CUDA_STRETCH;
    c->words = reinterpret_cast<int32_t *>(cut(of->blocks * c->pitch, sizeof(int32_t)));
    c->places = reinterpret_cast<int32_t *>(cut(of->blocks * c->pitch, sizeof(int32_t)));
    c->reach = reinterpret_cast<int32_t *>(cut(of->blocks * c->pitch, sizeof(int32_t)));
    c->second = reinterpret_cast<int32_t *>(cut(of->blocks * c->pitch, sizeof(int32_t)));
    c->extents = reinterpret_cast<rki_cuda_extent *>(cut(of->blocks, sizeof(rki_cuda_extent)));
    c->results = reinterpret_cast<rki_cuda_stretch *>(
        cut(of->blocks * c->stretches, sizeof(rki_cuda_stretch)));
    return used;
}

int32_t rki_cuda_word2vec_scratch(void *self, const rki_word2vec *of, size_t *bytes)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_word2vec parts = {};
    size_t window = rki_cuda_window_bytes(of);
    if (window > device->shared_memory)
        return device->host.fail(RNNKIT_E_UNSUPPORTED,
            "cuda:%d: a window of %lld words to each side, %lld noise words and rows of %lld "
            "floats needs %zu bytes of shared memory, a multiprocessor has %zu",
            device->index, (long long)of->window, (long long)of->negatives, (long long)of->stride,
            window, device->shared_memory);
    *bytes = lay_out(of, NULL, &parts);
    return RNNKIT_OK;
}

static rki_cuda_word2vec arguments(const rki_word2vec_train *call)
{
    const rki_word2vec *of = &call->of;
    rki_cuda_word2vec c = {};
    lay_out(of, static_cast<char *>(call->scratch), &c);
    c.size = of->size;
    c.stride = of->stride;
    c.window = of->window;
    c.negatives = of->negatives;
    c.block = of->block;
    c.halo = of->halo;
    c.shrink = of->shrink;
    c.cbow = of->cbow;
    c.spread = (float)of->spread;
    c.input = static_cast<float *>(call->input);
    c.output = static_cast<float *>(call->output);
    c.keep = static_cast<const uint32_t *>(call->keep) + 1;
    c.limits = static_cast<const uint32_t *>(call->limits);
    c.aliases = static_cast<const int32_t *>(call->aliases);
    c.key[0] = call->key[0];
    c.key[1] = call->key[1];
    c.pass = call->pass;
    c.base = call->base;
    c.count = call->count;
    c.begin = call->begin;
    c.end = call->end;
    c.blocks = (call->end - call->begin + of->block - 1) / of->block;
    c.tallies = call->tallies;
    return c;
}

/* The tokens go by a stream of their own, so that they travel while earlier ones are trained on. */
int32_t rki_cuda_word2vec_train(void *self, const rki_word2vec_train *call)
{
    rki_cuda *device = static_cast<rki_cuda *>(self);
    rki_cuda_scope scope(device);
    RKI_TRY(scope.status);
    rki_cuda_staging staging(device, &device->texts);
    rki_cuda_word2vec c = arguments(call);
    int tokens = staging.add(call->tokens, (size_t)call->count * sizeof(int32_t));
    int rates = staging.add(call->rates, (size_t)c.blocks * sizeof(float));
    RKI_TRY(staging.commit());
    c.tokens = staging.at<int32_t>(tokens);
    c.rates = staging.at<float>(rates);
    RKI_TRY(rki_cuda_launch(
        device, "drawing words", static_cast<unsigned>(c.blocks), THREADS, draw_words, c));
    RKI_TRY(rki_cuda_windows_queue(device, &call->of, c));
    return rki_cuda_launch(device, "word2vec's tally", rki_cuda_blocks(c.blocks, 64), 64, tally, c);
}
