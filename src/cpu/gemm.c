/* The own product of matrices: c = op(a) op(b) + bias (+ c).
 *
 * After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34,
 * 2008): a block of b is packed into panels, a is read in place where its rows are contiguous in k
 * and copied where it is transposed, and register tiles (kernels/tile.h) do the rest. A product
 * with no more rows than one tile has reads b once, where it lies.
 *
 * c is shared out over the threads as a grid of rows and columns; k never is. With the kernels'
 * one order of summation, an element has the same bits on any number of threads, in any company.
 */
#include "cpu/gemm.h"

#include <string.h>

#include "base/float_mode.h"
#include "cpu/blas.h"
#include "cpu/blocks.h"
#include "cpu/format_product.h"
#include "cpu/parallel.h"
#include "cpu/split_gemm.h"

enum {
    LEAST_PANELS = 4, /* columns of b in a block, in panels: half of the second cache, or these */
    PART_B = 2,
    LEAST_TILES = 16, /* rows of a in a block, in tiles: a quarter of it, or these */
    PART_A = 4,
    WORK_STEP = 1 << 18 /* multiply-adds that make another thread worth its while */
};

/* How c is shared out over the threads, and each task's part cut into blocks. */
typedef struct grid {
    int64_t row_tasks, column_tasks;
    int64_t rows, columns, steps; /* of a block: of c, and of k */
    size_t task_a, task_b;        /* floats of scratch that a task needs for each */
} grid;

typedef struct work {
    const rki_cpu *cpu;
    const rki_gemm *call;
    const int32_t *list;
    grid grid;
} work;

static int64_t panel_width(const rki_cpu *cpu)
{
    return RKI_PANEL_VECTORS * cpu->kernels->lanes;
}

static int is_narrow(const rki_cpu *cpu, const rki_gemm *call)
{
    return call->m <= cpu->kernels->tile_rows && !call->transpose_a;
}

static int64_t useful_threads(const rki_cpu *cpu, const rki_gemm *call)
{
    double tasks = (double)call->n * (double)call->k * (double)(call->m < 4 ? 4 : call->m);
    tasks = tasks / WORK_STEP + 1;
    return tasks < (double)cpu->threads ? (int64_t)tasks : cpu->threads;
}

/* How many of `count` tiles or panels of `width` make a block: pieces of equal size. */
static int64_t block_count(
    const rki_cpu *cpu, int64_t count, int64_t width, int64_t steps, int64_t part, int64_t least)
{
    int64_t most = cpu->cache / part / (steps * width);
    if (most < least) most = least;
    return rki_blocks(count, rki_blocks(count, most));
}

/* Floats of the largest block of them that a product of at most `k` steps can have, in whole
 * vectors, so that every task's scratch is aligned. */
static size_t block_room(
    const rki_cpu *cpu, int64_t count, int64_t width, int64_t k, int64_t part, int64_t least)
{
    int64_t most = cpu->cache / part, floor = least * width * RKI_BLOCK_K;
    if (most < floor) most = floor;
    int64_t floats = rki_smaller(rki_smaller(k, RKI_BLOCK_K) * count * width, most);
    return (size_t)(rki_blocks(floats, RKI_MOST_LANES) * RKI_MOST_LANES);
}

static void size_blocks(const rki_cpu *cpu, const rki_gemm *call, grid *g)
{
    int64_t width = panel_width(cpu), height = cpu->kernels->tile_rows;
    int64_t panels = rki_blocks(rki_blocks(call->n, width), g->column_tasks);
    int64_t tiles = rki_blocks(rki_blocks(call->m, height), g->row_tasks);
    g->steps = rki_block_steps(call->k);
    g->columns = width * block_count(cpu, panels, width, g->steps, PART_B, LEAST_PANELS);
    g->rows = height * block_count(cpu, tiles, height, g->steps, PART_A, LEAST_TILES);
    g->task_b = block_room(cpu, panels, width, call->k, PART_B, LEAST_PANELS);
    if (call->transpose_a) g->task_a = block_room(cpu, tiles, height, call->k, PART_A, LEAST_TILES);
}

/* Tries every number of column tasks, with as many row tasks as threads are left, and takes the
 * grid whose largest task is the cheapest. Unit of cost: one vector multiply-add of a step of k.
 */
