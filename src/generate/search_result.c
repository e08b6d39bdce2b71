/* What a search found: ids, scores and weights, read from its history. See search.h. */
#include <string.h>

#include "generate/search.h"

static int32_t find(
    const rnnkit_search *search, int64_t source, int64_t rank, const rki_hypothesis **out)
{
    if (!search->has_results)
        return rki_fail(RNNKIT_E_ORDER, "nothing was searched yet: rnnkit_search_run comes first");
    if (source < 0 || source >= search->sources)
        return rki_fail(RNNKIT_E_ARGUMENT, "source is %lld, expected 0 to %lld", (long long)source,
            (long long)search->sources - 1);
    if (rank < 0 || rank >= search->settings.n_best)
        return rki_fail(RNNKIT_E_ARGUMENT, "rank is %lld, expected 0 to %lld (n_best - 1)",
            (long long)rank, (long long)search->settings.n_best - 1);
    if (rank >= search->ended_count[source])
        return rki_fail(RNNKIT_E_NOT_FOUND, "source %lld has only %d hypotheses", (long long)source,
            (int)search->ended_count[source]);
    *out = search->ended + source * search->settings.beam + rank;
    return RNNKIT_OK;
}

static int32_t result(const rnnkit_search *search, int64_t source, int64_t rank, int32_t *ids,
    int64_t capacity, int64_t *needed, double *score, int32_t *cut)
{
    const rki_hypothesis *found;
    const rki_history *h = &search->history;
    RKI_TRY(rki_check_pointer(needed, "needed"));
    if (capacity > 0) RKI_TRY(rki_check_pointer(ids, "ids"));
    RKI_TRY(find(search, source, rank, &found));
    *needed = found->length;
    if (capacity < found->length)
        return rki_fail(RNNKIT_E_TOO_SMALL, "ids holds %lld numbers, %lld are needed",
            (long long)capacity, (long long)found->length);
    int64_t row = found->row;
    for (int64_t t = found->length; t-- > 0;) {
        ids[t] = h->ids[t * h->rows + row];
        row = h->parents[t * h->rows + row];
    }
    if (score != NULL) *score = found->score;
    if (cut != NULL) *cut = found->cut;
    return RNNKIT_OK;
}

int32_t rnnkit_search_result(const rnnkit_search *search, int64_t source, int64_t rank,
    int32_t *ids, int64_t capacity, int64_t *needed, double *score, int32_t *cut)
{
    int32_t status = rki_check(search, RKI_KIND_SEARCH, "search");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(
        search->context, __func__, result(search, source, rank, ids, capacity, needed, score, cut));
}

/* An id was written by the row that its own row came from: that row looked. */
static int32_t weights(
    const rnnkit_search *search, int64_t source, int64_t rank, float *values, int64_t count)
{
    const rki_hypothesis *found;
    const rki_history *h = &search->history;
    RKI_TRY(rki_check_pointer(values, "weights"));
    RKI_TRY(find(search, source, rank, &found));
    if (count != found->length * h->positions)
        return rki_fail(RNNKIT_E_SHAPE, "weights has %lld numbers, expected [%lld, %lld]",
            (long long)count, (long long)found->length, (long long)h->positions);
    int64_t row = found->row;
    for (int64_t t = found->length; t-- > 0;) {
        row = h->parents[t * h->rows + row];
        memcpy(values + t * h->positions, h->seen + (t * h->rows + row) * h->positions,
            (size_t)h->positions * sizeof *values);
    }
    return RNNKIT_OK;
}

int32_t rnnkit_search_weights(
    const rnnkit_search *search, int64_t source, int64_t rank, float *values, int64_t count)
{
    int32_t status = rki_check(search, RKI_KIND_SEARCH, "search");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(search->context, __func__, weights(search, source, rank, values, count));
}
