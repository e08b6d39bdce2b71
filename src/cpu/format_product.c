/* c[m][n] = a W^T + bias (+ c), with W in a format (backend/formats.h).
 *
 * With an int8 W, rows of a are made ready, some at a time; then each thread has some rows of W,
 * which it takes in pieces that stay in the second cache while all those rows of a pass by. With a
 * packed W, rows of a are read as they are; if W has too few rows to go round, threads share those
 * of a.
 */
#include "cpu/format_product.h"

#include "base/float_mode.h"
#include "cpu/parallel.h"

enum {
    READY_ROWS = 256,       /* rows of a that are ready, or pass by, at a time */
    PIECE_BYTES = 1 << 19,  /* of W */
    WORK_STEP = 1 << 18,    /* multiply-adds that make another thread worth its while */
    LEAST_ROWS = 4,         /* a product with fewer is no quicker: reading W takes that long */
    READY_STEP = 1 << 13,   /* values to make ready that do */
    ROUND = RKI_FORMAT_LINE /* rows of W that a thread has, a multiple: whole lines of c */
};

typedef struct work {
    const rki_cpu *cpu;
    const rki_gemm *call;
    int64_t first, rows; /* of a: those that are ready, or all */
} work;

static int64_t ready_rows(int64_t rows)
{
    return rows < READY_ROWS ? rows : READY_ROWS;
}

size_t rki_format_room(rki_format format, int64_t rows, int64_t k)
{
    return format == RKI_INT8 ? (size_t)ready_rows(rows) * rki_int8_ready(k) : 0;
}

static void make_ready(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    for (int64_t i = begin; i < end; i++)
        w->cpu->kernels->ready_int8(call->k, (const float *)call->a + (w->first + i) * call->lda,
            (char *)call->scratch + (size_t)i * rki_int8_ready(call->k));
}

static void run_columns(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    int64_t row = rki_format_stride(RKI_INT8, call->k), piece = PIECE_BYTES / row / ROUND * ROUND;
    const int8_t *weight = (const int8_t *)call->b + rki_format_header(RKI_INT8, call->b_rows);
    rki_int8_product product = {.rows = w->rows,
        .stride = row,
        .ready = call->scratch,
        .ready_step = rki_int8_ready(call->k),
        .add = call->accumulate,
        .ldc = call->ldc};
    if (piece < ROUND) piece = ROUND;
    for (int64_t j = begin; j < end; j += piece) {
        product.n = end - j < piece ? end - j : piece;
        product.weight = weight + (call->b_first + j) * row;
        product.scales = (const float *)call->b + call->b_first + j;
        product.bias = call->bias ? (const float *)call->bias + j : NULL;
        product.c = (float *)call->c + w->first * call->ldc + j;
        w->cpu->kernels->product_int8(&product);
    }
}

/* A block of c. */
static void run_groups(
    const work *w, int64_t row, int64_t row_end, int64_t column, int64_t column_end)
{
    const rki_gemm *call = w->call;
    rki_group_product product = {.n = column_end - column,
        .k = call->k,
        .lda = call->lda,
        .format = call->b_format,
        .weight = call->b,
        .columns = call->ldb,
        .first = call->b_first + column,
        .bias = call->bias ? (const float *)call->bias + column : NULL,
        .add = call->accumulate,
        .ldc = call->ldc};
    for (; row < row_end; row += product.rows) {
        product.rows = row_end - row < READY_ROWS ? row_end - row : READY_ROWS;
        product.a = (const float *)call->a + row * call->lda;
        product.c = (float *)call->c + row * call->ldc + column;
        w->cpu->kernels->product_groups(&product);
    }
}

static void run_group_columns(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    run_groups(w, 0, w->call->m, begin, end);
}

static void run_group_rows(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    run_groups(w, begin, end, 0, w->call->n);
}

/* Rows of W, or of a, for a thread. */
static int64_t share(const work *w, int64_t rows, int64_t round)
{
    const rki_gemm *call = w->call;
    double times = (double)(w->rows < LEAST_ROWS ? LEAST_ROWS : w->rows);
    double tasks = (double)call->n * (double)call->k * times / WORK_STEP + 1;
    if (tasks > (double)w->cpu->threads) tasks = (double)w->cpu->threads;
    rows = (rows + (int64_t)tasks - 1) / (int64_t)tasks;
    return (rows + round - 1) / round * round;
}

static void packed_gemm(const rki_cpu *cpu, const rki_gemm *call)
{
    work w = {.cpu = cpu, .call = call, .rows = call->m};
    if (call->n > (cpu->threads - 1) * ROUND)
        rki_parallel_blocks(
            cpu->threads, call->n, share(&w, call->n, ROUND), run_group_columns, &w);
    else
        rki_parallel_blocks(
            cpu->threads, call->m, share(&w, call->m, cpu->kernels->tile_rows), run_group_rows, &w);
}

void rki_format_gemm(const rki_cpu *cpu, const rki_gemm *call)
{
    if (rki_format_packed(call->b_format)) {
        packed_gemm(cpu, call);
        return;
    }
    uint64_t mode = rki_float_enter();
    work w = {.cpu = cpu, .call = call};
    for (; w.first < call->m; w.first += w.rows) {
        w.rows = ready_rows(call->m - w.first);
        rki_parallel_blocks(cpu->threads, w.rows, 1 + READY_STEP / call->k, make_ready, &w);
        rki_parallel_blocks(cpu->threads, call->n, share(&w, call->n, ROUND), run_columns, &w);
    }
    rki_float_leave(mode);
}
