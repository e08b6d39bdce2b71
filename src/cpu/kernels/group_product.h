/* Products with packed weights (backend/formats.h): c = start + x W^T, in register tiles (tile.h) over
 * groups where they lie, so that a weight is read once and as memory gives it. Of bfloat16, a line's low
 * halves are one vector, its high ones another; x stays in float.
 *
 * A tile's columns begin with a group. Where those that are wanted begin inside one (the n of a GRU
 * whose hidden size is no multiple of RKI_GROUP), the ones before are summed and left out.
 */
#ifndef RKI_CPU_KERNELS_GROUP_PRODUCT_H
#define RKI_CPU_KERNELS_GROUP_PRODUCT_H

#include "cpu/kernels/product.h"

/* Columns of one tile: `n` of c from j on, the first of which is column `skip` of the tile. */
typedef struct group_cell {
    int64_t j, n, skip, vectors;
    int high;           /* of bfloat16: the tile's first columns are in the high halves */
    const float *group; /* the tile's first, at the first step of k */
} group_cell;

static inline group_cell find_cell(const rki_group_product *call, int64_t j)
{
    int64_t row = call->first + j, skip = row % RKI_GROUP;
    int64_t rows = rki_format_group(call->format), group = row / rows;
    group_cell cell = {.j = j, .n = PANEL - skip, .skip = skip};
    if (cell.n > call->n - j) cell.n = call->n - j;
    cell.vectors = (skip + cell.n + LANES - 1) / LANES;
    cell.high = row % rows >= RKI_GROUP;
    cell.group = call->weight + group * call->columns * RKI_GROUP;
    return cell;
}

/* A row of c from sums whose first `skip` columns are not wanted. */
static void finish_skipped(
    const group_cell *cell, const float *bias, int add, float *c, const vf *sums)
{
    float row[PANEL + LANES];
    for (int64_t v = 0; v < cell->vectors; v++)
        vf_store(row + v * LANES, sums[v]);
    for (int64_t i = 0; i < cell->n; i += LANES) {
        int64_t n = cell->n - i < LANES ? cell->n - i : LANES;
        finish_vector(n, bias ? bias + i : NULL, add, c + i, vf_load_n(row + cell->skip + i, n));
    }
}

static INLINE void sum_group(const tile_form form, const rki_group_product *call,
    const group_cell *cell, int64_t k, int64_t steps, int64_t begin, int64_t rows, vf *sums)
{
    tile_sum_both(rows, cell->vectors, form, 1, steps, call->a + begin * call->lda + k, call->lda,
        cell->group + k * RKI_GROUP, call->columns * RKI_GROUP, RKI_GROUP, NULL, sums);
}

/* One tile, for `steps` of k from k on. */
static void group_tile(const rki_group_product *call, const group_cell *cell, int64_t k,
    int64_t steps, int64_t begin, int64_t rows)
{
    vf sums[TILE_ROWS * PANEL_VECTORS];
    const float *bias = call->bias && k == 0 ? call->bias + cell->j : NULL;
    int add = call->add || k > 0;
    float *c = call->c + begin * call->ldc + cell->j;
    if (call->format == RKI_PACKED)
        sum_group(FLOATS, call, cell, k, steps, begin, rows, sums);
    else if (cell->high)
        sum_group(HALVES_HIGH, call, cell, k, steps, begin, rows, sums);
    else
        sum_group(HALVES_LOW, call, cell, k, steps, begin, rows, sums);
    for (int64_t r = 0; r < rows; r++, c += call->ldc) {
        if (cell->skip == 0)
            finish_row(cell->n, bias, add, c, sums + r * PANEL_VECTORS);
        else
            finish_skipped(cell, bias, add, c, sums + r * PANEL_VECTORS);
    }
}

static void kernel_product_groups(const rki_group_product *call)
{
    int64_t block = rki_block_steps(call->k), tiles = (call->rows + TILE_ROWS - 1) / TILE_ROWS;
    group_cell cell;
    for (int64_t j = 0; j < call->n; j += cell.n) {
        cell = find_cell(call, j);
        for (int64_t k = 0; k < call->k; k += block) {
            int64_t steps = call->k - k < block ? call->k - k : block;
            for (int64_t t = 0; t < tiles; t++) {
                int64_t begin = tile_begin(call->rows, tiles, t);
                group_tile(
                    call, &cell, k, steps, begin, tile_begin(call->rows, tiles, t + 1) - begin);
            }
        }
    }
}

/* LANES rows of a packed weight from `row` on, all in one line. */
static inline vf line_vector(rki_format format, const float *weight, int64_t columns, int64_t row)
{
    int64_t rows = rki_format_group(format);
    const float *line = weight + row / rows * columns * RKI_GROUP;
    if (format == RKI_PACKED) return step_vector(FLOATS, line + row % RKI_GROUP, LINE, 0);
    return row % rows < RKI_GROUP ? step_vector(HALVES_LOW, line + row % RKI_GROUP, LINE, 0)
                                  : step_vector(HALVES_HIGH, line + row % RKI_GROUP, LINE, 0);
}

/* `n` rows of a packed weight from `row` on, LANES at most, with zeros behind: all steps, `step`
 * floats apart. Lines of LANES rows that begin anywhere are made of two. */
static inline void unpack_lanes(rki_format format, int64_t columns, const float *weight,
    int64_t row, int64_t n, int64_t step, float *to)
{
    int64_t skip = row % LANES, rest = n - (LANES - skip);
    float two[2 * LANES] = {0};
    for (int64_t k = 0; k < columns; k++, weight += RKI_GROUP, to += step) {
        vf_store(two, line_vector(format, weight, columns, row - skip));
        if (rest > 0)
            vf_store(two + LANES, line_vector(format, weight, columns, row - skip + LANES));
        vf_store(to, n < LANES ? vf_load_n(two + skip, n) : vf_load(two + skip));
    }
}

static void kernel_pack_again(
    rki_format format, int64_t gates, int64_t hidden, const float *weight_hh, float *panels)
{
    int64_t units = gates == 1 ? PANEL : LANES;
    for (int64_t u = 0; u < hidden; u += units) {
        int64_t vectors = gates == 1 ? panel_vectors(hidden - u) : gates;
        for (int64_t v = 0; v < vectors; v++) {
            int64_t unit = gates == 1 ? u + v * LANES : u, left = hidden - unit;
            unpack_lanes(format, hidden, weight_hh, (gates == 1 ? 0 : v * hidden) + unit,
                left < LANES ? left : LANES, vectors * LANES, panels + v * LANES);
        }
        panels += vectors * LANES * hidden;
    }
}

#endif
