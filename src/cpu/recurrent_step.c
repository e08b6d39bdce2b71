/* One step of the recurrent layer in place, for streaming: the weights are read once, where they
 * lie. The result is that of the same step in a whole forward pass, bit for bit.
 *
 * With packed weights a step is bound by reading them alone, so all sums of a gate's units, of the
 * input and of the state, are made in one go, a few units after the other, and the cells follow.
 * Steps go through the units to and fro: what the last step read last is still in a cache.
 */
#include <string.h>

#include "base/float_mode.h"
#include "cpu/blocks.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
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

/* Steps with packed weights. */

enum {
    UNITS = 4 * RKI_GROUP, /* rows of a weight at a time; a thread has a multiple of these */
    WORK_STEP = 1 << 18,   /* multiply-adds that make another thread worth its while */
    LEAST_ROWS = 4 /* a step with fewer is no quicker: reading the weights takes that long */
};

typedef struct packed_step {
    const rki_cpu *cpu;
    const rki_recurrent_step *call;
    const float *bias, *bias_n;
    float *z, *reset, *sum; /* sum: room for the biases' */
    int64_t gates, both;    /* sums; those, the first, that take W_ih x and W_hh h together */
} packed_step;

static packed_step cut_packed(const rki_cpu *cpu, const rki_recurrent *layer, rki_pieces *pieces)
{
    packed_step s = {.cpu = cpu, .gates = rki_cell_gates(layer->cell) * layer->hidden};
    s.both = layer->cell == RKI_CELL_GRU ? 2 * layer->hidden : s.gates;
    s.z = rki_take_floats(pieces, layer->batch * s.gates);
    s.sum = rki_take_floats(pieces, s.gates);
    if (s.both < s.gates) s.reset = rki_take_floats(pieces, layer->batch * layer->hidden);
    return s;
}

static int runs_packed(const rki_recurrent *layer)
{
    return rki_format_packed(layer->format) && rki_recurrent_fused(layer);
}

/* The sums `first` .. end - 1, all in `both` or none. */
static void sum_units(const packed_step *s, int64_t first, int64_t end)
{
    const rki_recurrent *layer = &s->call->layer;
    rki_group_product product = {.rows = layer->batch,
        .n = end - first,
        .k = layer->input,
        .a = s->call->x,
        .lda = layer->input,
        .format = layer->format,
        .weight = s->call->weights.weight_ih,
        .columns = layer->input,
        .first = first,
        .bias = s->bias ? s->bias + first : NULL,
        .c = s->z + first,
        .ldc = s->gates};
    s->cpu->kernels->product_groups(&product);
    product.k = product.lda = product.columns = layer->hidden;
    product.a = s->call->h;
    product.weight = s->call->weights.weight_hh;
    product.bias = NULL;
    product.add = 1;
    if (first >= s->both) {
        product.bias = s->bias_n ? s->bias_n + first - s->both : NULL;
        product.add = 0;
        product.c = s->reset + first - s->both;
        product.ldc = layer->hidden;
    }
    s->cpu->kernels->product_groups(&product);
}

static void sum_some(void *user, int64_t begin, int64_t end)
{
    const packed_step *s = user;
    int64_t count = rki_blocks(end - begin, UNITS);
    for (int64_t i = 0; i < count; i++) {
        int64_t first = begin + (s->call->back ? count - 1 - i : i) * UNITS;
        int64_t last = rki_smaller(first + UNITS, end), middle = s->both;
        if (first < middle && middle < last) {
            sum_units(s, first, middle);
            first = middle;
        }
        sum_units(s, first, last);
    }
}

/* Sums for a thread. */
static int64_t share(const packed_step *s)
{
    const rki_recurrent *layer = &s->call->layer;
    int64_t rows = layer->batch < LEAST_ROWS ? LEAST_ROWS : layer->batch;
    double work = (double)s->gates * (double)(layer->input + layer->hidden) * (double)rows;
    double tasks = work / WORK_STEP + 1;
    if (tasks > (double)s->cpu->threads) tasks = (double)s->cpu->threads;
    return rki_blocks(rki_blocks(s->gates, (int64_t)tasks), UNITS) * UNITS;
}

static void run_packed(const rki_cpu *cpu, const rki_recurrent_step *call)
{
    const rki_recurrent *layer = &call->layer;
    rki_pieces pieces = {call->scratch, 0};
    packed_step s = cut_packed(cpu, layer, &pieces);
    s.call = call;
    s.bias = rki_recurrent_bias(layer, &call->weights, s.sum);
    s.bias_n = rki_recurrent_bias_n(layer, &call->weights);
    rki_parallel_blocks(cpu->threads, s.gates, share(&s), sum_some, &s);
    rki_cell_step cells = {.cell = layer->cell,
        .hidden = layer->hidden,
        .count = layer->batch,
        .h = call->h,
        .ldh = layer->hidden,
        .c = call->c,
        .z = s.z,
        .reset = s.reset,
        .h_next = call->h,
        .ldh_next = layer->hidden,
        .c_next = call->c};
    cpu->kernels->cell_step(&cells);
}

size_t rki_cpu_recurrent_step_scratch(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    if (runs_packed(layer))
        cut_packed(self, layer, &pieces);
    else
        cut_scratch(self, layer, &pieces);
    return pieces.used;
}

static void run_composed(rki_cpu *self, const rki_recurrent_step *call)
{
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
}

int32_t rki_cpu_recurrent_step(void *self, const rki_recurrent_step *call)
{
    uint64_t mode = rki_float_enter();
    if (runs_packed(&call->layer))
        run_packed(self, call);
    else
        run_composed(self, call);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
