/* Cells of recurrent layers, backward: from dL/dh_t to the gradients of what entered the gates
 * (kernels of one step; a block has a row). docs/math has the equations.
 *
 * What comes back from the step after stands in carry_h and carry_c by rank; a row whose last step
 * this is takes dhn and dcn in its place. A kernel leaves there what goes straight on to the step
 * before (zoneout, and a GRU's z); the product with W_hh is added to that by recurrent_backward.cu.
 */
#ifndef RKI_CUDA_CELLS_BACKWARD_CUH
#define RKI_CUDA_CELLS_BACKWARD_CUH

#include "cells.cuh"

struct rki_cuda_back_step {
    int64_t hidden, width, output;
    const float *gates, *u_n, *c_before, *raw_a, *raw_u;
    const float *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
    const float *h_before; /* [.][output] */
    const float *dy, *dq;  /* dq: what comes through a projection in place of dh' */
    int64_t lddy;
    const float *dhn, *dcn; /* by row of the batch, or NULL */
    const int32_t *ranks;
    int64_t next; /* ranks below have a step after this one */
    float *carry_h, *carry_c;
    float *dh;          /* [.][output] dh' for a projection */
    float *ds_a, *ds_u; /* [.][width] gradients of what is added up in a gate, from x and h */
    float *reset_h, *dreset_h;    /* GRU_BEFORE: r h and its gradient */
    float *through_a, *through_u; /* [.][width] ds behind layer_norm */
    float *norm_a, *norm_u;       /* [.][width] ds normal(.) */
    float *dshown, *norm_shown;   /* [.][hidden] the same of norm_c */
    rki_cuda_zoneout zoneout_h, zoneout_c;
    const int32_t *rows;
    int64_t first_row;
};

static __device__ inline int64_t rki_cuda_place(const rki_cuda_back_step &s)
{
    return s.rows == NULL ? s.first_row + blockIdx.x : s.rows[blockIdx.x];
}

/* What comes back into a state from the future. */
static __device__ inline float rki_cuda_carried(
    const rki_cuda_back_step &s, const float *carry, const float *given, int64_t width, int64_t j)
{
    int64_t r = blockIdx.x;
    if (r < s.next) return carry[r * width + j];
    if (given == NULL) return 0.0f;
    return given[(s.ranks == NULL ? r : s.ranks[r]) * width + j];
}

/* Parts d, the gradient of a state, into what goes to the candidate, which is returned, and what
 * goes straight to the state before. A share of nothing is 0, even of NaN. */
static __device__ inline float rki_cuda_part_zoneout(
    const rki_cuda_zoneout &z, int64_t place, float d, float *direct)
{
    *direct = 0.0f;
    if (z.rate == 0.0f) return d;
    float m = rki_cuda_zoneout_m(z, place);
    if (m != 0.0f) *direct = m * d;
    return m == 0.0f ? d : m == 1.0f ? 0.0f : (1.0f - m) * d;
}

/* dL/dh' of a unit, past zoneout; what goes straight to the state before is left in *direct. */
static __device__ inline float rki_cuda_dh(
    const rki_cuda_back_step &s, int64_t place, int64_t j, float *direct)
{
    int64_t row = blockIdx.x;
    float dh = s.dy[row * s.lddy + j] + rki_cuda_carried(s, s.carry_h, s.dhn, s.output, j);
    return rki_cuda_part_zoneout(s.zoneout_h, place * s.output + j, dh, direct);
}

/* Through normal() and its scale, for a row of `count`: ds -> gradient of the raw product, and
 * ds normal(raw), whose sum over the rows is the scale's gradient. */
static __device__ inline void rki_cuda_norm_back(int64_t count, const float *raw,
    const float *scale, const float *ds, float *through, float *weighted)
{
    rki_cuda_moments of =
        rki_cuda_row_moments(count, (float)RKI_NORM_EPSILON, [=](int64_t i) { return raw[i]; });
    auto normal = [=](int64_t i) { return (raw[i] - of.mean) * of.inverse; };
    auto dn = [=](int64_t i) { return ds[i] * scale[i]; };
    rki_cuda_norm_means means = rki_cuda_row_norm_means(count, dn, normal);
    for (int64_t i = threadIdx.x; i < count; i += RKI_CUDA_CELL_THREADS) {
        float n = normal(i);
        weighted[i] = ds[i] * n;
        through[i] = of.inverse * (dn(i) - means.plain - n * means.weighted);
    }
}

