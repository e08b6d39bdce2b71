/* c = op(a) op(b) + bias (+ c) on matrix tiles: both factors are split into parts of bfloat16
 * (kernels/split.h), block by block, and multiplied.
 *
 * For a block of rows of a and one of k, all threads split a together; then, for as many columns of
 * b as half of the second cache holds, they split b together, and take the tiles of c one after
 * the other, each thread the next whenever it is through with one: processors that multiply tiles
 * at the same time need not be equally fast (docs/benchmarks/training.md).
 */
#include "cpu/split_gemm.h"

#include "cpu/blocks.h"
#include "cpu/parallel.h"

enum {
    PAIR = 2 * RKI_SPLIT_WIDTH, /* rows and columns come in pairs of strips */
    MOST_ROWS = 1024,           /* of a block: so often is a block of b used */
    LEAST_COLUMNS = 64,         /* of a block, whatever the cache */
    TASK_ROWS = 64,             /* of the part of c that a thread takes at a time */
    TASKS = 4,                  /* such parts for each thread, at the least; */
    LEAST_TASK_COLUMNS = 64,    /* wherefore their columns are cut down to these */
    WORK_STEP = 1 << 19,        /* multiply-adds that make another thread worth its while */
    /* Shorter sums and fewer columns do not pay: */
    LEAST_K = 64,
    LEAST_N = 64
};

/* One block of rows of a, of k, and of columns of b. */
typedef struct work {
    const rki_cpu *cpu;
    const rki_gemm *call;
    const int32_t *list;
    int64_t threads;
    int64_t i, rows, j, columns, k, steps;
    int64_t task_columns;
    char *a, *b; /* split */
} work;

int rki_split_suits(const rki_cpu *cpu, const rki_gemm *call)
{
    if (cpu->split == NULL || cpu->gemm_policy == RKI_GEMM_BLAS || call->b_format != RKI_PLAIN)
        return 0;
    if (call->m < 1 || call->k < LEAST_K || call->n < LEAST_N) return 0;
    return !call->transpose_a || call->m >= LEAST_N;
}

static int64_t useful_threads(const rki_cpu *cpu, const rki_gemm *call)
{
    double tasks = (double)call->n * (double)call->k * (double)call->m / WORK_STEP + 1;
    return tasks < (double)cpu->threads ? (int64_t)tasks : cpu->threads;
}

/* Equal blocks of whole pairs of strips, `most` at most. */
static int64_t block_size(int64_t count, int64_t most)
{
    int64_t blocks = rki_blocks(count, most);
    return rki_blocks(rki_blocks(count, blocks), PAIR) * PAIR;
}

/* The columns of b that half of the second cache holds, split, or a few more. */
static int64_t most_columns(const rki_cpu *cpu, int64_t steps)
{
    int64_t bytes = cpu->cache / 2 * (int64_t)sizeof(float);
    int64_t columns = bytes / (int64_t)rki_split_bytes(PAIR, steps) * PAIR;
    return columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
}

/* Room for a product with a shorter k as well, whose blocks have more columns. */
static size_t room_a(const rki_gemm *call)
{
    int64_t rows = rki_blocks(rki_smaller(call->m, MOST_ROWS), PAIR) * PAIR;
    return rki_split_bytes(rows, rki_smaller(call->k, RKI_SPLIT_BLOCK_K));
}

static size_t room_b(const rki_cpu *cpu, const rki_gemm *call)
{
    int64_t steps = rki_smaller(call->k, RKI_SPLIT_BLOCK_K);
    size_t all = rki_split_bytes(rki_blocks(call->n, PAIR) * PAIR, steps);
    size_t cached = (size_t)(cpu->cache / 2) * sizeof(float);
    size_t least = rki_split_bytes(LEAST_COLUMNS, steps);
    size_t most = cached > least ? cached : least;
    return all < most ? all : most;
}

size_t rki_split_room(const rki_cpu *cpu, const rki_gemm *call)
{
    return room_a(call) + (call->b_kept ? 0 : room_b(cpu, call));
}

/* Strips of the block of a; of the block of b. With a list, stored rows are counted from the first. */
static void split_a(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    const float *a = call->a;
    int64_t first = begin * RKI_SPLIT_WIDTH, i = w->i + first, k = w->list ? 0 : w->k;
    rki_split split = {.count = rki_smaller(end * RKI_SPLIT_WIDTH, w->rows) - first,
        .k = w->steps,
        .from = call->transpose_a ? a + k * call->lda + i : a + i * call->lda + k,
        .stride = call->lda,
        .along_k = !call->transpose_a,
        .list = w->list ? w->list + w->k : NULL,
        .to = w->a + rki_split_bytes(first, w->steps)};
    w->cpu->split->rows(&split);
}

