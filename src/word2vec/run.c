/* A run: from the first step to the last. See word2vec.h. */
#include <math.h>

#include "text/argument.h"
#include "word2vec/remote.h"
#include "word2vec/sample.h"
#include "word2vec/team.h"
#include "word2vec/word2vec.h"

double rki_w2v_rate(const rnnkit_word2vec *word2vec, int64_t epoch, int64_t place)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    double count = (double)word2vec->text.count;
    double done =
        ((double)epoch + (count > 0 ? (double)place / count : 0)) / (double)settings->epochs;
    double rate = settings->lr * (1 - done);
    return rate > settings->min_lr ? rate : settings->min_lr;
}

/* The text's hash: a resumed run must see the same one. */
static int32_t hash_text(const rnnkit_word2vec *word2vec, uint64_t *out)
{
    enum { PIECE = 4096 };
    int32_t rows[PIECE];
    rki_hash hash;
    rki_hash_start(&hash, 0);
    for (int64_t i = 0; i < word2vec->text.count; i += PIECE) {
        int64_t n = word2vec->text.count - i < PIECE ? word2vec->text.count - i : PIECE;
        RKI_TRY(rki_idstore_copy(&word2vec->text, i, rows, n));
        rki_hash_add(&hash, rows, (size_t)n * sizeof *rows);
    }
    *out = rki_hash_value(&hash);
    return RNNKIT_OK;
}

static int32_t end_text(rnnkit_word2vec *word2vec)
{
    RKI_TRY(rki_w2v_encoder_end(&word2vec->encoder));
    RKI_TRY(rki_idstore_finish(&word2vec->text));
    if (word2vec->encoder.words == 0)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "the text has no word of the vocabulary, expected at least one");
    return RNNKIT_OK;
}

static int32_t begin_run(rnnkit_word2vec *word2vec)
{
    rki_w2v_place *place = &word2vec->place;
    uint64_t hash;
    int32_t status = end_text(word2vec);
    if (status == RNNKIT_OK) status = hash_text(word2vec, &hash);
    if (status < 0) word2vec->phase = RKI_W2V_BROKEN;
    RKI_TRY(status);
    if (word2vec->resumed && (place->tokens != word2vec->text.count || place->hash != hash)) {
        word2vec->phase = RKI_W2V_BROKEN;
        return rki_fail(RNNKIT_E_SHAPE,
            "the text is not that of the run that goes on: it has %lld words and ends of "
            "sentences, expected %lld%s",
            (long long)word2vec->text.count, (long long)place->tokens,
            place->tokens == word2vec->text.count ? " with other words" : "");
    }
    RKI_TRY(rki_w2v_team_create(word2vec));
    place->tokens = word2vec->text.count;
    place->hash = hash;
    word2vec->resumed = 0;
    word2vec->phase = RKI_W2V_RUN;
    return RNNKIT_OK;
}

/* Adds a step's results up in the blocks' order. */
static int32_t count_step(rnnkit_word2vec *word2vec, int64_t count)
{
    rki_w2v_place *place = &word2vec->place;
    for (int64_t i = 0; i < count; i++) {
        const rki_w2v_tally *tally = &word2vec->team->tallies[i];
        place->loss += tally->loss;
        place->pairs += tally->pairs;
        place->words += tally->words;
        if (tally->diverged || !isfinite(tally->loss)) {
            word2vec->phase = RKI_W2V_LOST;
            return rki_fail(RNNKIT_E_DIVERGED,
                "a score is not finite in epoch %lld: lower lr, which is %g now",
                (long long)place->epoch, rki_w2v_rate(word2vec, place->epoch, 0));
        }
    }
    return RNNKIT_OK;
}

static int32_t end_epoch(rnnkit_word2vec *word2vec)
{
    rki_w2v_place *place = &word2vec->place;
    int last = place->epoch + 1 == word2vec->settings.epochs;
    if (last) RKI_TRY(rki_w2v_remote_fetch(word2vec));
    place->last_loss = place->pairs > 0 ? place->loss / (double)place->pairs : NAN;
    place->loss = 0;
    place->pairs = 0;
    place->block = 0;
    place->epoch++;
    if (!last) return RNNKIT_OK;
    word2vec->phase = RKI_W2V_DONE;
    rki_w2v_team_destroy(word2vec);
    return RNNKIT_OK;
}