/* Both products of a row, once all its ds are written. */
static __device__ inline void rki_cuda_norms_back(const rki_cuda_back_step &s)
{
    int64_t at = blockIdx.x * s.width;
    __syncthreads();
    rki_cuda_norm_back(
        s.width, s.raw_a + at, s.norm_ih, s.ds_a + at, s.through_a + at, s.norm_a + at);
    rki_cuda_norm_back(
        s.width, s.raw_u + at, s.norm_hh, s.ds_u + at, s.through_u + at, s.norm_u + at);
}

template <bool Relu, bool Norm> static __global__ void elman_back(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, place = rki_cuda_place(s);
    for (int64_t j = threadIdx.x; j < s.hidden; j += RKI_CUDA_CELL_THREADS) {
        float direct, dh = rki_cuda_dh(s, place, j, &direct);
        float h = s.gates[row * s.hidden + j];
        float slope = !Relu ? 1.0f - h * h : h > 0.0f ? 1.0f : h * 0.0f; /* NaN passes */
        s.ds_a[row * s.hidden + j] = dh * slope;
        if (s.zoneout_h.rate != 0.0f) s.carry_h[row * s.output + j] = direct;
    }
    if (Norm) rki_cuda_norms_back(s);
}

template <bool Norm> static __global__ void gru_back(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, place = rki_cuda_place(s), hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += RKI_CUDA_CELL_THREADS) {
        const float *gates = s.gates + row * s.width;
        float *ds_a = s.ds_a + row * s.width, *ds_u = s.ds_u + row * s.width;
        float direct, dh = rki_cuda_dh(s, place, j, &direct);
        float r = gates[j], z = gates[hidden + j], n = gates[2 * hidden + j];
        float before = s.h_before[row * s.output + j];
        float ds_n = dh * (1.0f - z) * (1.0f - n * n);
        float ds_z = dh * (before - n) * z * (1.0f - z);
        float ds_r = ds_n * s.u_n[row * hidden + j] * r * (1.0f - r);
        ds_a[j] = ds_u[j] = ds_r;
        ds_a[hidden + j] = ds_u[hidden + j] = ds_z;
        ds_a[2 * hidden + j] = ds_n;
        ds_u[2 * hidden + j] = ds_n * r;
        s.carry_h[row * s.output + j] = direct + dh * z;
    }
    if (Norm) rki_cuda_norms_back(s);
}

/* Reset before the product: first what needs no product, ... */
static __global__ void gru_before_back_state(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, place = rki_cuda_place(s), hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += RKI_CUDA_CELL_THREADS) {
        const float *gates = s.gates + row * s.width;
        float *ds = s.ds_a + row * s.width;
        float direct, dh = rki_cuda_dh(s, place, j, &direct);
        float z = gates[hidden + j], n = gates[2 * hidden + j];
        float before = s.h_before[row * s.output + j];
        ds[hidden + j] = dh * (before - n) * z * (1.0f - z);
        ds[2 * hidden + j] = dh * (1.0f - z) * (1.0f - n * n);
        s.reset_h[row * hidden + j] = gates[j] * before;
        s.carry_h[row * s.output + j] = direct + dh * z;
    }
}

/* ... then, with the gradient of r h in dreset_h, the reset gate. */
static __global__ void gru_before_back_reset(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, hidden = s.hidden;
    for (int64_t j = threadIdx.x; j < hidden; j += RKI_CUDA_CELL_THREADS) {
        float r = s.gates[row * s.width + j], d = s.dreset_h[row * hidden + j];
        s.ds_a[row * s.width + j] = d * s.h_before[row * s.output + j] * r * (1.0f - r);
        s.carry_h[row * s.output + j] += d * r;
    }
}

