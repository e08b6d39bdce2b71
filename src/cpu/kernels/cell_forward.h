/* One step of a recurrent layer, product and cell in one pass.
 *
 * A panel holds the weights of LANES hidden units with their gates side by side (Elman: of PANEL
 * units), so that the sums of a unit end in the same lane of a tile's vectors, and the cell follows
 * at once; equations: backend.h. z keeps the usual layout, a row of all r, then all z, n. The order
 * of summation is product.h's with z (for the n of a GRU: the bias) for start value, so the result
 * is that of a product into z and the cell after it.
 */
#ifndef RKI_CPU_KERNELS_CELL_FORWARD_H
#define RKI_CPU_KERNELS_CELL_FORWARD_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/product.h"

/* Panels of [k][gate][LANES]; units behind the last are zeros. */
static void kernel_pack_gates(int64_t gates, int64_t hidden, const float *weight_hh, float *panels)
{
    for (int64_t u = 0; u < hidden; u += LANES) {
        for (int64_t gate = 0; gate < gates; gate++) {
            const float *from = weight_hh + (gate * hidden + u) * hidden;
            for (int64_t k = 0; k < hidden; k += LANES)
                pack_square(hidden - k < LANES ? hidden - k : LANES, hidden - u, from + k, hidden,
                    gates * LANES, panels + (k * gates + gate) * LANES);
        }
        panels += hidden * gates * LANES;
    }
}

/* total += weight_hh h for the tile of `rows` rows from `begin` on and the panel's vectors. */
static INLINE void add_products(const rki_cell_step *call, int64_t begin, int64_t rows,
    const int64_t vectors, const float *panel, vf total[TILE_ROWS * PANEL_VECTORS])
{
    for (int64_t k = 0; k < call->hidden; k += RKI_BLOCK_K) {
        int64_t steps = call->hidden - k < RKI_BLOCK_K ? call->hidden - k : RKI_BLOCK_K;
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->h + (begin + (r < rows ? r : 0)) * call->ldh + k;
        vf sums[TILE_ROWS * PANEL_VECTORS];
        tile_sum_rows(
            rows, vectors, 1, steps, row, panel + k * vectors * LANES, vectors * LANES, sums);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t v = 0; v < vectors; v++)
                total[r * PANEL_VECTORS + v] =
                    vf_add(total[r * PANEL_VECTORS + v], sums[r * PANEL_VECTORS + v]);
    }
}

/* The cells, for one row and `n` units from unit u on. */

static INLINE void lstm_cell(
    const rki_cell_step *call, int64_t row, int64_t u, int64_t n, const vf *s)
{
    int64_t at = row * call->hidden + u;
    vf i = vf_sigmoid(s[0]), f = vf_sigmoid(s[1]), g = vf_tanh(s[2]), o = vf_sigmoid(s[3]);
    vf c = vf_fma(f, vf_load_n(call->c + at, n), vf_mul(i, g));
    vf_store_n(call->c_next + at, c, n);
    vf_store_n(call->h_next + row * call->ldh_next + u, vf_mul(o, vf_tanh(c)), n);
    if (!call->keep) return;
    float *gates = call->z + row * 4 * call->hidden + u;
    vf_store_n(gates, i, n);
    vf_store_n(gates + call->hidden, f, n);
    vf_store_n(gates + 2 * call->hidden, g, n);
    vf_store_n(gates + 3 * call->hidden, o, n);
}

static INLINE void gru_cell(
    const rki_cell_step *call, int64_t row, int64_t u, int64_t n, const vf *s)
{
    float *gates = call->z + row * 3 * call->hidden + u;
    vf h = vf_load_n(call->h + row * call->ldh + u, n);
    vf r = vf_sigmoid(s[0]), z = vf_sigmoid(s[1]);
    vf fresh = vf_tanh(vf_fma(r, s[2], vf_load_n(gates + 2 * call->hidden, n)));
    vf_store_n(call->h_next + row * call->ldh_next + u, vf_fma(z, vf_sub(h, fresh), fresh), n);
    if (!call->keep) return;
    vf_store_n(gates, r, n);
    vf_store_n(gates + call->hidden, z, n);
    vf_store_n(gates + 2 * call->hidden, fresh, n);
    vf_store_n(call->reset + row * call->hidden + u, s[2], n);
}

