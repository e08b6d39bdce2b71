/* One step of drawn hypotheses: every row by itself. A draw depends on the seed, the place of its
 * source in the batch, which of the hypotheses it is, and the step. */
#include <math.h>

#include "generate/search.h"

/* The logits on the host, in the device's type. */
static int32_t download(rnnkit_search *search)
{
    const rki_device *device = search->writer.tape->device;
    const rki_memory *memory = &search->context->memory;
    int64_t count = search->history.rows * search->writer.words;
    void *logits = search->logits, *candidates = search->candidates;
    RKI_TRY(rki_grow(memory, &logits, &search->logits_capacity, 0, count,
        rki_dtype_size(device->dtype), "logits"));
    search->logits = logits;
    RKI_TRY(rki_grow(memory, &candidates, &search->candidates_capacity, 0, search->writer.words,
        sizeof *search->candidates, "candidates"));
    search->candidates = candidates;
    return device->ops->download(
        device->self, logits, search->writer.logits, rki_device_bytes(device, count));
}

static double logit(const rnnkit_search *search, int64_t row, int64_t id)
{
    int64_t at = row * search->writer.words + id;
    if (search->writer.tape->device->dtype == RKI_FLOAT64)
        return ((const double *)search->logits)[at];
    return (double)((const float *)search->logits)[at];
}

/* log sum exp of a row's logits. */
static int32_t log_sum(const rnnkit_search *search, int64_t row, double *out)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t id = 0; id < search->writer.words; id++) {
        double z = logit(search, row, id);
        RKI_TRY(rki_check_logits(&z, 1));
        largest = z > largest ? z : largest;
    }
    for (int64_t id = 0; id < search->writer.words; id++)
        sum += exp(logit(search, row, id) - largest);
    *out = largest + log(sum);
    return RNNKIT_OK;
}

static int32_t draw(rnnkit_search *search, int64_t t, int64_t row)
{
    int64_t source = row % search->sources, k = row / search->sources;
    const rki_random random = {
        (uint64_t)search->settings.seed, RKI_PURPOSE_SAMPLE, (uint32_t)source};
    int64_t count = 0;
    for (int64_t id = 0; id < search->writer.words; id++)
        if (rki_search_may_write(&search->settings, id, t))
            search->candidates[count++] = (rki_candidate){logit(search, row, id), (int32_t)id};
    return rki_sample(&search->settings.sampling, NULL, search->candidates, count,
        rki_random_uniform(random, (uint64_t)k, (uint64_t)t));
}

int32_t rki_search_choose_drawn(rnnkit_search *search, int64_t t)
{
    const rki_search_settings *settings = &search->settings;
    rki_history *h = &search->history;
    RKI_TRY(download(search));
    for (int64_t row = 0; row < h->rows; row++) {
        int64_t at = t * h->rows + row;
        double sum;
        h->ids[at] = RNNKIT_PAD;
        h->parents[at] = (int32_t)row;
        if (!(search->live[row] > -INFINITY)) continue;
        RKI_TRY(log_sum(search, row, &sum));
        int32_t id = draw(search, t, row);
        double log_p = search->live[row] + logit(search, row, id) - sum;
        search->live[row] = id == settings->eos ? -INFINITY : log_p;
        h->ids[at] = id == settings->eos ? RNNKIT_PAD : id;
        if (id == settings->eos)
            rki_search_end(search, row % search->sources,
                (rki_hypothesis){.score = rki_search_normalize(settings, log_p, t + 1),
                    .length = t,
                    .row = row});
    }
    return RNNKIT_OK;
}