static void split_b(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    const float *b = call->b;
    int64_t first = begin * RKI_SPLIT_WIDTH, j = w->j + first, k = w->list ? 0 : w->k;
    rki_split split = {.count = rki_smaller(end * RKI_SPLIT_WIDTH, w->columns) - first,
        .k = w->steps,
        .from = call->transpose_b ? b + j * call->ldb + k : b + k * call->ldb + j,
        .stride = call->ldb,
        .along_k = call->transpose_b,
        .list = w->list ? w->list + w->k : NULL,
        .to = w->b + rki_split_bytes(first, w->steps)};
    w->cpu->split->columns(&split);
}

/* Both are read in long runs, so each thread has one piece. */
static void split_block(work *w, int64_t count, rki_block_fn split)
{
    int64_t strips = rki_blocks(count, RKI_SPLIT_WIDTH);
    rki_parallel_blocks(w->threads, strips, rki_blocks(strips, w->threads), split, w);
}

/* Task `index` of a block of c. */
static void multiply(void *user, int64_t index, int64_t end)
{
    (void)end;
    const work *w = user;
    const rki_gemm *call = w->call;
    int64_t across = rki_blocks(w->columns, w->task_columns);
    int64_t i = index / across * TASK_ROWS, j = index % across * w->task_columns;
    const float *bias = call->bias;
    rki_split_product block = {.rows = rki_smaller(w->rows - i, TASK_ROWS),
        .n = rki_smaller(w->columns - j, w->task_columns),
        .k = w->steps,
        .a = w->a + rki_split_bytes(i, w->steps),
        .b = w->b + rki_split_bytes(j, w->steps),
        .bias = bias && w->k == 0 ? bias + w->j + j : NULL,
        .add = call->accumulate || w->k > 0,
        .c = (float *)call->c + (w->i + i) * call->ldc + w->j + j,
        .ldc = call->ldc};
    w->cpu->split->product(&block);
}

static void multiply_block(work *w)
{
    int64_t down = rki_blocks(w->rows, TASK_ROWS), across = 1;
    if (w->threads > 1) {
        across = rki_blocks(TASKS * w->threads, down);
        across = rki_smaller(across, rki_blocks(w->columns, LEAST_TASK_COLUMNS));
    }
    w->task_columns = block_size(w->columns, rki_blocks(w->columns, across));
    rki_parallel_claims(w->threads, down * rki_blocks(w->columns, w->task_columns), multiply, w);
}

size_t rki_split_keep_room(const rki_gemm *call)
{
    return rki_split_bytes(call->n, call->k);
}

/* Where the block of k that starts at `k` is: blocks are whole groups. */
static char *kept_block(const void *block, const rki_gemm *call, int64_t k)
{
    return (char *)(uintptr_t)block + rki_split_bytes(call->n, k);
}

void rki_split_keep(const rki_cpu *cpu, const rki_gemm *call, void *block)
{
    int64_t steps = rki_split_steps(call->k);
    work w = {.cpu = cpu, .call = call, .columns = call->n, .threads = cpu->threads};
    for (w.k = 0; w.k < call->k; w.k += steps) {
        w.steps = rki_smaller(call->k - w.k, steps);
        w.b = kept_block(block, call, w.k);
        split_block(&w, w.columns, split_b);
    }
}

void rki_split_gemm(const rki_cpu *cpu, const rki_gemm *call, const int32_t *list)
{
    int64_t rows = block_size(call->m, MOST_ROWS), steps = rki_split_steps(call->k);
    int64_t columns = block_size(call->n, most_columns(cpu, steps));
    work w = {.cpu = cpu,
        .call = call,
        .list = list,
        .threads = useful_threads(cpu, call),
        .a = call->scratch,
        .b = (char *)call->scratch + room_a(call)};
    char *kept = NULL;
    for (w.i = 0; w.i < call->m; w.i += rows) {
        w.rows = rki_smaller(call->m - w.i, rows);
        for (w.k = 0; w.k < call->k; w.k += steps) {
            w.steps = rki_smaller(call->k - w.k, steps);
            if (call->b_kept) kept = kept_block(call->b_kept, call, w.k);
            split_block(&w, w.rows, split_a);
            for (w.j = 0; w.j < call->n; w.j += columns) {
                w.columns = rki_smaller(call->n - w.j, columns);
                if (kept)
                    w.b = kept + rki_split_bytes(w.j, w.steps);
                else
                    split_block(&w, w.columns, split_b);
                multiply_block(&w);
            }
        }
    }
}
