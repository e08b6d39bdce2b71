/* The order in which a recurrent layer is walked. See recurrent.cuh. */
#include <string.h>

#include "recurrent.cuh"

static int64_t start_of(const rki_recurrent *layer, int64_t b)
{
    return layer->starts == NULL ? 0 : layer->starts[b];
}

static int64_t length_of(const rki_recurrent *layer, int64_t b)
{
    return layer->lengths == NULL ? layer->steps - start_of(layer, b) : layer->lengths[b];
}

/* t * batch + b of row b's step k. */
static int32_t row_of(const rki_recurrent *layer, int64_t b, int64_t k)
{
    int64_t start = start_of(layer, b);
    int64_t t = layer->reverse ? start + length_of(layer, b) - 1 - k : start + k;
    return (int32_t)(t * layer->batch + b);
}

/* Ranks by length, longest first, rows of one length in their order (counting sort). offsets, of
 * steps + 2 places, becomes offsets[k] = the number of positions before step k. Returns steps. */
static int64_t sort_rows(const rki_recurrent *layer, int32_t *ranks, int32_t *offsets)
{
    int64_t longest = 0, places = layer->steps + 2;
    memset(offsets, 0, (size_t)places * sizeof *offsets);
    for (int64_t b = 0; b < layer->batch; b++) {
        int64_t length = length_of(layer, b);
        offsets[length]++;
        if (length > longest) longest = length;
    }
    int32_t longer = 0; /* offsets[n] becomes how many rows are longer than n */
    for (int64_t n = layer->steps; n >= 0; n--) {
        int32_t here = offsets[n];
        offsets[n] = longer;
        longer += here;
    }
    for (int64_t b = 0; b < layer->batch; b++)
        ranks[offsets[length_of(layer, b)]++] = (int32_t)b;
    /* the places were used up: offsets[n] is now how many rows have n steps or more */
    int32_t sum = 0;
    for (int64_t k = 0; k < longest; k++) {
        int32_t living = offsets[k + 1];
        offsets[k] = sum;
        sum += living;
    }
    offsets[longest] = sum;
    return longest;
}

static void fill_positions(const rki_recurrent *layer, const rki_cuda_plan *plan,
    const int32_t *ranks, int32_t *rows, int32_t *before, int32_t *last)
{
    for (int64_t r = 0; r < layer->batch; r++)
        last[r] = -1;
    for (int64_t k = 0; k < plan->steps; k++) {
        for (int32_t p = plan->offsets[k]; p < plan->offsets[k + 1]; p++) {
            int64_t r = p - plan->offsets[k], b = ranks[r];
            rows[p] = row_of(layer, b, k);
            before[p] = k == 0 ? (int32_t)(-1 - b) : row_of(layer, b, k - 1);
            last[r] = p;
        }
    }
}

int32_t rki_cuda_plan_make(
    rki_cuda_staging *staging, const rki_recurrent *layer, rki_cuda_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->layer = layer;
    plan->packed = layer->starts != NULL || layer->lengths != NULL;
    plan->steps = layer->steps;
    plan->positions = layer->steps * layer->batch;
    if (!plan->packed) return RNNKIT_OK;
    size_t batch = (size_t)layer->batch * sizeof(int32_t);
    size_t all = (size_t)plan->positions * sizeof(int32_t);
    int rows = staging->add(NULL, all), before = staging->add(NULL, all);
    int ranks = staging->add(NULL, batch), last = staging->add(NULL, batch);
    int offsets = staging->add(NULL, (size_t)(layer->steps + 2) * sizeof(int32_t));
    RKI_TRY(staging->take());
    plan->offsets = staging->staged<int32_t>(offsets);
    plan->steps =
        sort_rows(layer, staging->staged<int32_t>(ranks), staging->staged<int32_t>(offsets));
    plan->positions = plan->offsets[plan->steps];
    fill_positions(layer, plan, staging->staged<int32_t>(ranks), staging->staged<int32_t>(rows),
        staging->staged<int32_t>(before), staging->staged<int32_t>(last));
    plan->rows = staging->at<int32_t>(rows);
    plan->before = staging->at<int32_t>(before);
    plan->ranks = staging->at<int32_t>(ranks);
    plan->last = staging->at<int32_t>(last);
    plan->device_offsets = staging->at<int32_t>(offsets);
    return staging->send(offsets);
}
