/* The generator's text: taking it, and the texts at which it stops. */
#include <string.h>

#include "base/utf8.h"
#include "generate/generator.h"
#include "text/argument.h"

static int32_t check_has_text(const rnnkit_generator *generator)
{
    if (generator->vocab != NULL) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER, "the generator has no vocabulary, so it writes ids, not text");
}

static int32_t take(rnnkit_generator *generator, char *buffer, int64_t capacity, int64_t *needed)
{
    rki_pending *pending = &generator->pending;
    RKI_TRY(rki_check_room(buffer, capacity, "buffer"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    RKI_TRY(check_has_text(generator));
    *needed = pending->certain + 1;
    RKI_TRY(rki_check_capacity(capacity, *needed, "bytes"));
    memcpy(buffer, pending->bytes, (size_t)pending->certain);
    buffer[pending->certain] = '\0';
    rki_pending_taken(pending);
    return RNNKIT_OK;
}

int32_t rnnkit_generator_text(
    rnnkit_generator *generator, char *buffer, int64_t capacity, int64_t *needed)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, take(generator, buffer, capacity, needed));
}

static int32_t stop_at(rnnkit_generator *generator, const char *text)
{
    RKI_TRY(rki_check_pointer(text, "text"));
    size_t length = strlen(text), whole = rki_utf8_span(text, length);
    if (length == 0) return rki_fail(RNNKIT_E_ARGUMENT, "text is empty");
    if (whole != length) return rki_fail(RNNKIT_E_ARGUMENT, "text is not UTF-8 at byte %zu", whole);
    RKI_TRY(check_has_text(generator));
    if (generator->draws > 0)
        return rki_fail(RNNKIT_E_ORDER, "generation has begun, stop texts are to be set before");
    return rki_pending_add_stop(&generator->pending, text);
}

int32_t rnnkit_generator_stop_at(rnnkit_generator *generator, const char *text)
{
    int32_t status = rki_check(generator, RKI_KIND_GENERATOR, "generator");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(generator->context, __func__, stop_at(generator, text));
}
