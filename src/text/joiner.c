/* Joining tokens to readable text. See joiner.h. */
#include "text/joiner.h"

#include "text/marks.h"

void rki_joiner_init(rki_joiner *joiner, const rnnkit_tokenizer *tokenizer)
{
    *joiner = (rki_joiner){.unit = tokenizer->settings.unit,
        .punctuation = tokenizer->settings.punctuation,
        .glued = 1};
}

static int32_t add(
    rki_joiner *joiner, int spaced, const char *bytes, size_t length, int glues, rki_sink sink)
{
    if (spaced && !joiner->glued) RKI_TRY(sink.take(sink.user, " ", 1));
    joiner->glued = glues;
    joiner->closed = 0;
    return sink.take(sink.user, bytes, length);
}

static int32_t add_mark(rki_joiner *joiner, const rki_mark *mark, rki_sink sink)
{
    int spaced = 0, glues = 0, closes = mark->character == ')';
    switch (mark->place) {
    case RKI_MARK_CLOSES: break;
    case RKI_MARK_OPENS: spaced = glues = 1; break;
    case RKI_MARK_QUOTES:
        closes = joiner->quoted;
        joiner->quoted = !joiner->quoted;
        spaced = glues = joiner->quoted;
        break;
    case RKI_MARK_BINDS: glues = 1; break;
    case RKI_MARK_BREAKS:
        joiner->quoted = 0;
        glues = 1;
        break;
    }
    RKI_TRY(add(joiner, spaced, &mark->character, 1, glues, sink));
    joiner->closed = closes;
    return RNNKIT_OK;
}

int32_t rki_joiner_add(rki_joiner *joiner, const char *token, size_t length, rki_sink sink)
{
    if (joiner->unit != RKI_UNIT_WORD) return sink.take(sink.user, token, length);
    if (joiner->punctuation == RKI_PUNCTUATION_TOKENS) {
        const rki_mark *mark = rki_mark_of_token(token, length);
        if (mark != NULL) return add_mark(joiner, mark, sink);
        if (length > 0 && token[0] == '\\' && rki_mark_alike(token, length)) {
            token++;
            length--;
        }
    }
    int spaced = !(joiner->closed && length > 0 && token[0] == ':');
    return add(joiner, spaced, token, length, 0, sink);
}
