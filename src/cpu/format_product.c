/* c[m][n] = a W^T + bias (+ c), with W in a format (backend/formats.h).
 *
 * Rows of a are made ready, some at a time; then each thread has some rows of W, which it takes in
 * pieces that stay in the second cache while all those rows of a pass by.
 */
#include "cpu/format_product.h"

#include "base/float_mode.h"
#include "cpu/parallel.h"

enum {
    READY_ROWS = 256,       /* rows of a that are ready at a time */
    PIECE_BYTES = 1 << 19,  /* of W */
    WORK_STEP = 1 << 18,    /* multiply-adds that make another thread worth its while */
    READY_STEP = 1 << 13,   /* values to make ready that do */
    ROUND = RKI_FORMAT_LINE /* rows of W that a thread has, a multiple: whole lines of c */
};

typedef struct work {
    const rki_cpu *cpu;
    const rki_gemm *call;
    int64_t first, rows; /* of a: those that are ready */
} work;

static int64_t ready_rows(int64_t rows)
{
    return rows < READY_ROWS ? rows : READY_ROWS;
}

size_t rki_format_room(int64_t rows, int64_t k)
{
    return (size_t)ready_rows(rows) * rki_format_ready(k);
}

static void make_ready(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    const rki_kernels *kernels = w->cpu->kernels;
    for (int64_t i = begin; i < end; i++) {
        const float *row = (const float *)call->a + (w->first + i) * call->lda;
        void *ready = (char *)call->scratch + (size_t)i * rki_format_ready(call->k);
        if (call->b_format == RKI_BF16)
            kernels->ready_bf16(call->k, row, ready);
        else
            kernels->ready_int8(call->k, row, ready);
    }
}

static void run_columns(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_gemm *call = w->call;
    size_t row = rki_format_row(call->b_format, call->k);
    int64_t piece = PIECE_BYTES / (int64_t)row / ROUND * ROUND;
    const char *weight = (const char *)call->b + rki_format_header(call->b_format, call->b_rows);
    rki_format_product product = {.rows = w->rows,
        .stride = rki_format_stride(call->b_format, call->k),
        .ready = call->scratch,
        .ready_step = rki_format_ready(call->k),
        .add = call->accumulate,
        .ldc = call->ldc};
    if (piece < ROUND) piece = ROUND;
    for (int64_t j = begin; j < end; j += piece) {
        product.n = end - j < piece ? end - j : piece;
        product.weight = weight + (size_t)(call->b_first + j) * row;
        product.scales = (const float *)call->b + call->b_first + j;
        product.bias = call->bias ? (const float *)call->bias + j : NULL;
        product.c = (float *)call->c + w->first * call->ldc + j;
        if (call->b_format == RKI_BF16)
            w->cpu->kernels->product_bf16(&product);
        else
            w->cpu->kernels->product_int8(&product);
    }
}

/* Rows of W for a thread. */
static int64_t share(const work *w)
{
    const rki_gemm *call = w->call;
    double tasks = (double)call->n * (double)call->k * (double)w->rows / WORK_STEP + 1;
    if (tasks > (double)w->cpu->threads) tasks = (double)w->cpu->threads;
    int64_t rows = (call->n + (int64_t)tasks - 1) / (int64_t)tasks;
    return (rows + ROUND - 1) / ROUND * ROUND;
}

void rki_format_gemm(const rki_cpu *cpu, const rki_gemm *call)
{
    uint64_t mode = rki_float_enter();
    work w = {.cpu = cpu, .call = call};
    for (; w.first < call->m; w.first += w.rows) {
        w.rows = ready_rows(call->m - w.first);
        rki_parallel_blocks(cpu->threads, w.rows, 1 + READY_STEP / call->k, make_ready, &w);
        rki_parallel_blocks(cpu->threads, call->n, share(&w), run_columns, &w);
    }
    rki_float_leave(mode);
}
