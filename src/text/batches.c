/* Batches for language models. See batches.h. */
#include "text/batches.h"

#include "base/hash.h"
#include "base/random.h"

static const rki_option rows[] = {
    {"batch", RKI_OPTION_INTEGER, offsetof(rki_batches_settings, batch), 1, 1 << 24, "64", NULL,
        "0.1", "rows of a batch"},
    {"steps", RKI_OPTION_INTEGER, offsetof(rki_batches_settings, steps), 1, 1 << 24, "35", NULL,
        "0.1", "time steps of a batch; tokens of a sliding window"},
    {"windows", RKI_OPTION_CHOICE, offsetof(rki_batches_settings, windows), 0, 0, "contiguous",
        "contiguous|sliding", "0.1", "lanes read side by side, or every window of `steps` tokens"},
    {"first", RKI_OPTION_INTEGER, offsetof(rki_batches_settings, first), 0, 0x1p53, "0", NULL,
        "0.1", "place of the first token"},
    {"count", RKI_OPTION_INTEGER, offsetof(rki_batches_settings, count), -1, 0x1p53, "-1", NULL,
        "0.1", "how many tokens; -1: all to the end"},
    {"shuffle", RKI_OPTION_FLAG, offsetof(rki_batches_settings, shuffle), 0, 1, "1", NULL, "0.1",
        "windows=sliding: 1 gives each epoch another order"},
};

const rki_option_table rki_batches_options_table = {"batches", rows, sizeof rows / sizeof *rows};

static rnnkit_context *context_of(const rnnkit_batches *batches)
{
    return batches->tokens->vocab->tokenizer->context;
}

/* Life. */

static void release(rnnkit_batches *batches)
{
    if (!rki_object_release(&batches->object)) return;
    rnnkit_tokens *tokens = batches->tokens;
    const rki_memory *memory = &context_of(batches)->memory;
    rki_release(memory, batches->x);
    rki_release(memory, batches->y);
    rki_release(memory, batches->window);
    rki_release(memory, batches);
    rki_tokens_release(tokens);
}

static int32_t resolve_part(const rnnkit_tokens *tokens, rki_batches_settings *settings)
{
    int64_t all = tokens->ids.count;
    if (settings->first > all || settings->count > all - settings->first)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "first=%lld count=%lld is outside the stream, which has %lld tokens",
            (long long)settings->first, (long long)settings->count, (long long)all);
    if (settings->count < 0) settings->count = all - settings->first;
    int sliding = settings->windows == RKI_WINDOWS_SLIDING;
    int64_t least = (sliding ? settings->steps : settings->batch) + 1;
    if (settings->count < least)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "there are %lld tokens, one batch of %s=%lld needs at least %lld",
            (long long)settings->count, sliding ? "windows=sliding steps" : "batch",
            (long long)(least - 1), (long long)least);
    return RNNKIT_OK;
}

static int32_t allocate_arrays(rnnkit_batches *batches)
{
    const rki_memory *memory = &context_of(batches)->memory;
    int64_t cells;
    void *block;
    RKI_TRY(rki_multiply(batches->settings.batch, batches->settings.steps, &cells));
    RKI_TRY(rki_allocate(memory, cells, sizeof(int32_t), "a batch's inputs", &block));
    batches->x = block;
    RKI_TRY(rki_allocate(memory, cells, sizeof(int32_t), "a batch's targets", &block));
    batches->y = block;
    RKI_TRY(rki_allocate(
        memory, batches->settings.steps + 1, sizeof(int32_t), "a batch's row", &block));
    batches->window = block;
    return RNNKIT_OK;
}

static int32_t create(rnnkit_tokens *tokens, const char *options, rnnkit_batches **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_tokens_check_finished(tokens));
    rki_batches_settings settings;
    RKI_TRY(rki_options_parse(&rki_batches_options_table, options, &settings));
    RKI_TRY(resolve_part(tokens, &settings));
    void *block;
    RKI_TRY(rki_allocate(
        &tokens->vocab->tokenizer->context->memory, 1, sizeof(rnnkit_batches), "batches", &block));
    rnnkit_batches *batches = block;
    rki_object_init(&batches->object, RKI_KIND_BATCHES);
    batches->tokens = tokens;
    batches->settings = settings;
    rki_tokens_retain(tokens);
    int sliding = settings.windows == RKI_WINDOWS_SLIDING;
    batches->length =
        sliding ? settings.count - settings.steps : (settings.count - 1) / settings.batch;
    int64_t each = sliding ? settings.batch : settings.steps;
    batches->total = (batches->length - 1) / each + 1;
    int32_t status = allocate_arrays(batches);
    if (status < 0)
        release(batches);
    else
        *out = batches;
    return status;
}

int32_t rnnkit_batches_create(rnnkit_tokens *tokens, const char *options, rnnkit_batches **out)
{
    int32_t status = rki_check(tokens, RKI_KIND_TOKENS, "tokens");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = create(tokens, options, out);
    return rki_leave(tokens->vocab->tokenizer->context, __func__, status);
}

void rnnkit_batches_destroy(rnnkit_batches *batches)
{
    if (batches == NULL || rki_check(batches, RKI_KIND_BATCHES, "batches") < 0) return;
    release(batches);
}

/* The next batch. */

/* Fills row `row` of x with `steps` tokens from place `first` of the part on, and of y with what is
 * predicted: each next token, or only the last one. */
