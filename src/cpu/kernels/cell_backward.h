/* The gradient of one step of a recurrent layer, product and cell in one pass.
 *
 * A tile computes dh = dy + weight_hh^T dz_after for PANEL units, and the cell's gradient follows.
 * An LSTM with t = tanh(c), dc carried from step to step: dc = dc + dh o (1 - t^2) dz_i = dc g i (1
 * - i)    dz_f = dc c_before f (1 - f) dz_g = dc i (1 - g^2)    dz_o = dh t o (1 - o) dc_before =
 * dc f A GRU, with q = u_n + b_hh_n and dh z carried: dn = dh (1 - z) (1 - n^2)      dz_r = dn q r
 * (1 - r)      dz_z = dh (h_before - n) z (1 - z) dz_n = dn r Elman: dz = dh f'(s), by the value of
 * f.
 */
#ifndef RKI_CPU_KERNELS_CELL_BACKWARD_H
#define RKI_CPU_KERNELS_CELL_BACKWARD_H

#include "cpu/kernels/activations.h"
#include "cpu/kernels/product.h"

/* s (1 - s) times what comes down: the derivative of the sigmoid by its value. */
static inline vf below_sigmoid(vf down, vf s)
{
    return vf_mul(down, vf_fnma(s, s, s));
}

static inline vf below_tanh(vf down, vf t)
{
    return vf_mul(down, vf_fnma(t, t, vf_set1(1.0f)));
}

static INLINE void lstm_gradient(
    const rki_cell_gradient *call, int64_t row, int64_t u, int64_t n, vf dh)
{
    vf one = vf_set1(1.0f);
    int64_t hidden = call->hidden, at = row * hidden + u;
    const float *gates = call->gates + row * 4 * hidden + u;
    vf i = vf_load_n(gates, n), f = vf_load_n(gates + hidden, n);
    vf g = vf_load_n(gates + 2 * hidden, n), o = vf_load_n(gates + 3 * hidden, n);
    vf t = vf_tanh(vf_load_n(call->c + at, n));
    vf dc = vf_fma(vf_mul(dh, o), vf_fnma(t, t, one), vf_load_n(call->carry + at, n));
    float *dz = call->dz + row * 4 * hidden + u;
    vf_store_n(dz, below_sigmoid(vf_mul(dc, g), i), n);
    vf_store_n(dz + hidden, below_sigmoid(vf_mul(dc, vf_load_n(call->c_before + at, n)), f), n);
    vf_store_n(dz + 2 * hidden, below_tanh(vf_mul(dc, i), g), n);
    vf_store_n(dz + 3 * hidden, below_sigmoid(vf_mul(dh, t), o), n);
    vf_store_n(call->carry + at, vf_mul(dc, f), n);
}

static INLINE void gru_gradient(
    const rki_cell_gradient *call, int64_t row, int64_t u, int64_t n, vf dh)
{
    int64_t hidden = call->hidden, at = row * hidden + u;
    const float *gates = call->gates + row * 3 * hidden + u;
    vf r = vf_load_n(gates, n), z = vf_load_n(gates + hidden, n);
    vf fresh = vf_load_n(gates + 2 * hidden, n), q = vf_load_n(call->reset + at, n);
    vf h = vf_load_n(call->h_before + row * call->ldh + u, n);
    vf dn = below_tanh(vf_fnma(dh, z, dh), fresh);
    float *dz = call->dz + row * 3 * hidden + u;
    vf_store_n(dz, below_sigmoid(vf_mul(dn, q), r), n);
    vf_store_n(dz + hidden, below_sigmoid(vf_mul(dh, vf_sub(h, fresh)), z), n);
    vf_store_n(dz + 2 * hidden, vf_mul(dn, r), n);
    vf_store_n(call->dn + at, dn, n);
    vf_store_n(call->carry + at, vf_mul(dh, z), n);
}

static INLINE void elman_gradient(
    const rki_cell_gradient *call, int64_t row, int64_t u, int64_t n, vf dh)
{
    int64_t at = row * call->hidden + u;
    vf h = vf_load_n(call->gates + at, n), zero = vf_zero();
    /* A NaN for h is not above 0, and h * 0 is NaN again. */
    vf slope = vf_select(vf_less(zero, h), vf_set1(1.0f), vf_mul(h, zero));
    vf dz = call->cell == RKI_CELL_TANH ? below_tanh(dh, h) : vf_mul(dh, slope);
    vf_store_n(call->dz + at, dz, n);
}

/* What starts the sum for one vector: dy, dh, and the carried part of a GRU. */
static INLINE vf gradient_start(const rki_cell_gradient *call, int64_t row, int64_t u, int64_t n)
{
    vf dh = call->dy ? vf_load_n(call->dy + row * call->lddy + u, n) : vf_zero();
    if (call->dh) dh = vf_add(dh, vf_load_n(call->dh + row * call->hidden + u, n));
    if (call->panels && call->cell == RKI_CELL_GRU)
        dh = vf_add(dh, vf_load_n(call->carry + row * call->hidden + u, n));
    return dh;
}

/* total = start + weight_hh^T dz_after for `rows` rows of a panel. */
static INLINE void gradient_panel(const rki_cell_gradient *call, int64_t begin, int64_t rows,
    int64_t u, int64_t n, vf total[GROUP_ROWS * PANEL_VECTORS])
{
    int64_t vectors = panel_vectors(n), all = rki_cell_gates(call->cell) * call->hidden;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++)
            total[r * PANEL_VECTORS + v] = gradient_start(
                call, begin + r, u + v * LANES, n - v * LANES < LANES ? n - v * LANES : LANES);
    if (call->panels == 0) return;
    panel_sum sum = {.rows = rows,
        .vectors = vectors,
        .k = all,
        .a = call->dz_after + begin * all,
        .lda = all,
        .panel = call->panels + u * all,
        .end = call->panels + (call->hidden + LANES - 1) / LANES * LANES * all};
    add_panel(&sum, total);
}

static INLINE void unit_gradients(
    const rki_cell_gradient *call, int64_t row, int64_t u, int64_t n, vf dh)
{
    if (call->cell == RKI_CELL_LSTM)
        lstm_gradient(call, row, u, n, dh);
    else if (call->cell == RKI_CELL_GRU)
        gru_gradient(call, row, u, n, dh);
    else
        elman_gradient(call, row, u, n, dh);
}

static void kernel_cell_gradient(const rki_cell_gradient *call)
{
    for (int64_t u = 0; u < call->hidden; u += PANEL) {
        int64_t n = call->hidden - u < PANEL ? call->hidden - u : PANEL;
        for (int64_t begin = 0; begin < call->count; begin += GROUP_ROWS) {
            int64_t rows = call->count - begin < GROUP_ROWS ? call->count - begin : GROUP_ROWS;
            vf total[GROUP_ROWS * PANEL_VECTORS];
            gradient_panel(call, begin, rows, u, n, total);
            for (int64_t r = 0; r < rows; r++)
                for (int64_t v = 0; v * LANES < n; v++)
                    unit_gradients(call, begin + r, u + v * LANES,
                        n - v * LANES < LANES ? n - v * LANES : LANES,
                        total[r * PANEL_VECTORS + v]);
        }
    }
}

#endif
