/* c = op(a) op(b) + bias (+ c) on matrix tiles: both factors are split into parts of bfloat16
 * (kernels/split.h), block by block, and multiplied.
 *
 * A task splits a block of its rows of a once for every block of k, and then its columns of b, as
 * many at a time as half of the second cache holds. Threads share out c as in gemm.c; k never is.
 */
#include "cpu/split_gemm.h"

#include "cpu/blocks.h"
#include "cpu/parallel.h"

enum {
    PAIR = 2 * RKI_SPLIT_WIDTH, /* rows and columns come in pairs of strips */
    MOST_ROWS = 1024,           /* of a block: so often is a block of b used */
    LEAST_COLUMNS = 64,         /* of a block, whatever the cache */
    WORK_STEP = 1 << 19,        /* multiply-adds that make another thread worth its while */
    /* What splitting a value costs, in multiply-adds: */
    SPLIT_A = 80,
    SPLIT_B = 60,
    /* Shorter sums and fewer columns do not pay: */
    LEAST_K = 32,
    LEAST_N = 32
};

typedef struct grid {
    int64_t row_tasks, column_tasks;
    int64_t rows, columns, steps; /* of a block: of c, and of k */
    size_t task_a, task_b;        /* bytes of scratch that a task needs for each */
} grid;

typedef struct work {
    const rki_cpu *cpu;
    const rki_gemm *call;
    const int32_t *list;
    grid grid;
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

static void size_blocks(const rki_cpu *cpu, const rki_gemm *call, grid *g)
{
    g->steps = rki_split_steps(call->k);
    g->rows = block_size(rki_blocks(call->m, g->row_tasks), MOST_ROWS);
    g->columns = block_size(rki_blocks(call->n, g->column_tasks), most_columns(cpu, g->steps));
    g->task_a = rki_split_bytes(g->rows, g->steps);
    g->task_b = rki_split_bytes(g->columns, g->steps);
}

/* Tries every number of column tasks, with as many row tasks as threads are left, and takes the
 * grid whose largest task is the cheapest. */
static grid choose_grid(const rki_cpu *cpu, const rki_gemm *call)
{
    int64_t threads = useful_threads(cpu, call);
    grid best = {.row_tasks = 1, .column_tasks = 1};
    double least = 0;
    for (int64_t columns = 1; columns <= rki_smaller(threads, rki_blocks(call->n, PAIR));
         columns++) {
        int64_t rows = rki_smaller(threads / columns, rki_blocks(call->m, PAIR));
        double width = (double)block_size(rki_blocks(call->n, columns), call->n);
        double height = (double)block_size(rki_blocks(call->m, rows), call->m);
        double turns = (double)rki_blocks((int64_t)height, MOST_ROWS);
        double cost = height * width + height * SPLIT_A + width * SPLIT_B * turns;
        if (columns == 1 || cost < least) {
            least = cost;
            best.row_tasks = rows;
            best.column_tasks = columns;
        }
    }
    size_blocks(cpu, call, &best);
    return best;
}

/* Room for any grid, so that a product with a shorter k, which may choose another one, fits too. */
size_t rki_split_room(const rki_cpu *cpu, const rki_gemm *call)
{
    int64_t steps = rki_smaller(call->k, RKI_SPLIT_BLOCK_K);
    int64_t rows = rki_smaller(call->m, MOST_ROWS);
    size_t a = rki_split_bytes(rki_blocks(rows, PAIR) * PAIR, steps);
    size_t b = rki_split_bytes(rki_blocks(call->n, PAIR) * PAIR, steps);
    size_t cached = (size_t)(cpu->cache / 2) * sizeof(float);
    size_t least = rki_split_bytes(LEAST_COLUMNS, steps);
    size_t most = cached > least ? cached : least;
    return (size_t)useful_threads(cpu, call) * (a + (b < most ? b : most));
}

static void split_a(const work *w, int64_t i, int64_t rows, int64_t k, int64_t steps, char *to)
{
    const rki_gemm *call = w->call;
    const float *a = (const float *)call->a + (call->transpose_a ? i : i * call->lda);
    rki_split split = {.count = rows,
        .k = steps,
        .from = call->transpose_a ? w->list ? a : a + k * call->lda : a + k,
        .stride = call->lda,
        .along_k = !call->transpose_a,
        .list = w->list ? w->list + k : NULL,
        .to = to};
    w->cpu->split->rows(&split);
}

static void split_b(const work *w, int64_t j, int64_t columns, int64_t k, int64_t steps, char *to)
{
    const rki_gemm *call = w->call;
    const float *b = (const float *)call->b + (call->transpose_b ? j * call->ldb : j);
    rki_split split = {.count = columns,
        .k = steps,
        .from = call->transpose_b ? b + k
                : w->list         ? b
                                  : b + k * call->ldb,
        .stride = call->ldb,
        .along_k = call->transpose_b,
        .list = w->list ? w->list + k : NULL,
        .to = to};
    w->cpu->split->columns(&split);
}

/* Rows i .. i + rows - 1 against columns begin .. end - 1. */
static void run_block(const work *w, int64_t i, int64_t rows, int64_t begin, int64_t end, char *a)
{
    const rki_gemm *call = w->call;
    const float *bias = call->bias;
    char *b = a + w->grid.task_a;
    for (int64_t k = 0; k < call->k; k += w->grid.steps) {
        int64_t steps = rki_smaller(call->k - k, w->grid.steps);
        split_a(w, i, rows, k, steps, a);
        for (int64_t j = begin; j < end; j += w->grid.columns) {
            int64_t columns = rki_smaller(end - j, w->grid.columns);
            split_b(w, j, columns, k, steps, b);
            rki_split_product block = {.rows = rows,
                .n = columns,
                .k = steps,
                .a = a,
                .b = b,
                .bias = bias && k == 0 ? bias + j : NULL,
                .add = call->accumulate || k > 0,
                .c = (float *)call->c + i * call->ldc + j,
                .ldc = call->ldc};
            w->cpu->split->product(&block);
        }
    }
}

/* Task `index` of the grid: whole pairs of strips. */
static void run_task(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const work *w = user;
    const rki_gemm *call = w->call;
    int64_t row = index / w->grid.column_tasks, column = index % w->grid.column_tasks;
    int64_t height = rki_blocks(rki_blocks(call->m, PAIR), w->grid.row_tasks) * PAIR;
    int64_t width = rki_blocks(rki_blocks(call->n, PAIR), w->grid.column_tasks) * PAIR;
    int64_t row_end = rki_smaller((row + 1) * height, call->m);
    int64_t column_end = rki_smaller((column + 1) * width, call->n);
    char *scratch = (char *)call->scratch + (size_t)index * (w->grid.task_a + w->grid.task_b);
    for (int64_t i = row * height; i < row_end; i += w->grid.rows)
        run_block(
            w, i, rki_smaller(row_end - i, w->grid.rows), column * width, column_end, scratch);
}

void rki_split_gemm(const rki_cpu *cpu, const rki_gemm *call, const int32_t *list)
{
    work w = {cpu, call, list, choose_grid(cpu, call)};
    rki_parallel_blocks(cpu->threads, w.grid.row_tasks * w.grid.column_tasks, 1, run_task, &w);
}
