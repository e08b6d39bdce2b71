/* Searches: options, creating, destroying, and the loop of a run. See search.h. */
#include "generate/search.h"

#include <math.h>

#include "base/float_mode.h"

enum { MOST_BEAM = 1024, MOST_LENGTH = 1 << 20 };

static const rki_option rows[] = {
    {"beam", RKI_OPTION_INTEGER, offsetof(rki_search_settings, beam), 1, MOST_BEAM, "1", NULL,
        "0.1", "how many hypotheses are followed at once; 1: greedy"},
    {"n_best", RKI_OPTION_INTEGER, offsetof(rki_search_settings, n_best), 1, MOST_BEAM, "1", NULL,
        "0.1", "how many hypotheses are given, at most beam"},
    {"length_penalty", RKI_OPTION_NUMBER, offsetof(rki_search_settings, length_penalty), 0, 10, "1",
        NULL, "0.1", "score = logP / length to this power; 0: logP"},
    {"min_length", RKI_OPTION_INTEGER, offsetof(rki_search_settings, min_length), 0, MOST_LENGTH,
        "0", NULL, "0.1", "ids at least, without the end sign"},
    {"max_length", RKI_OPTION_INTEGER, offsetof(rki_search_settings, max_length), 1, MOST_LENGTH,
        "100", NULL, "0.1", "ids at most, without the end sign; longer hypotheses are cut"},
    {"unknown", RKI_OPTION_FLAG, offsetof(rki_search_settings, unknown), 0, 1, "0", NULL, "0.1",
        "1: <unk> may be written"},
    {"sample", RKI_OPTION_FLAG, offsetof(rki_search_settings, sample), 0, 1, "0", NULL, "0.1",
        "1: hypotheses are drawn, beam of them independently"},
    {"temperature", RKI_OPTION_NUMBER, offsetof(rki_search_settings, sampling.temperature), 0, 100,
        "1", NULL, "0.1", "of sample: logits are divided by it; 0: the most likely id"},
    {"top_k", RKI_OPTION_INTEGER, offsetof(rki_search_settings, sampling.top_k), 0, INT32_MAX, "0",
        NULL, "0.1", "of sample: draw from the k most likely ids; 0: from all"},
    {"top_p", RKI_OPTION_NUMBER, offsetof(rki_search_settings, sampling.top_p), 0, 1, "1", NULL,
        "0.1", "of sample: draw from the most likely ids with this probability together; 1: all"},
    {"seed", RKI_OPTION_INTEGER, offsetof(rki_search_settings, seed), -1, 0x1p53, "-1", NULL, "0.1",
        "seed of the draws; -1: the context's"},
    {"bos", RKI_OPTION_INTEGER, offsetof(rki_search_settings, bos), 0, INT32_MAX, "2", NULL, "0.1",
        "the id that a text begins with"},
    {"eos", RKI_OPTION_INTEGER, offsetof(rki_search_settings, eos), 0, INT32_MAX, "3", NULL, "0.1",
        "the id that ends a text"},
};
const rki_option_table rki_search_options = {"search", rows, sizeof rows / sizeof *rows};

/* Life. */

static void release(rnnkit_search *search)
{
    rnnkit_context *context = search->context;
    const rki_memory *memory = &context->memory;
    void *arrays[] = {search->history.ids, search->history.parents, search->history.seen,
        search->ended, search->ended_count, search->live, search->top_ids, search->top_values,
        search->logits, search->candidates};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        rki_release(memory, arrays[i]);
    rki_writer_free(&search->writer);
    rki_release(memory, search);
    rki_context_release(context);
}

