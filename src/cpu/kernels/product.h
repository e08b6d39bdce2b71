/* Products of matrices in register tiles.
 *
 * A tile is TILE_ROWS rows of a times PANEL columns of b: for each step of k, PANEL_VECTORS loads of
 * b, one broadcast per row of a, and a fused multiply-add for every pair. The shape is the largest
 * that the registers hold; b is packed into panels so that its loads are contiguous.
 *
 * The one order of summation. Steps of k are cut into blocks of RKI_BLOCK_K; a block is summed from
 * zero, step by step, and the blocks' sums are added to the start value in order:
 *   c = ((start + sum of block 0) + sum of block 1) + ...      start: bias, c, their sum, or none
 * Every function here keeps to it, whatever the tile, so an element's bits depend on its row of a,
 * its column of b and its start value alone, and are the same on all sets with fused multiply-add.
 */
#ifndef RKI_CPU_KERNELS_PRODUCT_H
#define RKI_CPU_KERNELS_PRODUCT_H

#include <string.h>

#include "cpu/kernels/kernels.h"
#include "cpu/kernels/simd.h"

#if defined(RKI_KERNELS_AVX512) || defined(__aarch64__)
enum { TILE_ROWS = 6 };
#elif defined(RKI_KERNELS_AVX2)
enum { TILE_ROWS = 3 };
#else
enum { TILE_ROWS = 2 };
#endif
enum { PANEL_VECTORS = RKI_PANEL_VECTORS, PANEL = PANEL_VECTORS * LANES };

/* The products of one tile, for `k` steps, as sums that start from zero when `fresh`, else go on;
 * row r, vector v of them is sums[r * PANEL_VECTORS + v]. */
static INLINE void tile_sum(const int rows, const int vectors, int fresh, int64_t k,
    const float *const row[TILE_ROWS], const int64_t a_step, const float *b, int64_t b_step,
    vf *sums)
{
    vf sum[TILE_ROWS][PANEL_VECTORS];
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vf_zero();
    }
    if (!fresh) {
        UNROLL for (int r = 0; r < rows; r++)
        {
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = sums[r * PANEL_VECTORS + v];
        }
    }
    for (int64_t i = 0; i < k; i++) {
        vf x[TILE_ROWS];
        UNROLL for (int r = 0; r < rows; r++) x[r] = vf_set1(row[r][i * a_step]);
        UNROLL for (int v = 0; v < vectors; v++)
        {
            vf w = vf_load(b + i * b_step + v * LANES);
            UNROLL for (int r = 0; r < rows; r++) sum[r][v] = vf_fma(x[r], w, sum[r][v]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int v = 0; v < vectors; v++) sums[r * PANEL_VECTORS + v] = sum[r][v];
    }
}

/* tile_sum with the number of vectors known at compile time ... */
static INLINE void tile_sum_vectors(const int rows, int64_t vectors, int fresh, int64_t k,
    const float *const row[TILE_ROWS], const int64_t a_step, const float *b, int64_t b_step,
    vf *sums)
{
    switch (vectors) {
    case 4: tile_sum(rows, 4, fresh, k, row, a_step, b, b_step, sums); break;
    case 3: tile_sum(rows, 3, fresh, k, row, a_step, b, b_step, sums); break;
    case 2: tile_sum(rows, 2, fresh, k, row, a_step, b, b_step, sums); break;
    default: tile_sum(rows, 1, fresh, k, row, a_step, b, b_step, sums); break;
    }
}

/* ... and with that of rows, for a row of a that is contiguous in k. */
static void tile_sum_rows(int64_t rows, int64_t vectors, int fresh, int64_t k,
    const float *const row[TILE_ROWS], const float *b, int64_t b_step, vf *sums)
{
    switch (rows) {
    case 1: tile_sum_vectors(1, vectors, fresh, k, row, 1, b, b_step, sums); break;
    case 2: tile_sum_vectors(2, vectors, fresh, k, row, 1, b, b_step, sums); break;
#if !defined(RKI_KERNELS_AVX2) && (defined(RKI_KERNELS_AVX512) || defined(__aarch64__))
    case 3: tile_sum_vectors(3, vectors, fresh, k, row, 1, b, b_step, sums); break;
    case 4: tile_sum_vectors(4, vectors, fresh, k, row, 1, b, b_step, sums); break;
    case 5: tile_sum_vectors(5, vectors, fresh, k, row, 1, b, b_step, sums); break;
#endif
    default: tile_sum_vectors(TILE_ROWS, vectors, fresh, k, row, 1, b, b_step, sums); break;
    }
}

