/* One step of the recurrent layer in place, for streaming: the weights are read once, where they
 * lie. The result is that of the same step in a whole forward pass, bit for bit. */
#include <string.h>

#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/recurrent_composed.h"

typedef struct layout {
    float *z, *bias, *h;
    void *gemm;
    rki_composed_room room;
} layout;

/* c [batch][n] (+)= a [batch][k] b^T */
static rki_gemm product(const rki_recurrent *layer, int64_t n, int64_t k)
{
    return (rki_gemm){.transpose_b = 1,
        .m = layer->batch,
        .n = n,
        .k = k,
        .lda = k,
        .ldb = k,
        .ldc = n,
        .b_format = layer->format,
        .b_rows = n};
}

static size_t gemm_scratch(rki_cpu *cpu, const rki_recurrent *layer)
{
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    rki_gemm all[3] = {product(layer, gates, layer->input), product(layer, gates, layer->output),
        product(layer, layer->output, layer->hidden)};
    size_t most = 0;
    for (int i = 0; i < 3; i++) {
        size_t bytes = rki_cpu_gemm_scratch(cpu, &all[i]);
        if (bytes > most) most = bytes;
    }
    return most;
}

static layout cut_scratch(rki_cpu *cpu, const rki_recurrent *layer, rki_pieces *pieces)
{
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    layout at;
    at.z = rki_take_floats(pieces, layer->batch * gates);
    at.bias = rki_take_floats(pieces, gates);
    at.h = rki_take_floats(pieces, layer->batch * layer->output);
    at.gemm = rki_pieces_take(pieces, gemm_scratch(cpu, layer));
    at.room = rki_composed_cut(pieces, layer);
    return at;
}

size_t rki_cpu_recurrent_step_scratch(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    cut_scratch(self, layer, &pieces);
    return pieces.used;
}

int32_t rki_cpu_recurrent_step(void *self, const rki_recurrent_step *call)
{
    uint64_t mode = rki_float_enter();
    const rki_recurrent *layer = &call->layer;
    rki_pieces pieces = {call->scratch, 0};
    layout at = cut_scratch(self, layer, &pieces);
    rki_gemm input = product(layer, rki_cell_gates(layer->cell) * layer->hidden, layer->input);
    input.a = call->x;
    input.b = call->weights.weight_ih;
    if (!layer->layer_norm) input.bias = rki_recurrent_bias(layer, &call->weights, at.bias);
    input.c = at.z;
    input.scratch = at.gemm;
    rki_gemm_run(self, &input, NULL);
    rki_forward_pass p = {.cpu = self,
        .layer = layer,
        .weights = &call->weights,
        .plan = {.layer = layer, .gates = input.n, .steps = 1, .total = layer->batch, .tasks = 1},
        .gemm = at.gemm,
        .h0 = call->h,
        .c0 = call->c,
        .h = at.h,
        .ldh = layer->output,
        .c = call->c,
        .z = at.z,
        .room = at.room};
    rki_composed_step(&p, 0, 0, layer->batch);
    memcpy(call->h, at.h, (size_t)(layer->batch * layer->output) * sizeof(float));
    rki_float_leave(mode);
    return RNNKIT_OK;
}
