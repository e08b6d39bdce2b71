/* Blocks of a range on several threads. See parallel.h. */
#include "cpu/parallel.h"

#include "base/float_mode.h"
#include "base/threads.h"

static void run_block(int64_t count, int64_t block, int64_t place, rki_block_fn run, void *user)
{
    int64_t begin = place * block, end = count - begin > block ? begin + block : count;
    run(user, begin, end);
}

static void run_alone(int64_t count, int64_t block, rki_block_fn run, void *user)
{
    uint64_t mode = rki_float_enter();
    for (int64_t i = 0; i * block < count; i++)
        run_block(count, block, i, run, user);
    rki_float_leave(mode);
}

void rki_parallel_blocks(
    int64_t threads, int64_t count, int64_t block, rki_block_fn run, void *user)
{
    int64_t blocks = (count + block - 1) / block;
    int workers = rki_threads_now(threads < blocks ? threads : blocks);
    if (workers <= 1) {
        run_alone(count, block, run, user);
        return;
    }
#pragma omp parallel num_threads(workers)
    {
        uint64_t mode = rki_float_enter();
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks; i++)
            run_block(count, block, i, run, user);
        rki_float_leave(mode);
    }
}

void rki_parallel_claims(int64_t threads, int64_t count, rki_block_fn run, void *user)
{
    int workers = rki_threads_now(threads < count ? threads : count);
    if (workers <= 1) {
        run_alone(count, 1, run, user);
        return;
    }
#pragma omp parallel num_threads(workers)
    {
        uint64_t mode = rki_float_enter();
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < count; i++)
            run(user, i, i + 1);
        rki_float_leave(mode);
    }
}
