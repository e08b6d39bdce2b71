/* Priming: feeding what the generator then goes on from. */
#include "generate/generator.h"
#include "text/argument.h"
#include "text/splitter.h"

int32_t rki_generator_feed(rnnkit_generator *generator, const int32_t *ids, int64_t count)
{
    RKI_TRY(rki_predictor_feed(&generator->predictor, ids, count));
    for (int64_t i = 0; i < count; i++)
        rki_recent_add(&generator->recent, ids[i]);
    generator->fed = 1;
    return RNNKIT_OK;
}

static int32_t pass_over(void *user, const char *bytes, size_t size)
{
    (void)user;
    (void)bytes;
    (void)size;
    return RNNKIT_OK;
}

/* The caller has this text already; the joiner only learns how it ends. */
static int32_t join(rnnkit_generator *generator, const int32_t *ids, int64_t count)
{
    const rki_sink nowhere = {pass_over, NULL};
    for (int64_t i = 0; i < count; i++)
        RKI_TRY(rki_vocab_join(generator->vocab, &generator->joiner, ids[i], nowhere));
    return RNNKIT_OK;
}

/* Valid ids. What was written before is finished, and a new stretch begins. */
static int32_t prime(rnnkit_generator *generator, const int32_t *ids, int64_t count)
{
    if (count == 0) return RNNKIT_OK;
    RKI_TRY(rki_generator_feed(generator, ids, count));
    generator->given = 0;
    generator->ended = 0;
    if (generator->vocab == NULL) return RNNKIT_OK;
    rki_pending_release_all(&generator->pending);
    return join(generator, ids, count);
}

static int32_t prime_ids(rnnkit_generator *generator, const int32_t *ids, int64_t count)
{
    RKI_TRY(rki_check_pointer(ids, "ids"));
    if (count < 0) return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld, below 0", (long long)count);
    int64_t words = generator->predictor.words;
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= words)
            return rki_fail(RNNKIT_E_ARGUMENT, "ids[%lld] is %d, expected 0 to %lld", (long long)i,
                (int)ids[i], (long long)words - 1);
    return prime(generator, ids, count);
}

int32_t rnnkit_generator_prime_ids(rnnkit_generator *generator, const int32_t *ids, int64_t count)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, prime_ids(generator, ids, count));
}

/* Text. */

typedef struct id_list {
    const rki_memory *memory;
    void *ids; /* of int32_t */
    int64_t capacity, count;
} id_list;

static int32_t add_id(void *user, int32_t id)
{
    id_list *list = user;
    RKI_TRY(rki_grow(list->memory, &list->ids, &list->capacity, list->count, list->count + 1,
        sizeof(int32_t), "the ids of a text"));
    ((int32_t *)list->ids)[list->count++] = id;
    return RNNKIT_OK;
}

static int32_t prime_text(rnnkit_generator *generator, const char *text, int64_t length)
{
    size_t size;
    RKI_TRY(rki_check_text(text, length, "text", &size));
    if (generator->vocab == NULL)
        return rki_fail(RNNKIT_E_ORDER, "the generator has no vocabulary, only ids can be fed");
    id_list list = {.memory = &generator->context->memory};
    int32_t status = rki_vocab_each_id(generator->vocab, text, size, add_id, &list);
    if (status >= 0) status = prime(generator, list.ids, list.count);
    rki_release(list.memory, list.ids);
    RKI_TRY(status);
    if (rki_ends_with_space(text, size)) generator->joiner.glued = 1;
    return RNNKIT_OK;
}

int32_t rnnkit_generator_prime(rnnkit_generator *generator, const char *text, int64_t length)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, prime_text(generator, text, length));
}
