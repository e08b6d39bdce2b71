/* What the cells make of dh, the gradient of a unit's state, in kernels that walk a whole sequence
 * back. Equations in docs/math.
 *
 * `load` fetches what a step needs, `prepare` does what can be done of it before dh is known;
 * `gradients` writes the gates' gradients
 * and returns those that go through W_hh. It leaves in *carry what goes to the step before past that
 * product: a part of dc (LSTM) or of dh (GRU).
 */
#ifndef RKI_CUDA_GATES_BACKWARD_CUH
#define RKI_CUDA_GATES_BACKWARD_CUH

#include "persistent.cuh"

/* A unit of a row at a step: where its numbers are. */
struct rki_cuda_spot {
    int64_t k, rank, position, unit;
};

struct rki_cuda_lstm_backward {
    static const int gates = 4, carries = 1, carries_h = 0;
    struct values {
        float i, f, g, o, c_before, dy, tanh_c;
    };

    static __device__ values load(const rki_cuda_backward &call, const rki_cuda_spot &at)
    {
        int64_t hidden = call.hidden;
        const float *gates_of = call.gates + at.position * 4 * hidden + at.unit;
        values v;
        v.i = gates_of[0];
        v.f = gates_of[hidden];
        v.g = gates_of[2 * hidden];
        v.o = gates_of[3 * hidden];
        v.c_before = at.k == 0
                         ? call.c_first[at.rank * hidden + at.unit]
                         : call.c_all[(call.walk.offset(at.k - 1) + at.rank) * hidden + at.unit];
        v.dy = call.dy[at.position * call.lddy + at.unit];
        return v;
    }
    static __device__ void prepare(values *v)
    {
        v->tanh_c = rki_cuda_tanh(fmaf(v->f, v->c_before, v->i * v->g));
    }
    static __device__ float4 gradients(const rki_cuda_backward &call, const rki_cuda_spot &at,
        const values &v, float dh, float *carry)
    {
        float *ds = call.ds_a + at.position * 4 * call.hidden + at.unit;
        float d = fmaf(dh * v.o, 1.0f - v.tanh_c * v.tanh_c, *carry);
        float4 s = make_float4(d * v.g * v.i * (1.0f - v.i), d * v.c_before * v.f * (1.0f - v.f),
            d * v.i * (1.0f - v.g * v.g), dh * v.tanh_c * v.o * (1.0f - v.o));
        ds[0] = s.x;
        ds[call.hidden] = s.y;
        ds[2 * call.hidden] = s.z;
        ds[3 * call.hidden] = s.w;
        *carry = d * v.f;
        return s;
    }
};

struct rki_cuda_gru_backward {
    static const int gates = 3, carries = 1, carries_h = 1;
    struct values {
        float r, z, n, before, u_n, dy;
    };

    static __device__ values load(const rki_cuda_backward &call, const rki_cuda_spot &at)
    {
        const float *gates_of = call.gates + at.position * 3 * call.hidden + at.unit;
        int64_t place = at.position * call.hidden + at.unit;
        values v;
        v.r = gates_of[0];
        v.z = gates_of[call.hidden];
        v.n = gates_of[2 * call.hidden];
        v.before = call.h_before[place];
        v.u_n = call.u_n[place];
        v.dy = call.dy[at.position * call.lddy + at.unit];
        return v;
    }
    static __device__ void prepare(values *)
    {
    }
    static __device__ float4 gradients(const rki_cuda_backward &call, const rki_cuda_spot &at,
        const values &v, float dh, float *carry)
    {
        int64_t first = at.position * 3 * call.hidden + at.unit;
        float *ds_a = call.ds_a + first, *ds_u = call.ds_u + first;
        float ds_n = dh * (1.0f - v.z) * (1.0f - v.n * v.n);
        float ds_z = dh * (v.before - v.n) * v.z * (1.0f - v.z);
        float ds_r = ds_n * v.u_n * v.r * (1.0f - v.r);
        ds_a[0] = ds_u[0] = ds_r;
        ds_a[call.hidden] = ds_u[call.hidden] = ds_z;
        ds_a[2 * call.hidden] = ds_n;
        ds_u[2 * call.hidden] = ds_n * v.r;
        *carry = dh * v.z;
        return make_float4(ds_r, ds_z, ds_n * v.r, 0.0f);
    }
};

template <bool Relu> struct rki_cuda_elman_backward {
    static const int gates = 1, carries = 0, carries_h = 0;
    struct values {
        float h, dy;
    };

    static __device__ values load(const rki_cuda_backward &call, const rki_cuda_spot &at)
    {
        values v;
        v.h = call.gates[at.position * call.hidden + at.unit];
        v.dy = call.dy[at.position * call.lddy + at.unit];
        return v;
    }
    static __device__ void prepare(values *)
    {
    }
    static __device__ float4 gradients(
        const rki_cuda_backward &call, const rki_cuda_spot &at, const values &v, float dh, float *)
    {
        float slope = !Relu ? 1.0f - v.h * v.h : v.h > 0.0f ? 1.0f : v.h * 0.0f; /* NaN passes */
        float ds = dh * slope;
        call.ds_a[at.position * call.hidden + at.unit] = ds;
        return make_float4(ds, 0.0f, 0.0f, 0.0f);
    }
};

/* The gradient of a last state that was given, of a row by rank. */
static __device__ inline float rki_cuda_given(
    const rki_cuda_backward &call, const float *given, int64_t rank, int64_t unit)
{
    if (given == NULL) return 0.0f;
    return given[(call.ranks == NULL ? rank : call.ranks[rank]) * call.hidden + unit];
}

#endif