/* Rows begin .. begin + size of the `index`-th tile when `rows` are shared out evenly. */
static inline int64_t tile_begin(int64_t rows, int64_t tiles, int64_t index)
{
    return rows * index / tiles;
}

/* Vectors of the panel that starts at a column with `left` columns to go. */
static inline int64_t panel_vectors(int64_t left)
{
    return left >= PANEL ? PANEL_VECTORS : (left + LANES - 1) / LANES;
}

/* One vector of c = start + sum. */
static INLINE void finish_vector(int64_t n, const float *bias, int add, float *c, vf sum)
{
    if (bias) {
        vf start = vf_load_n(bias, n);
        if (add) start = vf_add(vf_load_n(c, n), start);
        sum = vf_add(start, sum);
    } else if (add) {
        sum = vf_add(vf_load_n(c, n), sum);
    }
    vf_store_n(c, sum, n);
}

/* c = start + sums, for a row of `n` columns at most PANEL. */
static inline void finish_row(int64_t n, const float *bias, int add, float *c, const vf *sums)
{
    if (n == PANEL) {
        UNROLL for (int v = 0; v < PANEL_VECTORS; v++)
            finish_vector(LANES, bias ? bias + v * LANES : NULL, add, c + v * LANES, sums[v]);
        return;
    }
    for (int64_t v = 0; v * LANES < n; v++)
        finish_vector(n - v * LANES < LANES ? n - v * LANES : LANES, bias ? bias + v * LANES : NULL,
            add, c + v * LANES, sums[v]);
}

/* Asks for a tile of c while its sums are made: its rows lie apart, so no prefetcher sees them
 * come. */
static inline void fetch_tile(
    const rki_product *call, int64_t begin, int64_t rows, int64_t column, int64_t vectors)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            __builtin_prefetch(call->c + (begin + r) * call->ldc + column + v * LANES, 1);
}

static inline void finish_tile(
    const rki_product *call, int64_t begin, int64_t rows, int64_t column, int64_t n, const vf *sums)
{
    for (int64_t r = 0; r < rows; r++)
        finish_row(n, call->bias ? call->bias + column : NULL, call->add,
            call->c + (begin + r) * call->ldc + column, sums + r * PANEL_VECTORS);
}

/* How far an rki_fetch has come, and how many cache lines it asks for at a time. */
typedef struct fetching {
    const rki_fetch *what;
    int64_t row, column, lines;
} fetching;

enum { LINE = 16 }; /* floats of a cache line */

/* To be through after `times` times. */
static inline fetching start_fetch(const rki_fetch *what, int64_t times)
{
    int64_t lines = what->rows * ((what->width + LINE - 1) / LINE);
    return (fetching){what, 0, 0, (lines + times - 1) / times};
}

static inline void fetch_some(fetching *f)
{
    for (int64_t i = 0; i < f->lines && f->row < f->what->rows; i++) {
        __builtin_prefetch(f->what->from + f->row * f->what->stride + f->column, 0, 2);
        f->column += LINE;
        if (f->column >= f->what->width) {
            f->column = 0;
            f->row++;
        }
    }
}

/* What is asked for during a call, and during a tile of rows. */
typedef struct product_fetch {
    fetching next_a, next_b, next_tile;
} product_fetch;

/* The tiles of `rows` rows from `begin` on, over all columns. */
static INLINE void product_rows(const rki_product *call, int64_t begin, int64_t rows,
    const float *const row[TILE_ROWS], const int packed, product_fetch *fetch)
{
    const float *panel = call->panels;
    for (int64_t j = 0; j < call->n; j += PANEL) {
        int64_t n = call->n - j < PANEL ? call->n - j : PANEL, vectors = panel_vectors(n);
        vf sums[TILE_ROWS * PANEL_VECTORS];
        fetch_tile(call, begin, rows, j, vectors);
        fetch_some(&fetch->next_a);
        fetch_some(&fetch->next_b);
        if (!packed) fetch_some(&fetch->next_tile);
        if (packed)
            tile_sum_vectors(
                TILE_ROWS, vectors, 1, call->k, row, TILE_ROWS, panel, vectors * LANES, sums);
        else
            tile_sum_rows(rows, vectors, 1, call->k, row, panel, vectors * LANES, sums);
        finish_tile(call, begin, rows, j, n, sums);
        panel += call->k * vectors * LANES;
    }
}