static grid choose_grid(const rki_cpu *cpu, const rki_gemm *call)
{
    int64_t threads = useful_threads(cpu, call);
    int64_t tile = is_narrow(cpu, call) ? call->m : cpu->kernels->tile_rows;
    int64_t tiles = rki_blocks(call->m, tile), panels = rki_blocks(call->n, panel_width(cpu));
    grid best = {.row_tasks = 1, .column_tasks = 1};
    double least = 0;
    for (int64_t columns = 1; columns <= rki_smaller(threads, panels); columns++) {
        int64_t rows = rki_smaller(threads / columns, tiles);
        double vectors = (double)(rki_blocks(panels, columns) * RKI_PANEL_VECTORS);
        double height = (double)(rki_blocks(tiles, rows) * tile);
        double cost = height * vectors + vectors * (call->transpose_b ? 16.0 : 4.0) +
                      (call->transpose_a ? height : 0.0);
        if (columns == 1 || cost < least) {
            least = cost;
            best.row_tasks = rows;
            best.column_tasks = columns;
        }
    }
    if (!is_narrow(cpu, call) && call->k > 0) size_blocks(cpu, call, &best);
    return best;
}

/* What copy_block reads for rows i .. end - 1 and the block of k that starts at k; nothing where a is
 * read in place. With a list the places are not known beforehand. */
static rki_fetch source_a(const work *w, int64_t i, int64_t end, int64_t k)
{
    const rki_gemm *call = w->call;
    if (!call->transpose_a || w->list || i >= end || k >= call->k) return (rki_fetch){0};
    return (rki_fetch){(const float *)call->a + i + k * call->lda,
        rki_smaller(call->k - k, w->grid.steps), rki_smaller(end - i, w->grid.rows), call->lda};
}

/* What pack_b reads for the block of columns from j on, and of k from k on. */
static rki_fetch source_b(const work *w, int64_t j, int64_t end, int64_t k)
{
    const rki_gemm *call = w->call;
    int64_t columns = rki_smaller(end - j, w->grid.columns);
    int64_t steps = rki_smaller(call->k - k, w->grid.steps);
    const float *b = call->b;
    if (w->list || columns <= 0) return (rki_fetch){0};
    if (call->transpose_b) return (rki_fetch){b + j * call->ldb + k, columns, steps, call->ldb};
    return (rki_fetch){b + k * call->ldb + j, steps, columns, call->ldb};
}

/* A block of a stored [k][m], closed up: rows i .. i + rows - 1, and zeros to whole tiles. Returns
 * the distance of its steps. */
static int64_t copy_block(
    const work *w, int64_t i, int64_t rows, int64_t k, int64_t steps, float *to)
{
    const rki_gemm *call = w->call;
    int64_t height = w->cpu->kernels->tile_rows, width = rki_blocks(rows, height) * height;
    for (int64_t s = 0; s < steps; s++) {
        int64_t row = w->list ? w->list[k + s] : k + s;
        memcpy(to + s * width, (const float *)call->a + row * call->lda + i,
            (size_t)rows * sizeof(float));
        memset(to + s * width + rows, 0, (size_t)(width - rows) * sizeof(float));
    }
    return width;
}

/* One block of k, for one block of columns, over all of a task's rows. */
static void run_rows(const work *w, rki_product block, int64_t begin, int64_t end, int64_t k,
    rki_fetch next_b, float *packed)
{
    const rki_gemm *call = w->call;
    int64_t most = w->grid.rows;
    const float *a = call->a;
    float *c = block.c;
    for (int64_t i = begin; i < end; i += most) {
        int last = end - i <= most;
        block.rows = rki_smaller(end - i, most);
        block.c = c + i * call->ldc;
        block.next_a =
            last ? source_a(w, begin, end, k + w->grid.steps) : source_a(w, i + most, end, k);
        block.next_b = last ? next_b : (rki_fetch){0};
        if (call->transpose_a) {
            block.lda = copy_block(w, i, block.rows, k, block.k, packed);
            block.a = packed;
        } else {
            block.a = a + i * call->lda + k;
        }
        w->cpu->kernels->product(&block);
    }
}

static void run_block(const work *w, int64_t row_begin, int64_t row_end, int64_t column_begin,
    int64_t column_end, float *scratch)
{
    const rki_gemm *call = w->call;
    int64_t most = w->grid.columns, steps = w->grid.steps;
    const float *b = call->b, *bias = call->bias;
    float *panels = scratch, *packed = scratch + w->grid.task_b;
    for (int64_t j = column_begin; j < column_end; j += most) {
        for (int64_t k = 0; k < call->k; k += steps) {
            rki_product block = {.n = rki_smaller(column_end - j, most),
                .k = rki_smaller(call->k - k, steps),
                .lda = call->lda,
                .transposed = call->transpose_a,
                .panels = panels,
                .bias = bias && k == 0 ? bias + j : NULL,
                .add = call->accumulate || k > 0,
                .c = (float *)call->c + j,
                .ldc = call->ldc};
            const float *from = call->transpose_b ? b + j * call->ldb + k
                                : w->list         ? b + j
                                                  : b + k * call->ldb + j;
            w->cpu->kernels->pack_b(block.k, block.n, from, call->ldb, call->transpose_b,
                w->list ? w->list + k : NULL, panels);
            int more = k + steps < call->k;
            rki_fetch next =
                more ? source_b(w, j, column_end, k + steps) : source_b(w, j + most, column_end, 0);
            run_rows(w, block, row_begin, row_end, k, next, packed);
        }
    }
}

