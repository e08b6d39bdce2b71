/* What the passes of the recurrent layer share. See recurrent.h. */
#include "cpu/recurrent.h"

enum { ALIGNMENT = 64 };

void *rki_pieces_take(rki_pieces *pieces, size_t bytes)
{
    size_t at = pieces->used;
    pieces->used = at + (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return pieces->block ? pieces->block + at : NULL;
}

int64_t rki_packed_count(const rki_cpu *cpu, int64_t k, int64_t n)
{
    int64_t lanes = cpu->kernels->lanes;
    return (n + lanes - 1) / lanes * lanes * k;
}

void rki_packed_make(const rki_cpu *cpu, int64_t k, int64_t n, const float *weight, int64_t ldb,
    int transposed, float *packed)
{
    int64_t block = rki_block_steps(k);
    for (int64_t i = 0; i < k; i += block) {
        int64_t steps = k - i < block ? k - i : block;
        cpu->kernels->pack_b(steps, n, transposed ? weight + i : weight + i * ldb, ldb, transposed,
            NULL, packed + rki_packed_count(cpu, i, n));
    }
}

void rki_packed_run(const rki_cpu *cpu, const rki_packed_product *call)
{
    int64_t steps = rki_block_steps(call->k);
    for (int64_t i = 0; i < call->k; i += steps) {
        rki_product block = {.rows = call->rows,
            .n = call->n,
            .k = call->k - i < steps ? call->k - i : steps,
            .a = call->a + i,
            .lda = call->lda,
            .panels = call->packed + rki_packed_count(cpu, i, call->n),
            .bias = i == 0 ? call->bias : NULL,
            .add = call->add || i > 0,
            .c = call->c,
            .ldc = call->ldc};
        cpu->kernels->product(&block);
    }
}

rki_stash rki_stash_cut(rki_pieces *pieces, const rki_recurrent *layer)
{
    rki_stash s = {0};
    int64_t rows = layer->steps * layer->batch, units = rows * layer->hidden;
    int64_t gates = rki_cell_gates(layer->cell) * units;
    int lstm = layer->cell == RKI_CELL_LSTM;
    s.gates = rki_take_floats(pieces, gates);
    if (lstm) s.cells = rki_take_floats(pieces, units);
    if (layer->cell == RKI_CELL_GRU) s.reset = rki_take_floats(pieces, units);
    if (layer->lengths || layer->starts) s.h = rki_take_floats(pieces, rows * layer->output);
    if (lstm && (layer->layer_norm || layer->zoneout_c > 0))
        s.candidates = rki_take_floats(pieces, units);
    if (layer->output != layer->hidden) s.shown = rki_take_floats(pieces, units);
    if (!layer->layer_norm) return s;
    s.normal_a = rki_take_floats(pieces, gates);
    s.normal_u = rki_take_floats(pieces, gates);
    if (lstm) s.normal_c = rki_take_floats(pieces, units);
    s.scale = rki_take_floats(pieces, 3 * rows);
    return s;
}

int rki_recurrent_fused(const rki_recurrent *layer)
{
    return layer->format != RKI_INT8 && layer->cell != RKI_CELL_GRU_BEFORE && !layer->layer_norm &&
           layer->zoneout_h == 0 && layer->zoneout_c == 0 && layer->output == layer->hidden;
}

const float *rki_recurrent_bias(
    const rki_recurrent *layer, const rki_recurrent_weights *weights, float *out)
{
    const float *first = weights->bias_ih, *second = weights->bias_hh;
    int64_t all = rki_cell_gates(layer->cell) * layer->hidden;
    int64_t both = layer->cell == RKI_CELL_GRU ? 2 * layer->hidden : all;
    if (first == NULL) return NULL;
    for (int64_t j = 0; j < all; j++)
        out[j] = j < both ? first[j] + second[j] : first[j];
    return out;
}

const float *rki_recurrent_bias_n(const rki_recurrent *layer, const rki_recurrent_weights *weights)
{
    if (layer->cell != RKI_CELL_GRU || weights->bias_hh == NULL) return NULL;
    return (const float *)weights->bias_hh + 2 * layer->hidden;
}