static int32_t train_blocks(rnnkit_word2vec *word2vec, int64_t first, int64_t count)
{
    if (word2vec->team->remote != NULL) return rki_w2v_remote_train(word2vec, first, count);
    if (word2vec->settings.deterministic)
        rki_w2v_train_deterministic(word2vec, first, count);
    else
        rki_w2v_train_side_by_side(word2vec, first, count);
    for (int64_t i = 0; i < count; i++)
        if (word2vec->team->tallies[i].status < 0)
            return rki_fail(
                word2vec->team->tallies[i].status, "the temporary file of the text cannot be read");
    return RNNKIT_OK;
}

static int32_t step(rnnkit_word2vec *word2vec)
{
    rki_w2v_place *place = &word2vec->place;
    switch (word2vec->phase) {
    case RKI_W2V_TEXT: RKI_TRY(begin_run(word2vec)); break;
    case RKI_W2V_RUN: break;
    case RKI_W2V_DONE: return RNNKIT_DONE;
    case RKI_W2V_BROKEN:
        return rki_fail(
            RNNKIT_E_ORDER, "text that was pushed failed half-way: it cannot be trained on");
    case RKI_W2V_LOST:
        return rki_fail(RNNKIT_E_ORDER, "training has diverged: there are no vectors any more");
    }
    int64_t blocks = rki_w2v_blocks(word2vec), count = blocks - place->block;
    if (count > word2vec->team->step) count = word2vec->team->step;
    RKI_TRY(train_blocks(word2vec, place->block, count));
    RKI_TRY(count_step(word2vec, count));
    place->block += count;
    if (place->block == blocks) RKI_TRY(end_epoch(word2vec));
    return word2vec->phase == RKI_W2V_DONE ? RNNKIT_DONE : RNNKIT_OK;
}

int32_t rnnkit_word2vec_step(rnnkit_word2vec *word2vec)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, step(word2vec));
}

static double mean_loss(const rki_w2v_place *place)
{
    return place->pairs > 0 ? place->loss / (double)place->pairs : place->last_loss;
}

static double done(const rnnkit_word2vec *word2vec)
{
    const rki_w2v_place *place = &word2vec->place;
    double blocks = (double)((place->tokens + RKI_W2V_BLOCK - 1) / RKI_W2V_BLOCK);
    double part = blocks > 0 ? (double)place->block / blocks : 0;
    return ((double)place->epoch + part) / (double)word2vec->settings.epochs;
}

static double rate_now(const rnnkit_word2vec *word2vec)
{
    return rki_w2v_rate(word2vec, word2vec->place.epoch, word2vec->place.block * RKI_W2V_BLOCK);
}

static int32_t train(rnnkit_word2vec *word2vec, rnnkit_word2vec_progress_fn progress, void *user)
{
    for (;;) {
        int32_t status = rki_poll_cancel(rki_w2v_context(word2vec));
        if (status != RNNKIT_OK) return status;
        status = step(word2vec);
        RKI_TRY(status);
        if (progress != NULL &&
            progress(done(word2vec), mean_loss(&word2vec->place), rate_now(word2vec), user) != 0)
            return RNNKIT_STOPPED;
        if (status == RNNKIT_DONE) return RNNKIT_OK;
    }
}

int32_t rnnkit_word2vec_train(
    rnnkit_word2vec *word2vec, rnnkit_word2vec_progress_fn progress, void *user)
{
    int32_t status = rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(rki_w2v_context(word2vec), __func__, train(word2vec, progress, user));
}

static int32_t progress_of(const rnnkit_word2vec *word2vec, int64_t *epoch, double *part,
    int64_t *words, double *loss, double *learning_rate)
{
    RKI_TRY(rki_check(word2vec, RKI_KIND_WORD2VEC, "word2vec"));
    if (epoch != NULL) *epoch = word2vec->place.epoch;
    if (part != NULL) *part = done(word2vec);
    if (words != NULL) *words = word2vec->place.words;
    if (loss != NULL) *loss = mean_loss(&word2vec->place);
    if (learning_rate != NULL) *learning_rate = rate_now(word2vec);
    return RNNKIT_OK;
}

int32_t rnnkit_word2vec_progress(const rnnkit_word2vec *word2vec, int64_t *epoch, double *part,
    int64_t *words, double *loss, double *learning_rate)
{
    return rki_leave(
        NULL, __func__, progress_of(word2vec, epoch, part, words, loss, learning_rate));
}
