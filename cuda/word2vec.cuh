/* Training of word vectors (backend/word2vec.h): what its kernels share.
 *
 * First a block of threads for each block of the text draws which words are kept, and says which of
 * them make up groups. Then a warp takes a stretch of these, group after group (word2vec_window.cu).
 */
#ifndef RKI_CUDA_WORD2VEC_CUH
#define RKI_CUDA_WORD2VEC_CUH

#include "device.cuh"
#include "philox.cuh"

enum { RKI_CUDA_STRETCH = 128 /* words of a stretch: those of the groups that begin in it */ };

/* Of a block of the text: words with those around it, and which are its own. */
struct rki_cuda_extent {
    int32_t kept, first, last, words;
};

struct rki_cuda_stretch {
    double loss;
    int32_t pairs, diverged;
};

struct rki_cuda_word2vec {
    int64_t size, stride, window, negatives, block, halo;
    int shrink, cbow;
    float spread;
    float *input, *output;
    const uint32_t *keep; /* keep[-1] is there */
    const uint32_t *limits;
    const int32_t *aliases;
    uint32_t key[2], pass;
    int64_t base, count, begin, end, blocks;
    const int32_t *tokens;
    const float *rates;
    int64_t pitch;                   /* words that a block and its halo can have */
    int32_t *words, *places, *reach; /* [blocks][pitch] */
    int32_t *second; /* [blocks][pitch] of a block's own: whether it is a group's second word */
    rki_cuda_extent *extents;  /* [blocks] */
    int64_t stretches;         /* of a block */
    rki_cuda_stretch *results; /* [blocks][stretches] */
    double *tallies;
};

/* Draw `number` of a token. */
static __device__ inline philox4x32_ctr_t rki_cuda_token_draw(
    const rki_cuda_word2vec &c, int64_t token, uint32_t number)
{
    uint64_t place = (uint64_t)(c.base + token);
    philox4x32_ctr_t counter = {{(uint32_t)place, (uint32_t)(place >> 32), c.pass, number}};
    philox4x32_key_t key = {{c.key[0], c.key[1]}};
    return philox4x32(counter, key);
}

/* word2vec_window.cu: the shared memory of a window, and the queue of all stretches. */
size_t rki_cuda_window_bytes(const rki_word2vec *of);
int32_t rki_cuda_windows_queue(
    rki_cuda *device, const rki_word2vec *of, const rki_cuda_word2vec &call);

#endif
