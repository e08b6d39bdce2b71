/* One step of beam search, for each source by itself: of all ways to go on from its live hypotheses
 * the most likely are taken. Those that end within the first `beam` of them are set aside, the
 * first `beam` that do not end live on. With beam=1 that is greedy choice. */
#include <math.h>

#include "generate/search.h"

/* One way to go on. */
typedef struct way {
    double log_p;
    int64_t row;
    int32_t id;
} way;

/* The most likely ids of every row: as many as a row may contribute to its source. */
static int32_t find_top(rnnkit_search *search, int64_t length, int64_t *count)
{
    const rki_search_settings *settings = &search->settings;
    rki_writer *writer = &search->writer;
    const rki_device *device = writer->tape->device;
    const rki_memory *memory = &search->context->memory;
    const int64_t special[4] = {RNNKIT_PAD, RNNKIT_UNK, settings->bos, settings->eos};
    int32_t banned[4];
    rki_top call = {.rows = search->history.rows,
        .classes = writer->words,
        .x = writer->logits,
        .banned = banned};
    for (int i = 0; i < 4; i++) {
        int listed =
            rki_search_may_write(settings, special[i], length) || special[i] >= writer->words;
        for (int64_t k = 0; k < call.banned_count; k++)
            listed |= banned[k] == special[i];
        if (!listed) banned[call.banned_count++] = (int32_t)special[i];
    }
    call.count = settings->beam + 1;
    if (call.count > call.classes - call.banned_count)
        call.count = call.classes - call.banned_count;
    void *ids = search->top_ids, *values = search->top_values;
    RKI_TRY(rki_grow(memory, &ids, &search->top_ids_capacity, 0, call.rows * call.count,
        sizeof *search->top_ids, "a search's candidates"));
    search->top_ids = call.ids = ids;
    RKI_TRY(rki_grow(memory, &values, &search->top_values_capacity, 0, call.rows * call.count,
        sizeof *search->top_values, "a search's candidates"));
    search->top_values = call.values = values;
    *count = call.count;
    return device->ops->top(device->self, &call);
}

/* The next most likely way of a source. taken[k]: how many of row k's were. */
static way next_way(
    const rnnkit_search *search, int64_t source, int64_t count, const int32_t *taken)
{
    way best = {.log_p = -INFINITY, .row = -1};
    for (int64_t k = 0; k < search->settings.beam; k++) {
        int64_t row = k * search->sources + source, at = row * count + taken[k];
        if (taken[k] == count || !(search->live[row] > -INFINITY)) continue;
        double log_p = search->live[row] + search->top_values[at];
        if (best.row < 0 || log_p > best.log_p) best = (way){log_p, row, search->top_ids[at]};
    }
    return best;
}

static int32_t check_finite(const rnnkit_search *search, int64_t source, int64_t count)
{
    for (int64_t k = 0; k < search->settings.beam; k++) {
        int64_t row = k * search->sources + source;
        if (search->live[row] > -INFINITY && !isfinite(search->top_values[row * count]))
            return rki_fail(RNNKIT_E_DIVERGED,
                "the model's output for source %lld is not finite: its weights, or the memory, are "
                "out of bounds",
                (long long)source);
    }
    return RNNKIT_OK;
}

/* `beam` hypotheses of a source ended, and those that will be given are no worse than the best live
 * one as it stands. (It might become better still; to follow it to the end would take long, and
 * with beam=1 this is where greedy choice stops.) */
static int is_done(const rnnkit_search *search, int64_t source, double best_live)
{
    const rki_search_settings *settings = &search->settings;
    const rki_hypothesis *ended = search->ended + source * settings->beam;
    return search->ended_count[source] >= settings->beam &&
           ended[settings->n_best - 1].score >= best_live;
}

/* Writes the step for one source; `taken` and `next` are room for `beam` numbers each. */
static void go_on(
    rnnkit_search *search, int64_t t, int64_t source, int64_t count, int32_t *taken, way *next)
{
    const rki_search_settings *settings = &search->settings;
    rki_history *h = &search->history;
    int64_t chosen = 0, rank = 0;
    for (int64_t k = 0; k < settings->beam; k++)
        taken[k] = 0;
    while (chosen < settings->beam) {
        way w = next_way(search, source, count, taken);
        if (w.row < 0) break;
        taken[w.row / search->sources]++;
        if (w.id != settings->eos)
            next[chosen++] = w;
        else if (rank < settings->beam)
            rki_search_end(search, source,
                (rki_hypothesis){.score = rki_search_normalize(settings, w.log_p, t + 1),
                    .length = t,
                    .row = w.row});
        rank++;
    }
    int done = chosen == 0 ||
               is_done(search, source, rki_search_normalize(settings, next[0].log_p, t + 1));
    for (int64_t k = 0; k < settings->beam; k++) {
        int64_t row = k * search->sources + source, at = t * h->rows + row;
        int lives = k < chosen && !done;
        h->ids[at] = lives ? next[k].id : RNNKIT_PAD;
        h->parents[at] = (int32_t)(lives ? next[k].row : row);
        search->live[row] = lives ? next[k].log_p : -INFINITY;
    }
}

int32_t rki_search_choose_best(rnnkit_search *search, int64_t t)
{
    int64_t count, beam = search->settings.beam;
    void *taken, *next;
    RKI_TRY(find_top(search, t, &count));
    RKI_TRY(rki_tape_host(search->writer.tape, beam, sizeof(int32_t), &taken));
    RKI_TRY(rki_tape_host(search->writer.tape, beam, sizeof(way), &next));
    for (int64_t b = 0; b < search->sources; b++) {
        RKI_TRY(check_finite(search, b, count));
        go_on(search, t, b, count, taken, next);
    }
    return RNNKIT_OK;
}