static INLINE void elman_cell(const rki_cell_step *call, int64_t row, int64_t u, int64_t n, vf s)
{
    /* s second: a NaN passes. */
    vf h = call->cell == RKI_CELL_TANH ? vf_tanh(s) : vf_max(vf_zero(), s);
    vf_store_n(call->h_next + row * call->ldh_next + u, h, n);
    if (call->keep) vf_store_n(call->z + row * call->hidden + u, h, n);
}

/* A tile of LANES units with `gates` gates. */
static INLINE void gated_tile(const rki_cell_step *call, const int64_t gates, int64_t begin,
    int64_t rows, int64_t u, int64_t n)
{
    vf total[TILE_ROWS * PANEL_VECTORS];
    for (int64_t r = 0; r < rows; r++) {
        const float *z = call->z + (begin + r) * gates * call->hidden + u;
        for (int64_t gate = 0; gate < gates; gate++)
            total[r * PANEL_VECTORS + gate] = vf_load_n(z + gate * call->hidden, n);
        if (gates == 3 && call->panels)
            total[r * PANEL_VECTORS + 2] =
                call->bias_n ? vf_load_n(call->bias_n + u, n) : vf_zero();
        if (gates == 3 && !call->panels)
            total[r * PANEL_VECTORS + 2] =
                vf_load_n(call->reset + (begin + r) * call->hidden + u, n);
    }
    if (call->panels)
        add_products(call, begin, rows, gates, call->panels + u * gates * call->hidden, total);
    for (int64_t r = 0; r < rows; r++) {
        if (gates == 4)
            lstm_cell(call, begin + r, u, n, total + r * PANEL_VECTORS);
        else
            gru_cell(call, begin + r, u, n, total + r * PANEL_VECTORS);
    }
}

/* A tile of PANEL units without gates. */
static INLINE void elman_tile(
    const rki_cell_step *call, int64_t begin, int64_t rows, int64_t u, int64_t n)
{
    vf total[TILE_ROWS * PANEL_VECTORS];
    int64_t vectors = panel_vectors(n);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            total[r * PANEL_VECTORS + v] =
                vf_load_n(call->z + (begin + r) * call->hidden + u + v * LANES,
                    n - v * LANES < LANES ? n - v * LANES : LANES);
    if (call->panels)
        add_products(call, begin, rows, vectors, call->panels + u * call->hidden, total);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            elman_cell(call, begin + r, u + v * LANES,
                n - v * LANES < LANES ? n - v * LANES : LANES, total[r * PANEL_VECTORS + v]);
}

static void kernel_cell_step(const rki_cell_step *call)
{
    int64_t tiles = (call->count + TILE_ROWS - 1) / TILE_ROWS;
    int64_t width = call->cell >= RKI_CELL_GRU ? LANES : PANEL;
    for (int64_t u = 0; u < call->hidden; u += width) {
        int64_t n = call->hidden - u < width ? call->hidden - u : width;
        for (int64_t t = 0; t < tiles; t++) {
            int64_t begin = tile_begin(call->count, tiles, t);
            int64_t rows = tile_begin(call->count, tiles, t + 1) - begin;
            if (call->cell == RKI_CELL_LSTM)
                gated_tile(call, 4, begin, rows, u, n);
            else if (call->cell == RKI_CELL_GRU)
                gated_tile(call, 3, begin, rows, u, n);
            else
                elman_tile(call, begin, rows, u, n);
        }
    }
}

#endif
