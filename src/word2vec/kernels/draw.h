/* Random choices of word2vec, LANES tokens at once: which tokens are kept, and the noise words.
 *
 * Draw 0 of a token decides on keeping (word 0) and is used for its window (word 1); noise word k
 * is drawn by words 2 (k mod 2) and 2 (k mod 2) + 1 of draw 1 + floor(k / 2).
 */
#ifndef RKI_WORD2VEC_KERNELS_DRAW_H
#define RKI_WORD2VEC_KERNELS_DRAW_H

#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/lanes.h"

enum { PHILOX_ROUNDS = 10 };

/* Philox 4x32-10 (Salmon et al., SC 2011) of the tokens at base + place. */
static INLINE void draw_words(const rki_w2v_draws *draws, vi place, int32_t number, vi c[4])
{
    vi low = vi_set1((int32_t)(uint32_t)draws->base), m0 = vi_set1((int32_t)0xD2511F53u);
    vi high = vi_set1((int32_t)(uint32_t)(draws->base >> 32)), m1 = vi_set1((int32_t)0xCD9E8D57u);
    uint32_t key0 = draws->key[0], key1 = draws->key[1];
    c[0] = vi_add(low, place);
    c[1] = vi_select(vu_less(c[0], low), vi_add(high, vi_set1(1)), high);
    c[2] = vi_set1((int32_t)draws->pass);
    c[3] = vi_set1(number);
    UNROLL for (int i = 0; i < PHILOX_ROUNDS; i++)
    {
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

static int64_t kernel_subsample(const rki_w2v_draws *draws, int32_t start, const int32_t *tokens,
    int64_t count, const int32_t *keep, int32_t *words, int32_t *places, int32_t *seconds)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i += LANES) {
        vi c[4], place = vi_add(vi_set1(start + (int32_t)i), vi_count());
        int32_t rest[LANES];
        const int32_t *from = tokens + i;
        int64_t n = count - i < LANES ? count - i : LANES;
        if (n < LANES) {
            for (int64_t j = 0; j < LANES; j++)
                rest[j] = j < n ? from[j] : -1;
            from = rest;
        }
        vi token = vi_load(from);
        draw_words(draws, place, 0, c);
        /* a limit of all ones keeps every token */
        vm yes = vu_less(vi_and(c[0], vi_set1(-2)), vi_gather(keep, token));
        vi_keep(yes, token, words + kept);
        vi_keep(yes, c[1], seconds + kept);
        kept += vi_keep(yes, place, places + kept);
    }
    /* the lanes behind the last token stand for ends of sentences and were kept */
    int64_t over = count % LANES == 0 ? 0 : LANES - count % LANES;
    return kept - over;
}

static void kernel_noise(const rki_w2v_draws *draws, const int32_t *places, const int32_t *words,
    const int32_t *starts, int64_t count, int64_t negatives, int64_t size, const int32_t *limits,
    const int32_t *aliases, const int32_t *rows, int64_t pitch, int32_t *out)
{
    vi none = vi_set1(-1);
    for (int64_t i = 0; i < count; i += LANES) {
        vi c[4], start = vi_load(starts + i), behind = vi_add(start, vi_set1(1));
        vi place = vi_gather(places, start), word = vi_gather(words, start);
        /* the word behind a group of one is not of the group */
        vm two = vu_less(behind, vi_load(starts + i + 1));
        vi second = vi_select(two, vi_gather(words, behind), word);
        for (int64_t k = 0; k < negatives; k++) {
            if (k % 2 == 0) draw_words(draws, place, (int32_t)(1 + k / 2), c);
            vi column = vu_mul_high(c[2 * (k % 2)], vi_set1((int32_t)size));
            vm own = vu_less(c[2 * (k % 2) + 1], vi_gather(limits, column));
            vi drawn = vi_select(own, column, vi_gather(aliases, column));
            vi row = vi_gather(rows, drawn);
            vm again = vm_or(vi_equal(drawn, word), vi_equal(drawn, second));
            for (int64_t j = 0; j < k; j++)
                again = vm_or(again, vi_equal(row, vi_load(out + j * pitch + i)));
            vi_store(out + k * pitch + i, vi_select(again, none, row));
        }
    }
}

#endif
