/* One token more, and what the model thinks of all of them.
 *
 * The numbers are worked out in our own floating-point mode, whatever the host's is: nothing
 * traps, the same seed gives the same token, and the host's mode and flags are then as before.
 */
#include "base/float_mode.h"
#include "generate/generator.h"

/* <pad> and <bos> never; without a vocabulary there is nothing special about any id. */
static int may_be_drawn(const rnnkit_generator *generator, int32_t special)
{
    if (special == RNNKIT_UNK) return generator->settings.unknown;
    return special == RKI_EOS;
}

static int64_t list_candidates(const rnnkit_generator *generator)
{
    const double *logits = generator->predictor.logits;
    rki_candidate *candidates = generator->candidates;
    int32_t words = (int32_t)generator->predictor.words;
    int32_t specials = generator->vocab == NULL ? 0 : rki_vocab_specials(generator->vocab);
    int64_t count = 0;
    for (int32_t id = 0; id < words; id++)
        if (id >= specials || may_be_drawn(generator, id))
            candidates[count++] = (rki_candidate){logits[id], id};
    return count;
}

static int32_t choose(const rnnkit_generator *generator, int32_t *id)
{
    RKI_TRY(rki_check_logits(generator->predictor.logits, generator->predictor.words));
    double uniform = rki_random_uniform(generator->random, 0, (uint64_t)generator->draws);
    int64_t count = list_candidates(generator);
    uint64_t mode = rki_float_enter();
    *id = rki_sample(&generator->settings.sampling, generator->recent.counts, generator->candidates,
        count, uniform);
    rki_float_leave(mode);
    return RNNKIT_OK;
}

static int is_end(const rnnkit_generator *generator, int32_t id)
{
    return generator->vocab != NULL && generator->vocab->settings.boundaries && id == RKI_EOS;
}

/* Joins the token on to the text; 1 when that completes a stop text. */
static int write_token(rnnkit_generator *generator, int32_t id)
{
    if (generator->vocab == NULL) return 0;
    const rki_sink sink = {rki_pending_add, &generator->pending};
    (void)rki_vocab_join(generator->vocab, &generator->joiner, id, sink); /* a valid id, and room */
    return rki_pending_settle(&generator->pending);
}

static void end(rnnkit_generator *generator)
{
    generator->ended = 1;
    if (generator->vocab != NULL) rki_pending_release_all(&generator->pending);
}

static int32_t check_fed(const rnnkit_generator *generator)
{
    if (generator->fed) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER, "nothing was fed yet: prime the generator first");
}

static int32_t next(rnnkit_generator *generator, int32_t *out)
{
    int32_t id, status;
    RKI_TRY(rki_check_pointer(out, "id"));
    RKI_TRY(check_fed(generator));
    if (generator->ended) return RNNKIT_DONE;
    status = rki_poll_cancel(generator->context);
    if (status != RNNKIT_OK) return status;
    RKI_TRY(choose(generator, &id));
    if (generator->vocab != NULL) RKI_TRY(rki_pending_reserve(&generator->pending));
    RKI_TRY(rki_generator_feed(generator, &id, 1));
    generator->draws++;
    if (write_token(generator, id) || is_end(generator, id)) {
        end(generator);
        return RNNKIT_DONE;
    }
    if (++generator->given == generator->settings.length) end(generator);
    *out = id;
    return RNNKIT_OK;
}

int32_t rnnkit_generator_next(rnnkit_generator *generator, int32_t *id)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, next(generator, id));
}

static int32_t probabilities(const rnnkit_generator *generator, float *values, int64_t count)
{
    const rki_predictor *predictor = &generator->predictor;
    RKI_TRY(rki_check_pointer(values, "probabilities"));
    if (count != predictor->words)
        return rki_fail(RNNKIT_E_SHAPE, "probabilities has %lld numbers, expected %lld",
            (long long)count, (long long)predictor->words);
    RKI_TRY(check_fed(generator));
    RKI_TRY(rki_check_logits(predictor->logits, count));
    uint64_t mode = rki_float_enter();
    rki_probabilities(predictor->logits, count, values);
    rki_float_leave(mode);
    return RNNKIT_OK;
}

int32_t rnnkit_generator_probabilities(
    const rnnkit_generator *generator, float *values, int64_t count)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, probabilities(generator, values, count));
}