/* Before a projection: dh' and what zoneout sends straight on. */
static __global__ void projection_back(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, place = rki_cuda_place(s);
    for (int64_t j = threadIdx.x; j < s.output; j += RKI_CUDA_CELL_THREADS) {
        float direct;
        s.dh[row * s.output + j] = rki_cuda_dh(s, place, j, &direct);
        if (s.zoneout_h.rate != 0.0f) s.carry_h[row * s.output + j] = direct;
    }
}

/* c', as the forward pass had it. */
static __device__ inline float rki_cuda_candidate(
    const float *gates, const float *c_before, int64_t hidden, int64_t j)
{
    return fmaf(gates[hidden + j], c_before[j], gates[j] * gates[2 * hidden + j]);
}

/* From dc', the gradient by c', to the gates and to c before. */
static __device__ inline void rki_cuda_lstm_gates_back(
    const rki_cuda_back_step &s, int64_t place, int64_t j, float dc)
{
    int64_t row = blockIdx.x, hidden = s.hidden;
    const float *gates = s.gates + row * s.width;
    float *ds = s.ds_a + row * s.width;
    float i = gates[j], f = gates[hidden + j], g = gates[2 * hidden + j];
    float carried = rki_cuda_carried(s, s.carry_c, s.dcn, hidden, j), direct;
    dc += rki_cuda_part_zoneout(s.zoneout_c, place * hidden + j, carried, &direct);
    ds[j] = dc * g * i * (1.0f - i);
    ds[hidden + j] = dc * s.c_before[row * hidden + j] * f * (1.0f - f);
    ds[2 * hidden + j] = dc * i * (1.0f - g * g);
    s.carry_c[row * hidden + j] = direct + dc * f;
}

template <bool Norm> static __global__ void lstm_back(rki_cuda_back_step s)
{
    int64_t row = blockIdx.x, place = rki_cuda_place(s), hidden = s.hidden;
    const float *gates = s.gates + row * s.width, *c_before = s.c_before + row * hidden;
    auto candidate = [=](int64_t j) { return rki_cuda_candidate(gates, c_before, hidden, j); };
    rki_cuda_moments of = {};
    if (Norm) of = rki_cuda_row_moments(hidden, (float)RKI_NORM_EPSILON, candidate);
    auto normal = [=](int64_t j) { return (candidate(j) - of.mean) * of.inverse; };
    for (int64_t j = threadIdx.x; j < hidden; j += RKI_CUDA_CELL_THREADS) {
        float direct = 0.0f, o = gates[3 * hidden + j];
        float dq = s.dq != NULL ? s.dq[row * hidden + j] : rki_cuda_dh(s, place, j, &direct);
        float shown = Norm ? fmaf(normal(j), s.norm_c[j], s.norm_c_bias[j]) : candidate(j);
        float tanh_c = rki_cuda_tanh(shown), dshown = dq * o * (1.0f - tanh_c * tanh_c);
        s.ds_a[row * s.width + 3 * hidden + j] = dq * tanh_c * o * (1.0f - o);
        if (s.dq == NULL && s.zoneout_h.rate != 0.0f) s.carry_h[row * s.output + j] = direct;
        if (Norm)
            s.dshown[row * hidden + j] = dshown;
        else
            rki_cuda_lstm_gates_back(s, place, j, dshown);
    }
    if (!Norm) return;
    const float *dshown = s.dshown + row * hidden;
    auto dn = [=](int64_t j) { return dshown[j] * s.norm_c[j]; };
    rki_cuda_norm_means means = rki_cuda_row_norm_means(hidden, dn, normal);
    for (int64_t j = threadIdx.x; j < hidden; j += RKI_CUDA_CELL_THREADS) {
        float n = normal(j);
        s.norm_shown[row * hidden + j] = dshown[j] * n;
        rki_cuda_lstm_gates_back(
            s, place, j, of.inverse * (dn(j) - means.plain - n * means.weighted));
    }
    rki_cuda_norms_back(s);
}

#endif