static inline product_fetch start_product_fetch(const rki_product *call)
{
    int64_t tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    int64_t times = tiles * ((call->n + PANEL - 1) / PANEL);
    return (product_fetch){
        start_fetch(&call->next_a, times), start_fetch(&call->next_b, times), {0}};
}

/* One block of k with a read in place: its rows are contiguous in k. */
static void product_in_place(const rki_product *call)
{
    int64_t tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    product_fetch fetch = start_product_fetch(call);
    for (int64_t t = 0; t < tiles; t++) {
        int64_t begin = tile_begin(call->rows, tiles, t);
        int64_t end = tile_begin(call->rows, tiles, t + 1);
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->a + (begin + r < end ? begin + r : begin) * call->lda;
        rki_fetch next = {call->a + end * call->lda,
            t + 1 < tiles ? tile_begin(call->rows, tiles, t + 2) - end : 0, call->k, call->lda};
        fetch.next_tile = start_fetch(&next, (call->n + PANEL - 1) / PANEL);
        product_rows(call, begin, end - begin, row, 0, &fetch);
    }
}

/* One block of k with a packed by pack_a. */
static void product_packed(const rki_product *call)
{
    product_fetch fetch = start_product_fetch(call);
    for (int64_t i = 0; i < call->rows; i += TILE_ROWS) {
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->a + i * call->k + r;
        int64_t rows = call->rows - i < TILE_ROWS ? call->rows - i : TILE_ROWS;
        product_rows(call, i, rows, row, 1, &fetch);
    }
}

static void kernel_product(const rki_product *call)
{
    if (call->a_packed)
        product_packed(call);
    else
        product_in_place(call);
}

/* Steps of k that are packed at a time: a tile's piece is then some whole cache lines, and those
 * of different tiles, which may all fall into the same set of a cache, need not stay in it. */
enum { PACK_STEPS = 8 };

