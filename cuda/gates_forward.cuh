/* What the cells make of a unit's numbers in kernels that walk a whole sequence, forward. `columns`
 * of a slice belong to a unit, of which the first `gates` are used: with four, a lane's columns are
 * one unit's. Equations in backend/backend.h. */
#ifndef RKI_CUDA_GATES_FORWARD_CUH
#define RKI_CUDA_GATES_FORWARD_CUH

#include "persistent.cuh"

static __device__ inline float4 rki_cuda_add(const float4 &a, const float4 &b)
{
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

struct rki_cuda_lstm_forward {
    static const int columns = 4, gates = 4, keeps_c = 1;

    static __device__ float4 bias(const rki_cuda_forward &call, int64_t unit)
    {
        float sums[4];
        for (int gate = 0; gate < 4; gate++)
            sums[gate] =
                call.bias_ih[gate * call.hidden + unit] + call.bias_hh[gate * call.hidden + unit];
        return make_float4(sums[0], sums[1], sums[2], sums[3]);
    }
    static __device__ float4 input(const rki_cuda_forward &call, const float *a)
    {
        return make_float4(a[0], a[call.hidden], a[2 * call.hidden], a[3 * call.hidden]);
    }
    static __device__ float state(const rki_cuda_forward &call, int64_t position, int64_t unit,
        const float4 &in, const float4 &u, float, float *cell)
    {
        float i = rki_cuda_sigmoid(in.x + u.x), f = rki_cuda_sigmoid(in.y + u.y);
        float g = rki_cuda_tanh(in.z + u.z), o = rki_cuda_sigmoid(in.w + u.w);
        float c = fmaf(f, *cell, i * g);
        *cell = c;
        if (call.training) {
            float *gates_of = call.a + position * 4 * call.hidden + unit;
            gates_of[0] = i;
            gates_of[call.hidden] = f;
            gates_of[2 * call.hidden] = g;
            gates_of[3 * call.hidden] = o;
            call.c_all[position * call.hidden + unit] = c;
        }
        return o * rki_cuda_tanh(c);
    }
};

/* Of its float4s, x is for r and y for z; z is a_n with its bias, w the bias of u_n. */
struct rki_cuda_gru_forward {
    static const int columns = 4, gates = 3, keeps_c = 0;

    static __device__ float4 bias(const rki_cuda_forward &call, int64_t unit)
    {
        const float *ih = call.bias_ih + unit, *hh = call.bias_hh + unit;
        int64_t n = 2 * call.hidden;
        return make_float4(ih[0] + hh[0], ih[call.hidden] + hh[call.hidden], ih[n], hh[n]);
    }
    static __device__ float4 input(const rki_cuda_forward &call, const float *a)
    {
        return make_float4(a[0], a[call.hidden], a[2 * call.hidden], 0.0f);
    }
    static __device__ float state(const rki_cuda_forward &call, int64_t position, int64_t unit,
        const float4 &in, const float4 &u, float before, float *)
    {
        float r = rki_cuda_sigmoid(in.x + u.x), z = rki_cuda_sigmoid(in.y + u.y);
        float u_n = u.z + in.w, n = rki_cuda_tanh(in.z + r * u_n);
        if (call.training) {
            float *gates_of = call.a + position * 3 * call.hidden + unit;
            gates_of[0] = r;
            gates_of[call.hidden] = z;
            gates_of[2 * call.hidden] = n;
            call.u_n[position * call.hidden + unit] = u_n;
        }
        return n + z * (before - n);
    }
};

/* One number, x. */
template <bool Relu> struct rki_cuda_elman_forward {
    static const int columns = 1, gates = 1, keeps_c = 0;

    static __device__ float4 bias(const rki_cuda_forward &call, int64_t unit)
    {
        return make_float4(call.bias_ih[unit] + call.bias_hh[unit], 0.0f, 0.0f, 0.0f);
    }
    static __device__ float4 input(const rki_cuda_forward &, const float *a)
    {
        return make_float4(a[0], 0.0f, 0.0f, 0.0f);
    }
    static __device__ float state(const rki_cuda_forward &call, int64_t position, int64_t unit,
        const float4 &in, const float4 &u, float, float *)
    {
        float sum = in.x + u.x;
        float h = Relu ? (sum <= 0.0f ? 0.0f : sum) : rki_cuda_tanh(sum); /* NaN passes */
        if (call.training) call.a[position * call.hidden + unit] = h;
        return h;
    }
};

#endif
