/* What the passes of the recurrent layer share. See recurrent.h. */
#include "cpu/recurrent.h"

enum {
    ALIGNMENT = 64,
    WORK_STEP = 1 << 19 /* multiply-adds of the recurrent products that are worth another thread */
};

int32_t rki_recurrent_check(const rki_cpu *cpu, const rki_recurrent *layer)
{
    if (layer->cell == RKI_CELL_LSTM && layer->output == layer->hidden && !layer->reverse &&
        !layer->layer_norm && layer->zoneout_h == 0 && layer->zoneout_c == 0 &&
        layer->starts == NULL)
        return RNNKIT_OK;
    return cpu->host->fail(RNNKIT_E_BACKEND, "device cpu computes plain LSTMs alone");
}

int64_t rki_recurrent_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin)
{
    *begin = starts ? starts[b] : 0;
    return lengths ? lengths[b] : steps - *begin;
}

int64_t rki_recurrent_steps(const rki_recurrent *size, const int32_t *lengths)
{
    if (lengths == NULL) return size->steps;
    int64_t longest = 0;
    for (int64_t b = 0; b < size->batch; b++)
        if (lengths[b] > longest) longest = lengths[b];
    return longest;
}

/* At least half a tile of rows for each: with fewer, all threads read all weights to little use. */
int64_t rki_recurrent_tasks(const rki_cpu *cpu, const rki_recurrent *size)
{
    int64_t least_rows = (cpu->kernels->tile_rows + 1) / 2;
    int64_t tasks = size->batch / least_rows;
    double work = (double)size->steps * (double)size->batch * (double)size->hidden *
                  (double)size->hidden * RKI_GATES / WORK_STEP;
    if (tasks > cpu->threads) tasks = cpu->threads;
    if ((double)tasks > work) tasks = (int64_t)work;
    return tasks < 1 ? 1 : tasks;
}

void rki_recurrent_share(int64_t batch, int64_t tasks, int64_t index, int64_t *begin, int64_t *end)
{
    *begin = batch * index / tasks;
    *end = batch * (index + 1) / tasks;
}

int64_t rki_recurrent_live(
    const int32_t *lengths, int64_t t, int64_t begin, int64_t end, int32_t *rows)
{
    int64_t count = 0;
    for (int64_t b = begin; b < end; b++)
        if (lengths == NULL || lengths[b] > t) rows[count++] = (int32_t)b;
    return count;
}

const float *rki_recurrent_bias(
    const float *bias_ih, const float *bias_hh, int64_t count, float *sum)
{
    if (bias_ih == NULL) return NULL;
    for (int64_t j = 0; j < count; j++)
        sum[j] = bias_ih[j] + bias_hh[j];
    return sum;
}

void *rki_pieces_take(rki_pieces *pieces, size_t bytes)
{
    size_t at = pieces->used;
    pieces->used = at + (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return pieces->block ? pieces->block + at : NULL;
}

int64_t rki_recurrent_panels(const rki_cpu *cpu, int64_t hidden)
{
    int64_t lanes = cpu->kernels->lanes;
    return (hidden + lanes - 1) / lanes * lanes * RKI_GATES * hidden;
}

rki_stash rki_recurrent_cut_stash(rki_pieces *pieces, const rki_recurrent *size)
{
    rki_stash stash;
    int64_t states = size->steps * size->batch * size->hidden;
    stash.gates = rki_take_floats(pieces, states * RKI_GATES);
    stash.cells = rki_take_floats(pieces, states);
    return stash;
}
