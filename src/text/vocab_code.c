/* Text to ids and ids to text. See vocab.h. */
#include "text/argument.h"
#include "text/splitter.h"
#include "text/vocab.h"

/* Text to ids. */

typedef struct id_sink {
    const rnnkit_vocab *vocab;
    rki_take_id_fn take;
    void *user;
} id_sink;

static int32_t take_token(void *user, const char *token, size_t length)
{
    const id_sink *sink = user;
    return sink->take(sink->user, rki_vocab_id(sink->vocab, token, length));
}

int32_t rki_vocab_each_id(
    const rnnkit_vocab *vocab, const char *text, size_t size, rki_take_id_fn take, void *user)
{
    id_sink sink = {vocab, take, user};
    rki_splitter splitter = {0};
    RKI_TRY(rki_splitter_init(&splitter, vocab->tokenizer, (rki_sink){take_token, &sink}));
    int32_t status = rki_splitter_whole(&splitter, text, size);
    rki_splitter_release(&splitter);
    return status;
}

/* Ids that are counted, and written while there is room. */
typedef struct id_array {
    int32_t *ids;
    int64_t capacity, count;
} id_array;

static int32_t put_id(void *user, int32_t id)
{
    id_array *to = user;
    if (to->count < to->capacity) to->ids[to->count] = id;
    to->count++;
    return RNNKIT_OK;
}

/* Twice over the text with one splitter: the second time nothing can fail, so a failure leaves the
 * caller's array as it was. */
static int32_t encode_to(rki_splitter *splitter, id_sink *sink, const char *text, size_t size,
    id_array to, int64_t *needed)
{
    id_array measured = {0};
    splitter->sink = (rki_sink){take_token, sink};
    sink->take = put_id;
    sink->user = &measured;
    RKI_TRY(rki_splitter_whole(splitter, text, size));
    *needed = measured.count;
    RKI_TRY(rki_check_capacity(to.capacity, measured.count, "ids"));
    sink->user = &to;
    return rki_splitter_whole(splitter, text, size);
}

static int32_t encode(const rnnkit_vocab *vocab, const char *text, int64_t length, int32_t *ids,
    int64_t capacity, int64_t *needed)
{
    size_t bytes;
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_check_text(text, length, "text", &bytes));
    RKI_TRY(rki_check_room(ids, capacity, "ids"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    id_sink sink = {.vocab = vocab};
    rki_splitter splitter = {0};
    RKI_TRY(rki_splitter_init(&splitter, vocab->tokenizer, (rki_sink){0}));
    int32_t status = encode_to(&splitter, &sink, text, bytes, (id_array){ids, capacity, 0}, needed);
    rki_splitter_release(&splitter);
    return status;
}

int32_t rnnkit_vocab_encode(const rnnkit_vocab *vocab, const char *text, int64_t length,
    int32_t *ids, int64_t capacity, int64_t *needed)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = encode(vocab, text, length, ids, capacity, needed);
    return rki_leave(vocab->tokenizer->context, __func__, status);
}

/* Ids to text. */

int32_t rki_vocab_join(const rnnkit_vocab *vocab, rki_joiner *joiner, int32_t id, rki_sink sink)
{
    RKI_TRY(rki_vocab_check_id(vocab, id));
    if (id == RNNKIT_PAD) return RNNKIT_OK;
    if (vocab->settings.boundaries && (id == RKI_BOS || id == RKI_EOS)) return RNNKIT_OK;
    int64_t length;
    const char *token = rki_vocab_token(vocab, id, &length);
    return rki_joiner_add(joiner, token, (size_t)length, sink);
}

static int32_t decode_to(
    const rnnkit_vocab *vocab, const int32_t *ids, int64_t count, rki_result *to)
{
    rki_joiner joiner;
    rki_joiner_init(&joiner, vocab->tokenizer);
    for (int64_t i = 0; i < count; i++) {
        int32_t status = rki_vocab_join(vocab, &joiner, ids[i], (rki_sink){rki_result_add, to});
        if (status < 0) rki_prefix_message("ids[%lld]", (long long)i);
        RKI_TRY(status);
    }
    return rki_result_add(to, "", 1);
}

static int32_t decode(const rnnkit_vocab *vocab, const int32_t *ids, int64_t count, char *buffer,
    int64_t capacity, int64_t *needed)
{
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_check_pointer(ids, "ids"));
    if (count < 0) return rki_fail(RNNKIT_E_ARGUMENT, "count is %lld, below 0", (long long)count);
    RKI_TRY(rki_check_room(buffer, capacity, "buffer"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    rki_result measured = {0};
    RKI_TRY(decode_to(vocab, ids, count, &measured));
    *needed = measured.size;
    RKI_TRY(rki_check_capacity(capacity, measured.size, "bytes"));
    return decode_to(vocab, ids, count, &(rki_result){.buffer = buffer});
}

int32_t rnnkit_vocab_decode(const rnnkit_vocab *vocab, const int32_t *ids, int64_t count,
    char *buffer, int64_t capacity, int64_t *needed)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = decode(vocab, ids, count, buffer, capacity, needed);
    return rki_leave(vocab->tokenizer->context, __func__, status);
}
