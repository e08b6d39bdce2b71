/* Steps of a recurrent layer on matrix tiles. See recurrent_split.h. */
#include "cpu/recurrent_split.h"

#include "cpu/blocks.h"

enum {
    LEAST_HIDDEN = 64,   /* as in split_gemm.c */
    MOST_BYTES = 2 << 20 /* of parts, which are larger than the weight: a second cache holds them */
};

int rki_split_steps_suit(const rki_cpu *cpu, const rki_recurrent *layer)
{
    int64_t hidden = layer->hidden, gates = rki_cell_gates(layer->cell) * hidden;
    return cpu->split != NULL && layer->training && rki_recurrent_fused(layer) &&
           hidden >= LEAST_HIDDEN && rki_split_bytes(gates, hidden) <= MOST_BYTES;
}

/* Bytes before the block of k that starts at `k`. */
static size_t block_at(const rki_split_weight *weight, int64_t k)
{
    return rki_split_bytes(weight->n, k);
}

static rki_split_weight cut_weight(rki_pieces *pieces, int64_t n, int64_t k)
{
    rki_split_weight weight = {.n = n, .k = k};
    weight.parts = rki_pieces_take(pieces, rki_split_bytes(n, k));
    return weight;
}

rki_split_layer rki_split_layer_cut(
    const rki_cpu *cpu, const rki_recurrent *layer, int forward, rki_pieces *pieces)
{
    rki_split_layer split = {0};
    int64_t hidden = layer->hidden, gates = rki_cell_gates(layer->cell) * hidden;
    int64_t k = forward ? hidden : gates, gru = forward && layer->cell == RKI_CELL_GRU;
    split.all = cut_weight(pieces, forward ? gates - gru * hidden : hidden, k);
    if (gru) split.n = cut_weight(pieces, hidden, k);
    split.task = rki_split_bytes(layer->batch, rki_smaller(k, RKI_SPLIT_BLOCK_K));
    split.rows =
        rki_pieces_take(pieces, (size_t)rki_smaller(cpu->threads, layer->batch) * split.task);
    return split;
}

static void make_weight(const rki_cpu *cpu, const rki_split_weight *to, int along_k,
    const float *weight, int64_t stride)
{
    int64_t steps = rki_split_steps(to->k);
    for (int64_t k = 0; k < to->k; k += steps) {
        rki_split split = {.count = to->n,
            .k = rki_smaller(to->k - k, steps),
            .from = along_k ? weight + k : weight + k * stride,
            .stride = stride,
            .along_k = along_k,
            .to = to->parts + block_at(to, k)};
        cpu->split->columns(&split);
    }
}

void rki_split_layer_make(const rki_cpu *cpu, const rki_recurrent *layer, int forward,
    const float *weight_hh, const rki_split_layer *to)
{
    int64_t hidden = layer->hidden;
    make_weight(cpu, &to->all, forward, weight_hh, hidden);
    if (to->n.n > 0) make_weight(cpu, &to->n, forward, weight_hh + to->all.n * hidden, hidden);
}

void rki_split_step_run(const rki_cpu *cpu, const rki_split_layer *layer,
    const rki_split_weight *weight, const rki_split_step *call)
{
    int64_t steps = rki_split_steps(weight->k);
    char *rows = layer->rows + (size_t)call->task * layer->task;
    for (int64_t k = 0; k < weight->k; k += steps) {
        int64_t count = rki_smaller(weight->k - k, steps);
        rki_split split = {.count = call->rows,
            .k = count,
            .from = call->a + k,
            .stride = call->lda,
            .along_k = 1,
            .to = rows};
        cpu->split->rows(&split);
        rki_split_product product = {.rows = call->rows,
            .n = weight->n,
            .k = count,
            .a = rows,
            .b = weight->parts + block_at(weight, k),
            .bias = k == 0 ? call->bias : NULL,
            .add = call->add || k > 0,
            .c = call->c,
            .ldc = call->ldc};
        cpu->split->product(&product);
    }
}