static inline void pack_tile(int64_t steps, int64_t rows, const float *const *from, float *packed)
{
    if (rows >= TILE_ROWS) {
        for (int64_t i = 0; i < steps; i++)
            memcpy(packed + i * TILE_ROWS, from[i], TILE_ROWS * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < steps; i++)
        for (int64_t r = 0; r < TILE_ROWS; r++)
            packed[i * TILE_ROWS + r] = r < rows ? from[i][r] : 0.0f;
}

/* a stored [k][rows]: tiles of [k][TILE_ROWS], zeros behind the last row. Step i of k is stored
 * row list[i], or i without a list. */
static void kernel_pack_a(
    int64_t rows, int64_t k, const float *a, int64_t lda, const int32_t *list, float *packed)
{
    for (int64_t i = 0; i < k; i += PACK_STEPS) {
        int64_t steps = k - i < PACK_STEPS ? k - i : PACK_STEPS;
        const float *from[PACK_STEPS];
        for (int64_t s = 0; s < steps; s++)
            from[s] = a + (list ? list[i + s] : i + s) * lda;
        for (int64_t s = 0; s < PACK_STEPS && i + PACK_STEPS + s < k; s++) {
            const float *next = a + (list ? list[i + PACK_STEPS + s] : i + PACK_STEPS + s) * lda;
            for (int64_t r = 0; r < rows; r += 16)
                __builtin_prefetch(next + r, 0, 2);
        }
        for (int64_t r = 0; r < rows; r += TILE_ROWS) {
            pack_tile(steps, rows - r, from, packed + r * k + i * TILE_ROWS);
            for (int64_t s = 0; s < steps; s++)
                from[s] += TILE_ROWS;
        }
    }
}

/* A panel of b stored [k][n]. */
static void pack_panel(
    int64_t k, int64_t n, const float *b, int64_t ldb, const int32_t *list, float *panel)
{
    int64_t vectors = panel_vectors(n);
    for (int64_t i = 0; i < k; i++) {
        const float *from = b + (list ? list[i] : i) * ldb;
        for (int64_t v = 0; v < vectors; v++) {
            int64_t left = n - v * LANES;
            vf_store(panel,
                left >= LANES ? vf_load(from + v * LANES) : vf_load_n(from + v * LANES, left));
            panel += LANES;
        }
    }
}

/* One vector of columns of b stored [n][k], for `steps` of k, at most LANES. */
static inline void pack_square(
    int64_t steps, int64_t n, const float *b, int64_t ldb, int64_t panel_step, float *panel)
{
    vf square[LANES];
    if (n >= LANES && steps == LANES) {
        vf_transpose_load(b, ldb, square);
    } else {
        float part[LANES * LANES];
        for (int64_t j = 0; j < LANES; j++)
            vf_store(part + j * LANES, j < n ? vf_load_n(b + j * ldb, steps) : vf_zero());
        vf_transpose_load(part, LANES, square);
    }
    for (int64_t i = 0; i < steps; i++)
        vf_store(panel + i * panel_step, square[i]);
}

/* A panel of b stored [n][k]. */
static void pack_panel_transposed(int64_t k, int64_t n, const float *b, int64_t ldb, float *panel)
{
    int64_t step = panel_vectors(n) * LANES;
    for (int64_t i = 0; i < k; i += LANES)
        for (int64_t j = 0; j < n; j += LANES)
            pack_square(k - i < LANES ? k - i : LANES, n - j, b + j * ldb + i, ldb, step,
                panel + i * step + j);
}

static void kernel_pack_b(int64_t k, int64_t n, const float *b, int64_t ldb, int transposed,
    const int32_t *list, float *panels)
{
    for (int64_t j = 0; j < n; j += PANEL) {
        int64_t left = n - j < PANEL ? n - j : PANEL;
        if (transposed)
            pack_panel_transposed(k, left, b + j * ldb, ldb, panels);
        else
            pack_panel(k, left, b + j, ldb, list, panels);
        panels += k * panel_vectors(left) * LANES;
    }
}

/* Steps of k that kernel_narrow packs at a time, so that the panel's piece stays in the first
 * cache. */
enum { NARROW_K = 64 };

/* The sums of one block of k for a narrow product's tile. */
static inline void narrow_block(const rki_narrow *call, int64_t begin, int64_t end, int64_t column,
    int64_t n, vf sums[TILE_ROWS * PANEL_VECTORS])
{
    float piece[NARROW_K * PANEL];
    int64_t vectors = panel_vectors(n);
    for (int64_t i = begin; i < end; i += NARROW_K) {
        int64_t steps = end - i < NARROW_K ? end - i : NARROW_K;
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->a + (r < call->rows ? r : 0) * call->lda + i;
        const float *b = call->b + i * call->ldb + column;
        int64_t b_step = call->ldb;
        if (call->transposed)
            pack_panel_transposed(steps, n, call->b + column * call->ldb + i, call->ldb, piece);
        else if (n % LANES)
            pack_panel(steps, n, b, call->ldb, NULL, piece);
        if (call->transposed || n % LANES) {
            b = piece;
            b_step = vectors * LANES;
        }
        tile_sum_rows(call->rows, vectors, i == begin, steps, row, b, b_step, sums);
    }
}

/* A whole product of a single tile's rows: b is read once, where it lies. */
static void kernel_narrow(const rki_narrow *call)
{
    for (int64_t j = 0; j < call->n; j += PANEL) {
        int64_t n = call->n - j < PANEL ? call->n - j : PANEL;
        for (int64_t begin = 0; begin < call->k; begin += RKI_BLOCK_K) {
            int64_t end = call->k - begin < RKI_BLOCK_K ? call->k : begin + RKI_BLOCK_K;
            vf sums[TILE_ROWS * PANEL_VECTORS];
            narrow_block(call, begin, end, j, n, sums);
            for (int64_t r = 0; r < call->rows; r++)
                finish_row(n, call->bias && begin == 0 ? call->bias + j : NULL,
                    call->add || begin > 0, call->c + r * call->ldc + j, sums + r * PANEL_VECTORS);
        }
    }
}

#endif
