/* What the passes of the recurrent layer share. See recurrent.h. */
#include "reference/recurrent.h"

int64_t rki_record_count(const rki_recurrent *layer)
{
    return (3 * rki_cell_gates(layer->cell) + 5) * layer->hidden + 3;
}

rki_record rki_record_at(const rki_recurrent *layer, double *array)
{
    int64_t hidden = layer->hidden, gates = rki_cell_gates(layer->cell) * hidden;
    double *single = array + 3 * gates;
    return (rki_record){.a = array,
        .u = array + gates,
        .gates = array + 2 * gates,
        .reset = single,
        .cell = single + hidden,
        .c = single + 2 * hidden,
        .normal = single + 3 * hidden,
        .shown = single + 4 * hidden,
        .scale = single + 5 * hidden};
}

rki_record rki_record_of(const rki_recurrent *layer, const void *stash, int64_t t, int64_t b)
{
    int64_t place = b * layer->steps + t;
    return rki_record_at(layer, (double *)(uintptr_t)stash + place * rki_record_count(layer));
}

int64_t rki_row_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin)
{
    *begin = starts ? starts[b] : 0;
    return lengths ? lengths[b] : steps - *begin;
}

int64_t rki_row_step(const rki_recurrent *layer, int64_t begin, int64_t length, int64_t k)
{
    return layer->reverse ? begin + length - 1 - k : begin + k;
}

double rki_zoneout(const rki_reference *device, const rki_recurrent *layer, int part, int64_t i)
{
    double rate = part == 0 ? layer->zoneout_h : layer->zoneout_c;
    rki_random random = layer->random;
    if (rate == 0 || !layer->training) return rate;
    random.stream += (uint32_t)part;
    return (double)rki_reference_draw(device, random, layer->random_step, i) < rate * 4294967296.0;
}