static int32_t fill_row(
    rnnkit_batches *batches, int64_t row, int64_t row_count, int64_t first, int64_t steps)
{
    int sliding = batches->settings.windows == RKI_WINDOWS_SLIDING;
    const int32_t *window = batches->window;
    RKI_TRY(rki_tokens_copy(
        batches->tokens, batches->settings.first + first, batches->window, steps + 1));
    for (int64_t t = 0; t < steps; t++) {
        batches->x[t * row_count + row] = window[t];
        batches->y[t * row_count + row] = sliding && t < steps - 1 ? RNNKIT_IGNORE : window[t + 1];
    }
    return RNNKIT_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int32_t next_contiguous(rnnkit_batches *batches, int64_t *steps, int64_t *row_count)
{
    const rki_batches_settings *settings = &batches->settings;
    int64_t start = batches->given * settings->steps;
    *steps = least(settings->steps, batches->length - start);
    *row_count = settings->batch;
    for (int64_t row = 0; row < *row_count; row++)
        RKI_TRY(fill_row(batches, row, *row_count, row * batches->length + start, *steps));
    return RNNKIT_OK;
}

static rki_random shuffle_of(const rnnkit_batches *batches)
{
    return (rki_random){
        .seed = (uint64_t)context_of(batches)->seed, .purpose = RKI_PURPOSE_SHUFFLE};
}

static int32_t next_sliding(rnnkit_batches *batches, int64_t *steps, int64_t *row_count)
{
    const rki_batches_settings *settings = &batches->settings;
    int64_t start = batches->given * settings->batch;
    *steps = settings->steps;
    *row_count = least(settings->batch, batches->length - start);
    rki_random random = shuffle_of(batches);
    for (int64_t row = 0; row < *row_count; row++) {
        int64_t window = start + row;
        if (settings->shuffle)
            window = rki_random_permute(random, (uint64_t)batches->epoch, batches->length, window);
        RKI_TRY(fill_row(batches, row, *row_count, window, *steps));
    }
    return RNNKIT_OK;
}

static int32_t next(rnnkit_batches *batches, const int32_t **x, const int32_t **y, int64_t *steps,
    int64_t *row_count)
{
    int64_t step_count, rows_filled;
    RKI_TRY(rki_check_pointer(x, "x"));
    RKI_TRY(rki_check_pointer(y, "y"));
    RKI_TRY(rki_check_pointer(steps, "steps"));
    RKI_TRY(rki_check_pointer(row_count, "rows"));
    if (batches->given == batches->total) return RNNKIT_DONE;
    if (batches->settings.windows == RKI_WINDOWS_SLIDING)
        RKI_TRY(next_sliding(batches, &step_count, &rows_filled));
    else
        RKI_TRY(next_contiguous(batches, &step_count, &rows_filled));
    batches->given++;
    *x = batches->x;
    *y = batches->y;
    *steps = step_count;
    *row_count = rows_filled;
    return RNNKIT_OK;
}

int32_t rnnkit_batches_next(rnnkit_batches *batches, const int32_t **x, const int32_t **y,
    int64_t *steps, int64_t *row_count)
{
    int32_t status = rki_check(batches, RKI_KIND_BATCHES, "batches");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context_of(batches), __func__, next(batches, x, y, steps, row_count));
}

int32_t rnnkit_batches_rewind(rnnkit_batches *batches)
{
    int32_t status = rki_check(batches, RKI_KIND_BATCHES, "batches");
    if (status < 0) return rki_leave(NULL, __func__, status);
    batches->epoch++;
    batches->given = 0;
    return RNNKIT_OK;
}

int32_t rnnkit_batches_size(const rnnkit_batches *batches, int64_t *count, int64_t *given)
{
    int32_t status = rki_check(batches, RKI_KIND_BATCHES, "batches");
    if (status < 0) return rki_leave(NULL, __func__, status);
    if (count != NULL) *count = batches->total;
    if (given != NULL) *given = batches->given;
    return RNNKIT_OK;
}

/* Checkpoints. */

/* A number that stands for what decides which batches come. */
static int64_t options_number(const rnnkit_batches *batches)
{
    const rki_batches_settings *settings = &batches->settings;
    int sliding = settings->windows == RKI_WINDOWS_SLIDING, shuffled = sliding && settings->shuffle;
    const int64_t parts[] = {settings->first, settings->batch, settings->steps, sliding, shuffled,
        shuffled ? context_of(batches)->seed : 0};
    return (int64_t)(rki_hash_bytes(parts, sizeof parts, 0) >> 1);
}

void rki_batches_cursor(const rnnkit_batches *batches, int64_t out[RKI_BATCHES_CURSOR])
{
    out[0] = batches->epoch;
    out[1] = batches->given;
    out[2] = batches->settings.count;
    out[3] = options_number(batches);
}

int32_t rki_batches_set_cursor(rnnkit_batches *batches, const int64_t cursor[RKI_BATCHES_CURSOR])
{
    if (cursor[2] != batches->settings.count)
        return rki_fail(RNNKIT_E_SHAPE, "the batches are over %lld tokens, the cursor's over %lld",
            (long long)batches->settings.count, (long long)cursor[2]);
    if (cursor[3] != options_number(batches))
        return rki_fail(RNNKIT_E_SHAPE,
            "the cursor is that of batches with other options (batch, steps, windows, first, "
            "shuffle) or, where windows are shuffled, another seed");
    if (cursor[0] < 0 || cursor[1] < 0 || cursor[1] > batches->total)
        return rki_fail(RNNKIT_E_SHAPE,
            "the cursor is at batch %lld of epoch %lld, an epoch has %lld batches",
            (long long)cursor[1], (long long)cursor[0], (long long)batches->total);
    batches->epoch = cursor[0];
    batches->given = cursor[1];
    return RNNKIT_OK;
}
