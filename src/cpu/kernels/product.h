/* Products of matrices in register tiles (tile.h): a block of k at a time over packed b, or, for a
 * single tile's rows, over b where it lies.
 */
#ifndef RKI_CPU_KERNELS_PRODUCT_H
#define RKI_CPU_KERNELS_PRODUCT_H

#include <string.h>

#include "cpu/kernels/finish.h"
#include "cpu/kernels/tile.h"

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

static inline void finish_tile(
    const rki_product *call, int64_t begin, int64_t rows, int64_t column, int64_t n, const vf *sums)
{
    for (int64_t r = 0; r < rows; r++)
        finish_row(n, call->bias ? call->bias + column : NULL, call->add,
            call->c + (begin + r) * call->ldc + column, sums + r * PANEL_VECTORS);
}

/* What is to be read later on, and how many lines of it each tile asks for. */
typedef struct product_fetch {
    fetching what[LATER]; /* a and b of the next block; the next tile's rows of a */
    int64_t share[LATER];
} product_fetch;

/* To be through after `times` tiles. */
static INLINE void start_fetch(product_fetch *fetch, int i, const rki_fetch *what, int64_t times)
{
    fetch->what[i] = start_fetching(what->from, what->rows, what->width, what->stride);
    fetch->share[i] = (fetch->what[i].lines + times - 1) / times;
}

/* Before a tile: what it is to ask for; afterwards: how far that has come. */
static INLINE void take_shares(const product_fetch *fetch, asks *ask)
{
    UNROLL for (int i = 0; i < LATER; i++)
    {
        ask->later[i] = fetch->what[i];
        if (ask->later[i].lines > fetch->share[i]) ask->later[i].lines = fetch->share[i];
    }
}

static INLINE void return_shares(product_fetch *fetch, const asks *ask)
{
    UNROLL for (int i = 0; i < LATER; i++)
    {
        int64_t left = fetch->what[i].lines;
        fetch->what[i] = ask->later[i];
        fetch->what[i].lines = left > fetch->share[i] ? left - fetch->share[i] : 0;
    }
}

/* The tiles of `rows` rows from `begin` on, over all columns. The rows of c lie apart, so that no
 * prefetcher sees them come. */
static INLINE void product_rows(const rki_product *call, int64_t begin, int64_t rows,
    const int transposed, product_fetch *fetch)
{
    const float *panel = call->panels;
    for (int64_t j = 0; j < call->n; j += PANEL) {
        int64_t n = call->n - j < PANEL ? call->n - j : PANEL, vectors = panel_vectors(n);
        vf sums[TILE_ROWS * PANEL_VECTORS];
        asks ask = {.written = start_fetching(call->c + begin * call->ldc + j, rows, n, call->ldc)};
        take_shares(fetch, &ask);
        if (transposed)
            tile_sum_vectors(TILE_ROWS, vectors, FLOATS, 1, call->k, call->a + begin, 1, call->lda,
                panel, LINE, vectors * LANES, &ask, sums);
        else
            tile_sum_rows(rows, vectors, 1, call->k, call->a + begin * call->lda, call->lda, panel,
                vectors * LANES, &ask, sums);
        return_shares(fetch, &ask);
        finish_tile(call, begin, rows, j, n, sums);
        panel += call->k * vectors * LANES;
    }
}

static INLINE product_fetch start_product_fetch(const rki_product *call)
{
    int64_t tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    int64_t times = tiles * ((call->n + PANEL - 1) / PANEL);
    product_fetch fetch = {0};
    start_fetch(&fetch, 0, &call->next_a, times);
    start_fetch(&fetch, 1, &call->next_b, times);
    return fetch;
}

/* One block of k with a read in place: its rows are contiguous in k. */
static void product_in_place(const rki_product *call)
{
    int64_t tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    product_fetch fetch = start_product_fetch(call);
    for (int64_t t = 0; t < tiles; t++) {
        int64_t begin = tile_begin(call->rows, tiles, t);
        int64_t end = tile_begin(call->rows, tiles, t + 1);
        int64_t after = t + 1 < tiles ? tile_begin(call->rows, tiles, t + 2) - end : 0;
        rki_fetch next = {call->a + end * call->lda, after, call->k, call->lda};
        start_fetch(&fetch, 2, &next, (call->n + PANEL - 1) / PANEL);
        product_rows(call, begin, end - begin, 0, &fetch);
    }
}

/* One block of k with a stored [k][rows], whole tiles of them. */
static void product_transposed(const rki_product *call)
{
    product_fetch fetch = start_product_fetch(call);
    for (int64_t i = 0; i < call->rows; i += TILE_ROWS) {
        int64_t rows = call->rows - i < TILE_ROWS ? call->rows - i : TILE_ROWS;
        product_rows(call, i, rows, 1, &fetch);
    }
}

static void kernel_product(const rki_product *call)
{
    if (call->transposed)
        product_transposed(call);
    else
        product_in_place(call);
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
        tile_sum_rows(
            call->rows, vectors, i == begin, steps, call->a + i, call->lda, b, b_step, NULL, sums);
    }
}

/* A whole product of a single tile's rows: b is read once, where it lies. */
static void kernel_narrow(const rki_narrow *call)
{
    int64_t block = rki_block_steps(call->k);
    for (int64_t j = 0; j < call->n; j += PANEL) {
        int64_t n = call->n - j < PANEL ? call->n - j : PANEL;
        for (int64_t begin = 0; begin < call->k; begin += block) {
            int64_t end = call->k - begin < block ? call->k : begin + block;
            vf sums[TILE_ROWS * PANEL_VECTORS];
            narrow_block(call, begin, end, j, n, sums);
            for (int64_t r = 0; r < call->rows; r++)
                finish_row(n, call->bias && begin == 0 ? call->bias + j : NULL,
                    call->add || begin > 0, call->c + r * call->ldc + j, sums + r * PANEL_VECTORS);
        }
    }
}

#endif
