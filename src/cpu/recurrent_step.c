/* One step of the recurrent layer in place, for streaming: the weights are read once, where they
 * lie. The result is that of the same step in a whole forward pass, bit for bit. */
#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent.h"

typedef struct layout {
    float *z, *bias;
    void *gemm;
} layout;

typedef struct step {
    const rki_cpu *cpu;
    const rki_recurrent_step *call;
    float *z;
} step;

/* z [batch][4 hidden] (+)= source weight^T */
static rki_gemm gate_product(int64_t batch, int64_t width, int64_t hidden)
{
    return (rki_gemm){.transpose_b = 1,
        .m = batch,
        .n = RKI_GATES * hidden,
        .k = width,
        .lda = width,
        .ldb = width,
        .ldc = RKI_GATES * hidden};
}

static layout cut_scratch(
    rki_cpu *cpu, int64_t batch, int64_t input, int64_t hidden, rki_pieces *pieces)
{
    rki_gemm products[2] = {
        gate_product(batch, input, hidden), gate_product(batch, hidden, hidden)};
    size_t bytes = rki_cpu_gemm_scratch(cpu, &products[0]);
    size_t other = rki_cpu_gemm_scratch(cpu, &products[1]);
    layout at;
    at.z = rki_take_floats(pieces, batch * RKI_GATES * hidden);
    at.bias = rki_take_floats(pieces, RKI_GATES * hidden);
    at.gemm = rki_pieces_take(pieces, bytes > other ? bytes : other);
    return at;
}

size_t rki_cpu_recurrent_step_scratch(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    cut_scratch(self, layer->batch, layer->input, layer->hidden, &pieces);
    return pieces.used;
}

static void run_cells(void *user, int64_t begin, int64_t end)
{
    const step *s = user;
    const rki_recurrent_step *call = s->call;
    float *h = (float *)call->h + begin * call->layer.hidden,
          *c = (float *)call->c + begin * call->layer.hidden;
    rki_lstm_step cells = {.hidden = call->layer.hidden,
        .count = end - begin,
        .h = h,
        .c = c,
        .z = s->z + begin * RKI_GATES * call->layer.hidden,
        .h_next = h,
        .c_next = c};
    s->cpu->kernels->lstm_step(&cells);
}

int32_t rki_cpu_recurrent_step(void *self, const rki_recurrent_step *call)
{
    RKI_TRY(rki_recurrent_check(self, &call->layer));
    uint64_t mode = rki_float_enter();
    rki_pieces pieces = {call->scratch, 0};
    layout at =
        cut_scratch(self, call->layer.batch, call->layer.input, call->layer.hidden, &pieces);
    rki_gemm product = gate_product(call->layer.batch, call->layer.input, call->layer.hidden);
    product.a = call->x;
    product.b = call->weights.weight_ih;
    product.bias = rki_recurrent_bias(
        call->weights.bias_ih, call->weights.bias_hh, RKI_GATES * call->layer.hidden, at.bias);
    product.c = at.z;
    product.scratch = at.gemm;
    rki_gemm_run(self, &product, NULL);
    product = gate_product(call->layer.batch, call->layer.hidden, call->layer.hidden);
    product.accumulate = 1;
    product.a = call->h;
    product.b = call->weights.weight_hh;
    product.c = at.z;
    product.scratch = at.gemm;
    rki_gemm_run(self, &product, NULL);
    step s = {self, call, at.z};
    rki_parallel_blocks(1, call->layer.batch, call->layer.batch, run_cells, &s);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
