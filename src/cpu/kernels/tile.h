/* Register tiles: the innermost loop of every product.
 *
 * A tile is TILE_ROWS rows of a times PANEL columns of b: for each step of k, PANEL_VECTORS loads of
 * b, one broadcast per row of a, and a fused multiply-add for every pair. The shape is the largest
 * that the registers hold; b is packed into panels so that its loads are contiguous.
 *
 * The one order of summation. Steps of k are cut into equal blocks (rki_block_steps); a block is
 * summed from zero, step by step, and the blocks' sums are added to the start value in order:
 *   c = ((start + sum of block 0) + sum of block 1) + ...      start: bias, c, their sum, or none
 * Every product keeps to it, whatever the tile, so an element's bits depend on its row of a, its
 * column of b and its start value alone, and are the same on all sets with fused multiply-add.
 */
#ifndef RKI_CPU_KERNELS_TILE_H
#define RKI_CPU_KERNELS_TILE_H

#include "cpu/kernels/kernels.h"
#include "cpu/kernels/simd.h"

#if defined(RKI_KERNELS_AVX512) || defined(RKI_KERNELS_NEON)
enum { TILE_ROWS = 6 };
#elif defined(RKI_KERNELS_AVX2)
enum { TILE_ROWS = 3 };
#else
enum { TILE_ROWS = 2 };
#endif
enum { PANEL_VECTORS = RKI_PANEL_VECTORS, PANEL = PANEL_VECTORS * LANES };

/* Cache lines of [rows][width], from row to row `stride` floats apart, that are asked for one after
 * the other. */
typedef struct fetching {
    const float *row;
    int64_t column, width, stride;
    int64_t lines; /* to go */
} fetching;

enum { LINE = 16 /* floats of one */ };

static INLINE fetching start_fetching(
    const float *from, int64_t rows, int64_t width, int64_t stride)
{
    return (fetching){from, 0, width, stride, rows * ((width + LINE - 1) / LINE)};
}

static INLINE void fetch_lines(fetching *f, int64_t count, const int to_write)
{
    for (; count > 0 && f->lines > 0; count--, f->lines--) {
        if (to_write)
            __builtin_prefetch(f->row + f->column, 1);
        else
            __builtin_prefetch(f->row + f->column, 0, 2);
        f->column += LINE;
        if (f->column >= f->width) {
            f->column = 0;
            f->row += f->stride;
        }
    }
}

/* What a tile asks for while it is summed: `written` is needed at its end, the others later. The
 * lines are dealt out over the steps: a burst would fill the line fill buffers, and the tile's own
 * loads would wait behind it. */
enum { LATER = 3, ASK_STEPS = 4 };

typedef struct asks {
    fetching written, later[LATER];
    int64_t written_share, share[LATER]; /* every ASK_STEPS steps */
} asks;

static INLINE void start_asks(asks *a, int64_t k)
{
    int64_t times = k / ASK_STEPS;
    if (times == 0) times = 1;
    a->written_share = (a->written.lines + times - 1) / times;
    UNROLL for (int i = 0; i < LATER; i++) a->share[i] = (a->later[i].lines + times - 1) / times;
}

static INLINE void ask_some(asks *a)
{
    fetch_lines(&a->written, a->written_share, 1);
    UNROLL for (int i = 0; i < LATER; i++) fetch_lines(&a->later[i], a->share[i], 0);
}

/* What b is made of: floats, or a line's numbers are of two halves each, bfloat16 of its low and its
 * high rows, of which the tile's first are the low ones or the high. */
typedef enum tile_form { FLOATS, HALVES_LOW, HALVES_HIGH } tile_form;

/* Vector v of a step of b, whose lines stand b_line floats apart: LINE in a panel, where they lie side
 * by side; in a packed weight (backend/formats.h) each group has its own. */
static INLINE vf step_vector(
    const tile_form form, const float *b, const int64_t b_line, const int v)
{
    if (form == FLOATS) return vf_load(b + v * LANES / LINE * b_line + v * LANES % LINE);
    const int half = v * LANES / LINE + (form == HALVES_HIGH);
    vi both = vi_load((const int32_t *)(const void *)(b + half / 2 * b_line + v * LANES % LINE));
    return vi_as_float(
        half % 2 ? vi_and(both, vi_set1((int32_t)0xFFFF0000u)) : vi_shift_left(both, 16));
}

/* One step of k; the element of row r of a is a[r * row_step]. Beside the sums, the registers hold
 * the vectors of b or the elements of a, whichever are fewer. */
static INLINE void tile_step(const int rows, const int vectors, const tile_form form,
    const float *a, const int64_t row_step, const float *b, const int64_t b_line,
    vf sum[TILE_ROWS][PANEL_VECTORS])
{
    vf held[RKI_MOST_TILE_ROWS];
    if (vectors < rows) {
        UNROLL for (int v = 0; v < vectors; v++) held[v] = step_vector(form, b, b_line, v);
        UNROLL for (int r = 0; r < rows; r++)
        {
            vf x = vf_set1(a[r * row_step]);
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = vf_fma(x, held[v], sum[r][v]);
        }
    } else {
        UNROLL for (int r = 0; r < rows; r++) held[r] = vf_set1(a[r * row_step]);
        UNROLL for (int v = 0; v < vectors; v++)
        {
            vf w = step_vector(form, b, b_line, v);
            UNROLL for (int r = 0; r < rows; r++) sum[r][v] = vf_fma(held[r], w, sum[r][v]);
        }
    }
}

/* The products of one tile, for `k` steps, as sums that start from zero when `fresh`, else go on;
 * row r, vector v of them is sums[r * PANEL_VECTORS + v]. ask may be NULL. */