/* At every step there must be `beam` ids and the end sign to choose from. */
static int32_t check_settings(const rki_search_settings *settings, int64_t words)
{
    int64_t open = 0;
    if (settings->n_best > settings->beam)
        return rki_fail(RNNKIT_E_OPTION, "n_best is %lld, but beam is %lld",
            (long long)settings->n_best, (long long)settings->beam);
    if (settings->min_length > settings->max_length)
        return rki_fail(RNNKIT_E_OPTION, "min_length is %lld, but max_length is %lld",
            (long long)settings->min_length, (long long)settings->max_length);
    if (settings->bos >= words || settings->eos >= words || settings->bos == settings->eos)
        return rki_fail(RNNKIT_E_OPTION,
            "bos is %lld and eos %lld, expected two ids from 0 to %lld", (long long)settings->bos,
            (long long)settings->eos, (long long)words - 1);
    for (int64_t id = 0; id < words && open <= settings->beam; id++)
        open += rki_search_may_write(settings, id, 0) && id != settings->eos;
    if (open >= 1) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "none of the %lld ids may be written", (long long)words);
}

static int32_t create(const rnnkit_embedding *embedding, const rnnkit_decoder *decoder,
    const rnnkit_linear *output, const char *options, rnnkit_search **out)
{
    rki_search_settings settings;
    void *block;
    RKI_TRY(rki_check(decoder, RKI_KIND_DECODER, "decoder"));
    RKI_TRY(rki_check(output, RKI_KIND_LINEAR, "output"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_options_parse(&rki_search_options, options, &settings));
    settings.sampling.penalty = 1;
    RKI_TRY(check_settings(&settings, output->handle.layer->sizes[1]));
    rnnkit_context *context = embedding->handle.model->context;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_search), "a search", &block));
    rnnkit_search *search = block;
    rki_object_init(&search->object, RKI_KIND_SEARCH);
    rki_context_retain(context);
    search->context = context;
    search->settings = settings;
    if (settings.seed < 0) search->settings.seed = context->seed;
    int32_t status = rki_writer_init(&search->writer, embedding, decoder, output);
    if (status < 0)
        release(search);
    else
        *out = search;
    return status;
}

int32_t rnnkit_search_create(rnnkit_embedding *embedding, rnnkit_decoder *decoder,
    rnnkit_linear *output, const char *options, rnnkit_search **out)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(embedding->handle.model->context, __func__,
        create(embedding, decoder, output, options, out));
}

void rnnkit_search_destroy(rnnkit_search *search)
{
    if (search == NULL || rki_check(search, RKI_KIND_SEARCH, "search") < 0) return;
    if (rki_object_release(&search->object)) release(search);
}

/* What may be written, and what it is worth. */

int rki_search_may_write(const rki_search_settings *settings, int64_t id, int64_t length)
{
    if (id == settings->eos) return length >= settings->min_length;
    return id != RNNKIT_PAD && id != settings->bos && (id != RNNKIT_UNK || settings->unknown);
}

double rki_search_normalize(const rki_search_settings *settings, double log_p, int64_t length)
{
    return log_p / pow((double)length, settings->length_penalty);
}

void rki_search_end(rnnkit_search *search, int64_t source, rki_hypothesis hypothesis)
{
    int64_t most = search->settings.beam;
    rki_hypothesis *list = search->ended + source * most;
    int64_t place = search->ended_count[source];
    if (place < most)
        search->ended_count[source]++;
    else if (!(list[--place].score < hypothesis.score))
        return;
    for (; place > 0 && list[place - 1].score < hypothesis.score; place--)
        list[place] = list[place - 1];
    list[place] = hypothesis;
}

/* The run. */

static int32_t grow(const rnnkit_search *search, void **array, int64_t *capacity, int64_t used,
    int64_t needed, size_t size)
{
    return rki_grow(
        &search->context->memory, array, capacity, used, needed, size, "a search's history");
}

int32_t rki_search_remember(rnnkit_search *search)
{
    rki_history *h = &search->history;
    int64_t used = h->steps * h->rows, needed = used + h->rows;
    void *ids = h->ids, *parents = h->parents, *seen = h->seen;
    RKI_TRY(grow(search, &ids, &h->ids_capacity, used, needed, sizeof *h->ids));
    h->ids = ids;
    RKI_TRY(grow(search, &parents, &h->parents_capacity, used, needed, sizeof *h->parents));
    h->parents = parents;
    RKI_TRY(grow(search, &seen, &h->seen_capacity, used * h->positions, needed * h->positions,
        sizeof *h->seen));
    h->seen = seen;
    RKI_TRY(rki_writer_weights(&search->writer, h->seen + used * h->positions));
    h->steps++;
    return RNNKIT_OK;
}