static void run_narrow(const work *w, int64_t begin, int64_t end)
{
    const rki_gemm *call = w->call;
    const float *b = call->b, *bias = call->bias;
    rki_narrow narrow = {.rows = call->m,
        .n = end - begin,
        .k = call->k,
        .a = call->a,
        .lda = call->lda,
        .transposed = call->transpose_b,
        .b = call->transpose_b ? b + begin * call->ldb : b + begin,
        .ldb = call->ldb,
        .bias = bias ? bias + begin : NULL,
        .add = call->accumulate,
        .c = (float *)call->c + begin,
        .ldc = call->ldc};
    w->cpu->kernels->narrow(&narrow);
}

/* Task `index` of the grid: whole tiles of rows, whole panels of columns. */
static void run_task(void *user, int64_t index, int64_t end)
{
    (void)end;
    const work *w = user;
    const rki_gemm *call = w->call;
    int64_t row = index / w->grid.column_tasks, column = index % w->grid.column_tasks;
    int64_t width = panel_width(w->cpu), panels = rki_blocks(call->n, width);
    int64_t column_begin = panels * column / w->grid.column_tasks * width;
    int64_t column_end = rki_smaller(panels * (column + 1) / w->grid.column_tasks * width, call->n);
    if (is_narrow(w->cpu, call)) {
        run_narrow(w, column_begin, column_end);
        return;
    }
    int64_t height = w->cpu->kernels->tile_rows, tiles = rki_blocks(call->m, height);
    int64_t row_begin = tiles * row / w->grid.row_tasks * height;
    int64_t row_end = rki_smaller(tiles * (row + 1) / w->grid.row_tasks * height, call->m);
    float *scratch = (float *)call->scratch + (size_t)index * (w->grid.task_a + w->grid.task_b);
    run_block(w, row_begin, row_end, column_begin, column_end, scratch);
}

/* Gradients and what else is for training, if it is large enough: what a layer makes of one row in a
 * step has the bits that it has in a sequence, and one row is faster without tiles. */
static int runs_on_tiles(const rki_cpu *cpu, const rki_gemm *call)
{
    return (call->training || !call->transpose_b) && rki_split_suits(cpu, call);
}

/* Room for any grid, so that a product with a shorter k, which may choose another one, fits too. */
size_t rki_cpu_gemm_scratch(void *self, const rki_gemm *call)
{
    const rki_cpu *cpu = self;
    if (call->b_format != RKI_PLAIN) return rki_format_room(call->b_format, call->m, call->k);
    if (runs_on_tiles(cpu, call)) return rki_split_room(cpu, call);
    if (is_narrow(cpu, call)) return 0;
    grid whole = {.row_tasks = 1, .column_tasks = 1};
    if (call->k > 0) size_blocks(cpu, call, &whole);
    return (size_t)useful_threads(cpu, call) * (whole.task_a + whole.task_b) * sizeof(float);
}

void rki_gemm_run(const rki_cpu *cpu, const rki_gemm *call, const int32_t *list)
{
    if (call->b_format != RKI_PLAIN) {
        rki_format_gemm(cpu, call);
        return;
    }
    if (runs_on_tiles(cpu, call)) {
        rki_split_gemm(cpu, call, list);
        return;
    }
    if (list == NULL && rki_blas_wanted(cpu, call)) {
        uint64_t mode = rki_float_enter();
        rki_blas_gemm(call);
        rki_float_leave(mode);
        return;
    }
    work w = {cpu, call, list, choose_grid(cpu, call)};
    int64_t tasks = w.grid.row_tasks * w.grid.column_tasks;
    rki_parallel_blocks(cpu->threads, tasks, 1, run_task, &w);
}

int32_t rki_cpu_gemm(void *self, const rki_gemm *call)
{
    rki_gemm_run(self, call, NULL);
    return RNNKIT_OK;
}

size_t rki_cpu_gemm_keep(void *self, const rki_gemm *call, void *block)
{
    if (call->transpose_a || !runs_on_tiles(self, call)) return 0;
    if (block) rki_split_keep(self, call, block);
    return rki_split_keep_room(call);
}