static INLINE void tile_sum(const int rows, const int vectors, const tile_form form, int fresh,
    int64_t k, const float *a, const int64_t row_step, const int64_t step, const float *b,
    const int64_t b_line, const int64_t b_step, asks *ask, vf *sums)
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
    if (ask) start_asks(ask, k);
    for (; k >= ASK_STEPS; k -= ASK_STEPS) {
        if (ask) ask_some(ask);
        UNROLL for (int s = 0; s < ASK_STEPS; s++)
        {
            tile_step(rows, vectors, form, a, row_step, b, b_line, sum);
            a += step;
            b += b_step;
        }
    }
    for (; k > 0; k--) {
        tile_step(rows, vectors, form, a, row_step, b, b_line, sum);
        a += step;
        b += b_step;
    }
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int v = 0; v < vectors; v++) sums[r * PANEL_VECTORS + v] = sum[r][v];
    }
}

/* tile_sum with the number of vectors known at compile time ... */
static INLINE void tile_sum_vectors(const int rows, int64_t vectors, const tile_form form,
    int fresh, int64_t k, const float *a, const int64_t row_step, const int64_t step,
    const float *b, const int64_t b_line, const int64_t b_step, asks *ask, vf *sums)
{
    switch (vectors) {
    case 4:
        tile_sum(rows, 4, form, fresh, k, a, row_step, step, b, b_line, b_step, ask, sums);
        break;
    case 3:
        tile_sum(rows, 3, form, fresh, k, a, row_step, step, b, b_line, b_step, ask, sums);
        break;
    case 2:
        tile_sum(rows, 2, form, fresh, k, a, row_step, step, b, b_line, b_step, ask, sums);
        break;
    default:
        tile_sum(rows, 1, form, fresh, k, a, row_step, step, b, b_line, b_step, ask, sums);
        break;
    }
}

/* ... and with that of rows, for rows of a that are contiguous in k and stand lda apart. */
static INLINE void tile_sum_both(int64_t rows, int64_t vectors, const tile_form form, int fresh,
    int64_t k, const float *a, int64_t lda, const float *b, const int64_t b_line,
    const int64_t b_step, asks *ask, vf *sums)
{
    switch (rows) {
    case 1:
        tile_sum_vectors(1, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
    case 2:
        tile_sum_vectors(2, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
#if defined(RKI_KERNELS_AVX512) || defined(RKI_KERNELS_NEON)
    case 3:
        tile_sum_vectors(3, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
    case 4:
        tile_sum_vectors(4, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
    case 5:
        tile_sum_vectors(5, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
#endif
    default:
        tile_sum_vectors(
            TILE_ROWS, vectors, form, fresh, k, a, lda, 1, b, b_line, b_step, ask, sums);
        break;
    }
}

/* With b in a panel, or where it lies with its columns side by side. */
static void tile_sum_rows(int64_t rows, int64_t vectors, int fresh, int64_t k, const float *a,
    int64_t lda, const float *b, int64_t b_step, asks *ask, vf *sums)
{
    tile_sum_both(rows, vectors, FLOATS, fresh, k, a, lda, b, LINE, b_step, ask, sums);
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

/* Rows whose sums add_panel keeps at a time. */
enum { GROUP_ROWS = 8 * TILE_ROWS };

/* What add_panel sums: total[r * PANEL_VECTORS + v] += a[r][:] panel[:][v]. */
typedef struct panel_sum {
    int64_t rows, vectors, k; /* rows: GROUP_ROWS at most */
    const float *a;
    int64_t lda;
    const float *panel; /* [k][vectors * LANES] */
    const float *end;   /* of all panels, which lie one behind the other */
} panel_sum;

/* A tile of it, for the block of `steps` from k on. Meanwhile what lies behind the block, and is
 * needed next, is brought nearer: each tile asks for its share. */
static INLINE void add_tile(
    const panel_sum *sum, int64_t k, int64_t steps, int64_t begin, int64_t rows, vf *total)
{
    const float *block = sum->panel + k * sum->vectors * LANES;
    int64_t size = steps * sum->vectors * LANES, behind = sum->end - (block + size);
    vf sums[TILE_ROWS * PANEL_VECTORS];
    asks ask = {0};
    if (rows < sum->rows && behind >= size) {
        int64_t lines = size / LINE, first = lines * begin / sum->rows;
        int64_t share = lines * (begin + rows) / sum->rows - first;
        ask.later[0] = start_fetching(block + size + first * LINE, 1, share * LINE, 0);
    }
    tile_sum_rows(rows, sum->vectors, 1, steps, sum->a + begin * sum->lda + k, sum->lda, block,
        sum->vectors * LANES, &ask, sums);
    for (int64_t i = 0; i < rows * PANEL_VECTORS; i += PANEL_VECTORS)
        for (int64_t v = 0; v < sum->vectors; v++)
            total[i + v] = vf_add(total[i + v], sums[i + v]);
}

static void add_panel(const panel_sum *sum, vf *total)
{
    int64_t tiles = (sum->rows + TILE_ROWS - 1) / TILE_ROWS, block = rki_block_steps(sum->k);
    for (int64_t k = 0; k < sum->k; k += block) {
        int64_t steps = sum->k - k < block ? sum->k - k : block;
        for (int64_t t = 0; t < tiles; t++) {
            int64_t begin = tile_begin(sum->rows, tiles, t);
            int64_t rows = tile_begin(sum->rows, tiles, t + 1) - begin;
            add_tile(sum, k, steps, begin, rows, total + begin * PANEL_VECTORS);
        }
    }
}

#endif