static int32_t prepare(rnnkit_search *search)
{
    int64_t sources = search->writer.source.batch, beam = search->settings.beam;
    int64_t rows_now = beam * sources;
    void *ended = search->ended, *counts = search->ended_count, *live = search->live;
    RKI_TRY(grow(search, &ended, &search->ended_capacity, 0, rows_now, sizeof *search->ended));
    search->ended = ended;
    RKI_TRY(
        grow(search, &counts, &search->count_capacity, 0, sources, sizeof *search->ended_count));
    search->ended_count = counts;
    RKI_TRY(grow(search, &live, &search->live_capacity, 0, rows_now, sizeof *search->live));
    search->live = live;
    search->sources = sources;
    search->history.rows = rows_now;
    search->history.positions = search->writer.source.positions;
    search->history.steps = 0;
    for (int64_t b = 0; b < sources; b++)
        search->ended_count[b] = 0;
    for (int64_t r = 0; r < rows_now; r++) /* a beam starts as one hypothesis, drawn ones as many */
        search->live[r] = r < sources || search->settings.sample ? 0 : -INFINITY;
    return RNNKIT_OK;
}

static int is_done(const rnnkit_search *search)
{
    for (int64_t r = 0; r < search->history.rows; r++)
        if (search->live[r] > -INFINITY) return 0;
    return 1;
}

static void cut_live(rnnkit_search *search)
{
    for (int64_t r = 0; r < search->history.rows; r++) {
        int64_t source = r % search->sources, length = search->history.steps;
        if (!(search->live[r] > -INFINITY)) continue;
        rki_search_end(search, source,
            (rki_hypothesis){
                .score = rki_search_normalize(&search->settings, search->live[r], length),
                .length = length,
                .row = r,
                .cut = 1});
    }
}

static int32_t run_steps(rnnkit_search *search)
{
    const rki_search_settings *settings = &search->settings;
    rki_writer *writer = &search->writer;
    void *first;
    RKI_TRY(rki_tape_host(writer->tape, search->history.rows, sizeof(int32_t), &first));
    int32_t *ids = first;
    for (int64_t r = 0; r < search->history.rows; r++)
        ids[r] = (int32_t)settings->bos;
    for (int64_t t = 0; t < settings->max_length && !is_done(search); t++) {
        int32_t status = rki_poll_cancel(search->context);
        if (status != RNNKIT_OK) return status;
        RKI_TRY(rki_writer_read(writer, ids));
        RKI_TRY(rki_search_remember(search));
        RKI_TRY(settings->sample ? rki_search_choose_drawn(search, t)
                                 : rki_search_choose_best(search, t));
        ids = search->history.ids + t * search->history.rows;
        RKI_TRY(rki_writer_go_on(writer, search->history.parents + t * search->history.rows));
    }
    cut_live(search);
    return RNNKIT_OK;
}

static int32_t run(rnnkit_search *search, const rnnkit_tensor *memory, const int32_t *lengths,
    const rnnkit_tensor *start)
{
    search->has_results = 0;
    RKI_TRY(rki_writer_look(&search->writer, memory, lengths, start));
    RKI_TRY(rki_writer_begin(&search->writer, start, search->settings.beam, 1));
    RKI_TRY(prepare(search));
    uint64_t mode = rki_float_enter();
    int32_t status = run_steps(search);
    rki_float_leave(mode);
    search->has_results = status == RNNKIT_OK;
    return status;
}

int32_t rnnkit_search_run(
    rnnkit_search *search, rnnkit_tensor *memory, const int32_t *lengths, rnnkit_tensor *start)
{
    int32_t status = rki_check(search, RKI_KIND_SEARCH, "search");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(search->context, __func__, run(search, memory, lengths, start));
}
