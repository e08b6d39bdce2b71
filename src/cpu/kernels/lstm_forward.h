/* One step of an LSTM, product and cell in one pass.
 *
 * A panel holds the weights of LANES hidden units with their four gates side by side, so that the
 * four sums of a unit end in the same lane of a tile's four vectors, and the cell follows at once:
 *   z = z + weight_hh h      i = sigmoid(z_i)  f = sigmoid(z_f)  g = tanh(z_g)  o = sigmoid(z_o)
 *   c' = f c + (i g)         h' = o tanh(c')
 * z keeps the usual layout, a row of all i, then all f, g, o. The order of summation is product.h's
 * with z for start value, so the result is that of a product into z and the cell after it.
 */
#ifndef RKI_CPU_KERNELS_LSTM_FORWARD_H
#define RKI_CPU_KERNELS_LSTM_FORWARD_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/product.h"

enum { GATES = 4 };
_Static_assert((int)GATES == (int)PANEL_VECTORS, "a tile's vectors are the four gates");

/* Panels of [hidden][gate][LANES]; units behind the last are zeros. */
static void kernel_pack_lstm(int64_t hidden, const float *weight_hh, float *panels)
{
    for (int64_t u = 0; u < hidden; u += LANES) {
        for (int64_t gate = 0; gate < GATES; gate++) {
            const float *from = weight_hh + (gate * hidden + u) * hidden;
            for (int64_t k = 0; k < hidden; k += LANES)
                pack_square(hidden - k < LANES ? hidden - k : LANES, hidden - u, from + k, hidden,
                    PANEL, panels + k * PANEL + gate * LANES);
        }
        panels += hidden * PANEL;
    }
}

/* The cell for one row and `n` units from unit u on. */
static INLINE void cell(const rki_lstm_step *call, int64_t row, int64_t u, int64_t n, const vf *z)
{
    int64_t at = row * call->hidden + u;
    vf i = vf_sigmoid(z[0]), f = vf_sigmoid(z[1]), g = vf_tanh(z[2]), o = vf_sigmoid(z[3]);
    vf c = vf_fma(f, vf_load_n(call->c + at, n), vf_mul(i, g));
    vf_store_n(call->c_next + at, c, n);
    vf_store_n(call->h_next + at, vf_mul(o, vf_tanh(c)), n);
    if (!call->keep) return;
    float *gates = call->z + row * GATES * call->hidden + u;
    vf_store_n(gates, i, n);
    vf_store_n(gates + call->hidden, f, n);
    vf_store_n(gates + 2 * call->hidden, g, n);
    vf_store_n(gates + 3 * call->hidden, o, n);
}

/* total = z + weight_hh h for one tile. */
static INLINE void lstm_tile(const rki_lstm_step *call, int64_t rows, const int64_t *number,
    int64_t u, int64_t n, vf total[TILE_ROWS * PANEL_VECTORS])
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t gate = 0; gate < GATES; gate++)
            total[r * GATES + gate] =
                vf_load_n(call->z + (number[r] * GATES + gate) * call->hidden + u, n);
    for (int64_t k = 0; call->panels && k < call->hidden; k += RKI_BLOCK_K) {
        int64_t steps = call->hidden - k < RKI_BLOCK_K ? call->hidden - k : RKI_BLOCK_K;
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->h + number[r < rows ? r : 0] * call->hidden + k;
        vf sums[TILE_ROWS * PANEL_VECTORS];
        tile_sum_rows(rows, GATES, 1, steps, row,
            call->panels + u * GATES * call->hidden + k * PANEL, PANEL, sums);
        for (int64_t s = 0; s < rows * GATES; s++)
            total[s] = vf_add(total[s], sums[s]);
    }
}

static void kernel_lstm_step(const rki_lstm_step *call)
{
    int64_t tiles = (call->count + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t u = 0; u < call->hidden; u += LANES) {
        int64_t n = call->hidden - u < LANES ? call->hidden - u : LANES;
        for (int64_t t = 0; t < tiles; t++) {
            int64_t begin = tile_begin(call->count, tiles, t);
            int64_t rows = tile_begin(call->count, tiles, t + 1) - begin;
            int64_t number[TILE_ROWS];
            for (int64_t r = 0; r < rows; r++)
                number[r] = call->rows ? call->rows[begin + r] : begin + r;
            vf total[TILE_ROWS * PANEL_VECTORS];
            lstm_tile(call, rows, number, u, n, total);
            for (int64_t r = 0; r < rows; r++)
                cell(call, number[r], u, n, total + r * GATES);
        }
    }
}

#endif
