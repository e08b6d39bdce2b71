/* Products and sums of matrices, on shapes with every kind of tail, and some large enough for
 * several threads; arrays begin anywhere. */
#include "operations.h"

static const int64_t sides[] = {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 15, 16, 17, 24, 31, 32, 33, 47,
    48, 49, 63, 64, 65, 70, 97, 129};
enum { SIDES = sizeof sides / sizeof sides[0] };

static int64_t side(bench *b)
{
    return sides[draw(b, SIDES)];
}

/* As input(), but some elements behind where memory was given: as parts of larger arrays are. */
static void *inner(bench *b, int64_t skipped, int64_t count)
{
    char *whole = input(b, skipped + count, 1.0);
    return whole + (size_t)skipped * rki_dtype_size(b->on->dtype);
}

/* b in a format, which may have more rows than are wanted, and when packed more columns. */
static void choose_weight(bench *b, int shape, rki_gemm *call)
{
    int64_t column = rki_format_packed(b->format) && shape % 4 == 1 ? shape % 7 : 0;
    call->b_first = shape % 5 == 2 ? 1 + shape % 40 : 0;
    call->b_rows = call->b_first + call->n + (shape % 5 == 3 ? 3 : 0);
    call->ldb = column + call->k + (column > 0 ? 2 : 0);
    call->b = weight(b, call->b_rows, call->ldb, 1.0);
    call->b_format = held(b);
    int64_t before = rki_format_column(call->b_format, column);
    if (call->b_format == RKI_PLAIN) before += call->b_first * call->ldb;
    call->b = (const char *)call->b + (size_t)before * rki_dtype_size(b->on->dtype);
}

/* b as the device would rather have it for many products. */
static void keep_b(bench *b, rki_gemm *call)
{
    size_t bytes = b->on->ops->gemm_keep(b->on->self, call, NULL);
    if (bytes == 0) return;
    void *block = scratch(b, bytes);
    b->on->ops->gemm_keep(b->on->self, call, block);
    call->b_kept = block;
}

/* Sizes, and for the last shapes larger ones; flags from the shape's low bits, so that every
 * combination comes many times. */
void run_gemm(bench *b, int shape)
{
    rki_gemm call = {.m = side(b), .n = side(b), .k = side(b)};
    static const int64_t large[][3] = {{1, 600, 500}, {300, 257, 200}, {130, 1025, 64},
        {65, 70, 2049}, {513, 31, 300}, {1024, 96, 7}, {7, 3000, 33}, {33, 4, 3000},
        /* several blocks of rows, columns and k, transposed in every way */
        {110, 300, 600}, {110, 300, 600}, {110, 300, 600}, {110, 300, 600}};
    enum { LARGE = sizeof large / sizeof large[0] };
    if (shape >= GEMM_SHAPES - LARGE) {
        const int64_t *size = large[shape - (GEMM_SHAPES - LARGE)];
        call.m = size[0];
        call.n = size[1];
        call.k = size[2];
    }
    int plain = b->format == RKI_PLAIN;
    call.transpose_a = plain ? shape & 1 : 0;
    call.transpose_b = plain ? shape >> 1 & 1 : 1;
    call.accumulate = shape >> 2 & 1;
    call.training = plain && shape >> 4 & 1;
    int with_bias = shape >> 3 & 1, gap = shape % 3 == 0 ? 5 : 0;
    call.lda = (call.transpose_a ? call.m : call.k) + gap;
    call.ldb = (call.transpose_b ? call.k : call.n) + gap;
    call.ldc = call.n + gap;
    label(b, "m=%d n=%d k=%d ta=%d tb=%d accumulate=%d bias=%d gap=%d", (int)call.m, (int)call.n,
        (int)call.k, call.transpose_a, call.transpose_b, call.accumulate, with_bias, gap);
    call.a =
        inner(b, shape % 5 == 3 ? shape % 8 : 0, (call.transpose_a ? call.k : call.m) * call.lda);
    if (plain)
        call.b = inner(
            b, shape % 5 == 4 ? shape % 8 : 0, (call.transpose_b ? call.n : call.k) * call.ldb);
    else
        choose_weight(b, shape, &call);
    if (with_bias) call.bias = inner(b, shape % 7 == 2 ? shape % 4 : 0, call.n);
    /* With gaps between the rows of c the elements in the gaps must stay as they are. */
    int written_whole = !call.accumulate && gap == 0;
    call.c = written_whole ? unwritten(b, call.m * call.ldc)
                           : inner(b, shape % 7 == 4 ? shape % 8 : 0, call.m * call.ldc);
    if (plain && shape % 5 < 2) keep_b(b, &call);
    call.scratch = scratch(b, b->on->ops->gemm_scratch(b->on->self, &call));
    succeed(b, b->on->ops->gemm(b->on->self, &call));
    keep(b, "c", call.c, call.m * call.ldc);
}

void run_add_scaled(bench *b, int shape)
{
    int64_t count = shape < 20 ? shape + 1 : 1000 * (shape - 19) * (shape - 19) * 7 + shape;
    double alpha = draw_value(b);
    label(b, "count=%d", (int)count);
    void *x = input(b, count, 1.0), *y = input(b, count, 1.0);
    succeed(b, b->on->ops->add_scaled(b->on->self, count, alpha, x, y));
    keep(b, "y", y, count);
}

void run_column_sum(bench *b, int shape)
{
    int64_t m = shape < 20 ? side(b) : 700 + shape, n = shape < 20 ? side(b) : 301 + shape;
    int accumulate = shape & 1;
    label(b, "m=%d n=%d accumulate=%d", (int)m, (int)n, accumulate);
    void *a = input(b, m * n, 1.0);
    void *out = accumulate ? input(b, n, 1.0) : unwritten(b, n);
    succeed(b, b->on->ops->column_sum(b->on->self, m, n, a, accumulate, out));
    keep(b, "out", out, n);
}
