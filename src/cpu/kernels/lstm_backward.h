/* The gradient of one step of an LSTM, product and cell in one pass.
 *
 * A tile computes dh = dy + weight_hh^T dz_after for PANEL units, and the cell's gradient follows:
 *   t = tanh(c)              dc = dc + dh o (1 - t^2)
 *   dz_i = dc g i (1 - i)    dz_f = dc c_before f (1 - f)
 *   dz_g = dc i (1 - g^2)    dz_o = dh t o (1 - o)          dc_before = dc f
 */
#ifndef RKI_CPU_KERNELS_LSTM_BACKWARD_H
#define RKI_CPU_KERNELS_LSTM_BACKWARD_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/lstm_forward.h"
#include "cpu/kernels/product.h"

/* s (1 - s) times what comes down: the derivative of the sigmoid by its value. */
static inline vf through_sigmoid(vf down, vf s)
{
    return vf_mul(down, vf_fnma(s, s, s));
}

static INLINE void cell_gradient(
    const rki_lstm_gradient *call, int64_t row, int64_t u, int64_t n, vf dh)
{
    vf one = vf_set1(1.0f);
    int64_t hidden = call->hidden, at = row * hidden + u;
    const float *gates = call->gates + row * GATES * hidden + u;
    vf i = vf_load_n(gates, n), f = vf_load_n(gates + hidden, n);
    vf g = vf_load_n(gates + 2 * hidden, n), o = vf_load_n(gates + 3 * hidden, n);
    vf t = vf_tanh(vf_load_n(call->c + at, n));
    vf dc = vf_fma(vf_mul(dh, o), vf_fnma(t, t, one), vf_load_n(call->dc + at, n));
    float *dz = call->dz + row * GATES * hidden + u;
    vf_store_n(dz, through_sigmoid(vf_mul(dc, g), i), n);
    vf_store_n(dz + hidden, through_sigmoid(vf_mul(dc, vf_load_n(call->c_before + at, n)), f), n);
    vf_store_n(dz + 2 * hidden, vf_mul(vf_mul(dc, i), vf_fnma(g, g, one)), n);
    vf_store_n(dz + 3 * hidden, through_sigmoid(vf_mul(dh, t), o), n);
    vf_store_n(call->dc + at, vf_mul(dc, f), n);
}

/* total = dy + weight_hh^T dz_after (or + dh) for one tile. */
static INLINE void gradient_tile(const rki_lstm_gradient *call, int64_t rows,
    const int64_t *number, int64_t u, int64_t n, vf total[TILE_ROWS * PANEL_VECTORS])
{
    int64_t vectors = panel_vectors(n), all = GATES * call->hidden;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++) {
            int64_t at = number[r] * call->hidden + u + v * LANES, left = n - v * LANES;
            left = left < LANES ? left : LANES;
            vf dh = vf_load_n(call->dy + at, left);
            if (call->panels == NULL && call->dh) dh = vf_add(dh, vf_load_n(call->dh + at, left));
            total[r * PANEL_VECTORS + v] = dh;
        }
    for (int64_t k = 0; call->panels && k < all; k += RKI_BLOCK_K) {
        int64_t steps = all - k < RKI_BLOCK_K ? all - k : RKI_BLOCK_K;
        const float *row[TILE_ROWS];
        for (int64_t r = 0; r < TILE_ROWS; r++)
            row[r] = call->dz_after + number[r < rows ? r : 0] * all + k;
        vf sums[TILE_ROWS * PANEL_VECTORS];
        tile_sum_rows(rows, vectors, 1, steps, row, call->panels + u * all + k * vectors * LANES,
            vectors * LANES, sums);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t v = 0; v < vectors; v++)
                total[r * PANEL_VECTORS + v] =
                    vf_add(total[r * PANEL_VECTORS + v], sums[r * PANEL_VECTORS + v]);
    }
}

static void kernel_lstm_gradient(const rki_lstm_gradient *call)
{
    int64_t tiles = (call->count + TILE_ROWS - 1) / TILE_ROWS;
    for (int64_t u = 0; u < call->hidden; u += PANEL) {
        int64_t n = call->hidden - u < PANEL ? call->hidden - u : PANEL;
        for (int64_t t = 0; t < tiles; t++) {
            int64_t begin = tile_begin(call->count, tiles, t);
            int64_t rows = tile_begin(call->count, tiles, t + 1) - begin;
            int64_t number[TILE_ROWS];
            for (int64_t r = 0; r < rows; r++)
                number[r] = call->rows ? call->rows[begin + r] : begin + r;
            vf total[TILE_ROWS * PANEL_VECTORS];
            gradient_tile(call, rows, number, u, n, total);
            for (int64_t r = 0; r < rows; r++)
                for (int64_t v = 0; v * LANES < n; v++)
                    cell_gradient(call, number[r], u + v * LANES,
                        n - v * LANES < LANES ? n - v * LANES : LANES,
                        total[r * PANEL_VECTORS + v]);
        }
    }
}

#endif
