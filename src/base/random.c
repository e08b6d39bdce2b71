/* Counter-based random numbers on Random123's Philox 4x32-10. See random.h. */
#include "base/random.h"

#include <Random123/philox.h>

void rki_random_words(rki_random random, uint64_t step, uint32_t key[2], uint32_t fixed[2])
{
    key[0] = (uint32_t)random.seed ^ (random.purpose * 0x9E3779B9u);
    key[1] = (uint32_t)(random.seed >> 32) ^ (uint32_t)(step >> 32);
    fixed[0] = (uint32_t)step;
    fixed[1] = random.stream;
}

void rki_random_draw(rki_random random, uint64_t step, uint64_t index, uint32_t out[4])
{
    uint32_t words[2], fixed[2];
    rki_random_words(random, step, words, fixed);
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), fixed[0], fixed[1]}};
    philox4x32_key_t key = {{words[0], words[1]}};
    philox4x32_ctr_t drawn = philox4x32(counter, key);
    for (int i = 0; i < 4; i++)
        out[i] = drawn.v[i];
}

double rki_random_uniform(rki_random random, uint64_t step, uint64_t index)
{
    uint32_t words[4];
    rki_random_draw(random, step, index, words);
    uint64_t bits = ((uint64_t)words[1] << 32 | words[0]) >> 11;
    return (double)bits * 0x1p-53;
}

/* A balanced Feistel network permutes 0 .. 4^half_bits - 1; walking along its cycles until the
 * value falls below count makes that a permutation of 0 .. count - 1 (Black and Rogaway 2002).
 * The range is less than four times count, so the walk is short. */
int64_t rki_random_permute(rki_random random, uint64_t step, int64_t count, int64_t index)
{
    int half_bits = 1;
    while (half_bits < 31 && ((int64_t)1 << (2 * half_bits)) < count)
        half_bits++;
    uint64_t mask = ((uint64_t)1 << half_bits) - 1;
    uint64_t value = (uint64_t)index;
    do {
        uint64_t left = value >> half_bits, right = value & mask;
        for (uint64_t round = 0; round < 4; round++) {
            uint32_t words[4];
            rki_random_draw(random, step, round << 32 | right, words);
            uint64_t mixed = left ^ (words[0] & mask);
            left = right;
            right = mixed;
        }
        value = left << half_bits | right;
    } while (value >= (uint64_t)count);
    return (int64_t)value;
}
