/* Dropout: the mask is drawn anew wherever it is needed and never kept (kernels/dropout.h). */
#include "cpu/dropout.h"

#include <math.h>

#include "cpu/parallel.h"

/* Elements that are worth another thread; whole groups of draws. With a period a block is one
 * repetition of the mask. */
enum { BLOCK = 1 << 13 };
_Static_assert(BLOCK % (4 * RKI_MOST_LANES) == 0, "a block is whole groups of draws");

typedef struct work {
    const rki_kernels *kernels;
    const rki_dropout *call;
    rki_dropout_draws draws;
} work;

static void drop_block(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    w->kernels->dropout(&w->draws, w->call->period > 0 ? 0 : begin, end - begin,
        (const float *)w->call->x + begin, w->call->accumulate, (float *)w->call->y + begin);
}

rki_dropout_draws rki_dropout_prepare(
    const rki_cpu *cpu, rki_random random, uint64_t step, double rate)
{
    rki_dropout_draws draws;
    double least = ceil(rate * 4294967296.0);
    int none = least >= 4294967296.0;
    draws.threshold = none ? UINT32_MAX : (uint32_t)least;
    draws.scale = none ? 0.0f : (float)(1.0 / (1.0 - rate));
    cpu->host->random_words(random, step, draws.key, draws.fixed);
    return draws;
}

int32_t rki_cpu_dropout(void *self, const rki_dropout *call)
{
    const rki_cpu *cpu = self;
    work w = {cpu->kernels, call, rki_dropout_prepare(cpu, call->random, call->step, call->rate)};
    int64_t block = call->period > 0 ? call->period : BLOCK;
    rki_parallel_blocks(cpu->threads, call->count, block, drop_block, &w);
    return RNNKIT_OK;
}
