/* Noise words. See noise.h. */
#include "word2vec/noise.h"

#include <math.h>

static void weigh(const rnnkit_vocab *vocab, double power, int64_t size, double *weights)
{
    int32_t specials = rki_vocab_specials(vocab);
    double total = 0;
    for (int64_t i = 0; i < size; i++) {
        int64_t count = vocab->words.words[specials + i].count;
        weights[i] = pow(count > 0 ? (double)count : 1.0, power);
        total += weights[i];
    }
    for (int64_t i = 0; i < size; i++)
        weights[i] *= (double)size / total; /* 1 on average */
}

static int32_t limit_of(double part)
{
    double scaled = part * 4294967296.0;
    return (int32_t)(uint32_t)(scaled >= 4294967295.0 ? 4294967295.0 : scaled);
}

/* Columns below 1 are filled up by one above 1, which is thereby cut down. `order` holds the small
 * columns from the front and the large ones from the back. */
static void fill(rki_w2v_noise *noise, double *weights, int32_t *order)
{
    int64_t small = 0, large = noise->size;
    for (int64_t i = 0; i < noise->size; i++)
        if (weights[i] < 1)
            order[small++] = (int32_t)i;
        else
            order[--large] = (int32_t)i;
    while (small > 0 && large < noise->size) {
        int32_t low = order[--small], high = order[large];
        noise->limits[low] = limit_of(weights[low]);
        noise->aliases[low] = high;
        weights[high] -= 1 - weights[low];
        if (weights[high] < 1) {
            large++;
            order[small++] = high;
        }
    }
    /* what is left is 1 but for rounding */
    while (small > 0 || large < noise->size) {
        int32_t full = small > 0 ? order[--small] : order[large++];
        noise->limits[full] = limit_of(1);
        noise->aliases[full] = full;
    }
}

int32_t rki_w2v_noise_init(rki_w2v_noise *noise, const rnnkit_vocab *vocab, double power)
{
    const rki_memory *memory = vocab->words.memory;
    int64_t size = rki_vocab_ids(vocab) - rki_vocab_specials(vocab);
    void *limits = NULL, *aliases = NULL, *weights = NULL, *order = NULL;
    int32_t status = rki_allocate(memory, size, sizeof(int32_t), "the noise words", &limits);
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, size, sizeof(int32_t), "the noise words", &aliases);
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, size, sizeof(double), "the noise words' weights", &weights);
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, size, sizeof(int32_t), "the noise words' order", &order);
    *noise = (rki_w2v_noise){size, limits, aliases};
    if (status == RNNKIT_OK) {
        weigh(vocab, power, size, weights);
        fill(noise, weights, order);
    } else {
        rki_w2v_noise_release(noise, memory);
    }
    rki_release(memory, weights);
    rki_release(memory, order);
    return status;
}

void rki_w2v_noise_release(rki_w2v_noise *noise, const rki_memory *memory)
{
    rki_release(memory, noise->limits);
    rki_release(memory, noise->aliases);
    *noise = (rki_w2v_noise){0};
}
