/* One step of a recurrent layer, product and cell in one pass.
 *
 * A panel holds the weights of LANES hidden units with their gates side by side (Elman: of PANEL
 * units), so that the sums of a unit end in the same lane of a tile's vectors, and the cell follows
 * at once; equations: backend.h. z keeps the usual layout, a row of all r, then all z, n. The order
 * of summation is tile.h's with z (for the n of a GRU: the bias) for start value, so the result
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

/* total += weight_hh h for `rows` rows from `begin` on and the units from u on, of which each has
 * `gates` vectors. */
static INLINE void add_products(const rki_cell_step *call, const int64_t gates, int64_t begin,
    int64_t rows, int64_t u, int64_t vectors, vf *total)
{
    int64_t units = (call->hidden + LANES - 1) / LANES * LANES;
    panel_sum sum = {.rows = rows,
        .vectors = vectors,
        .k = call->hidden,
        .a = call->h + begin * call->ldh,
        .lda = call->ldh,
        .panel = call->panels + u * gates * call->hidden,
        .end = call->panels + units * gates * call->hidden};
    add_panel(&sum, total);
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

/* Where the sums of a row of LANES units with `gates` gates start from. */
static INLINE void gated_start(
    const rki_cell_step *call, const int64_t gates, int64_t row, int64_t u, int64_t n, vf *total)
{
    const float *z = call->z + row * gates * call->hidden + u;
    for (int64_t gate = 0; gate < gates; gate++)
        total[gate] = vf_load_n(z + gate * call->hidden, n);
    if (gates == 3 && call->panels)
        total[2] = call->bias_n ? vf_load_n(call->bias_n + u, n) : vf_zero();
    if (gates == 3 && !call->panels) total[2] = vf_load_n(call->reset + row * call->hidden + u, n);
}

/* `rows` rows of LANES units with `gates` gates. */
static INLINE void gated_panel(const rki_cell_step *call, const int64_t gates, int64_t begin,
    int64_t rows, int64_t u, int64_t n)
{
    vf total[GROUP_ROWS * PANEL_VECTORS];
    for (int64_t r = 0; r < rows; r++)
        gated_start(call, gates, begin + r, u, n, total + r * PANEL_VECTORS);
    if (call->panels) add_products(call, gates, begin, rows, u, gates, total);
    for (int64_t r = 0; r < rows; r++) {
        if (gates == 4)
            lstm_cell(call, begin + r, u, n, total + r * PANEL_VECTORS);
        else
            gru_cell(call, begin + r, u, n, total + r * PANEL_VECTORS);
    }
}

/* `rows` rows of PANEL units without gates. */
static INLINE void elman_panel(
    const rki_cell_step *call, int64_t begin, int64_t rows, int64_t u, int64_t n)
{
    vf total[GROUP_ROWS * PANEL_VECTORS];
    int64_t vectors = panel_vectors(n);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            total[r * PANEL_VECTORS + v] =
                vf_load_n(call->z + (begin + r) * call->hidden + u + v * LANES,
                    n - v * LANES < LANES ? n - v * LANES : LANES);
    if (call->panels) add_products(call, 1, begin, rows, u, vectors, total);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            elman_cell(call, begin + r, u + v * LANES,
                n - v * LANES < LANES ? n - v * LANES : LANES, total[r * PANEL_VECTORS + v]);
}

static void kernel_cell_step(const rki_cell_step *call)
{
    int64_t width = call->cell >= RKI_CELL_GRU ? LANES : PANEL;
    for (int64_t u = 0; u < call->hidden; u += width) {
        int64_t n = call->hidden - u < width ? call->hidden - u : width;
        for (int64_t begin = 0; begin < call->count; begin += GROUP_ROWS) {
            int64_t rows = call->count - begin < GROUP_ROWS ? call->count - begin : GROUP_ROWS;
            if (call->cell == RKI_CELL_LSTM)
                gated_panel(call, 4, begin, rows, u, n);
            else if (call->cell == RKI_CELL_GRU)
                gated_panel(call, 3, begin, rows, u, n);
            else
                elman_panel(call, begin, rows, u, n);
        }
    }
}

#endif
