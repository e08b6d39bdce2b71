/* The vocabulary: its life, and its words once it is finished. See vocab.h. */
#include "text/vocab.h"

#include <string.h>

#include "base/give.h"
#include "text/argument.h"
#include "text/characters.h"

static const rki_option rows[] = {
    {"min_count", RKI_OPTION_INTEGER, offsetof(rki_vocab_settings, min_count), 1, 0x1p53, "1", NULL,
        "0.1", "tokens counted less often become <unk>"},
    {"max_size", RKI_OPTION_INTEGER, offsetof(rki_vocab_settings, max_size), 0, INT32_MAX, "0",
        NULL, "0.1", "most ids, specials included; 0: no limit"},
    {"boundaries", RKI_OPTION_FLAG, offsetof(rki_vocab_settings, boundaries), 0, 1, "0", NULL,
        "0.1", "1: the specials <bos> = 2 and <eos> = 3 exist"},
};

const rki_option_table rki_vocab_options_table = {"vocab", rows, sizeof rows / sizeof *rows};

static const char *const special_names[] = {"<pad>", "<unk>", "<bos>", "<eos>"};

const char *rki_special_name(int32_t id)
{
    return special_names[id];
}

int32_t rki_vocab_specials(const rnnkit_vocab *vocab)
{
    return vocab->settings.boundaries ? 4 : 2;
}

/* Life. */

void rki_vocab_retain(rnnkit_vocab *vocab)
{
    rki_object_retain(&vocab->object);
}

void rki_vocab_release(rnnkit_vocab *vocab)
{
    if (!rki_object_release(&vocab->object)) return;
    rnnkit_tokenizer *tokenizer = vocab->tokenizer;
    rki_feed_close(&vocab->feed);
    rki_wordmap_release(&vocab->words);
    rki_release(&tokenizer->context->memory, vocab);
    rki_tokenizer_release(tokenizer);
}

static int32_t add_specials(rnnkit_vocab *vocab)
{
    int32_t place;
    for (int32_t id = 0; id < rki_vocab_specials(vocab); id++)
        RKI_TRY(
            rki_wordmap_add(&vocab->words, special_names[id], strlen(special_names[id]), &place));
    return RNNKIT_OK;
}

int32_t rki_vocab_new(rnnkit_tokenizer *tokenizer, rki_vocab_settings settings, rnnkit_vocab **out)
{
    const rki_memory *memory = &tokenizer->context->memory;
    void *block;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rnnkit_vocab), "a vocabulary", &block));
    rnnkit_vocab *vocab = block;
    rki_object_init(&vocab->object, RKI_KIND_VOCAB);
    vocab->tokenizer = tokenizer;
    vocab->settings = settings;
    rki_tokenizer_retain(tokenizer);
    rki_wordmap_init(&vocab->words, memory);
    int32_t status = add_specials(vocab);
    if (status < 0)
        rki_vocab_release(vocab);
    else
        *out = vocab;
    return status;
}

void rnnkit_vocab_destroy(rnnkit_vocab *vocab)
{
    if (vocab == NULL || rki_check(vocab, RKI_KIND_VOCAB, "vocab") < 0) return;
    rki_vocab_release(vocab);
}

/* Words. */

int32_t rki_vocab_check_finished(const rnnkit_vocab *vocab)
{
    if (vocab->feed.state == RKI_FEED_CLOSED) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER, "the vocabulary is not finished");
}

int32_t rki_vocab_ids(const rnnkit_vocab *vocab)
{
    return vocab->words.size;
}

const char *rki_vocab_token(const rnnkit_vocab *vocab, int32_t id, int64_t *length)
{
    *length = vocab->words.words[id].length;
    return rki_wordmap_bytes(&vocab->words, id);
}

int32_t rki_vocab_id(const rnnkit_vocab *vocab, const char *token, size_t length)
{
    int32_t place = rki_wordmap_find(&vocab->words, token, length);
    return place < 0 ? RNNKIT_UNK : place;
}

int32_t rki_vocab_check_id(const rnnkit_vocab *vocab, int32_t id)
{
    if (id >= 0 && id < vocab->words.size) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_NOT_FOUND, "there is no id %d, the vocabulary has %d ids", (int)id,
        (int)vocab->words.size);
}

static int32_t size(const rnnkit_vocab *vocab, int64_t *words, int64_t *tokens)
{
    RKI_TRY(rki_vocab_check_finished(vocab));
    if (words != NULL) *words = vocab->words.size;
    if (tokens != NULL) *tokens = vocab->tokens;
    return RNNKIT_OK;
}

int32_t rnnkit_vocab_size(const rnnkit_vocab *vocab, int64_t *words, int64_t *tokens)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, size(vocab, words, tokens));
}

static int32_t word(const rnnkit_vocab *vocab, int32_t id, char *buffer, int64_t capacity,
    int64_t *needed, int64_t *count)
{
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_vocab_check_id(vocab, id));
    int64_t length;
    const char *token = rki_vocab_token(vocab, id, &length);
    RKI_TRY(rki_give_bytes(token, (size_t)length + 1, buffer, capacity, needed));
    if (count != NULL) *count = vocab->words.words[id].count;
    return RNNKIT_OK;
}

int32_t rnnkit_vocab_word(const rnnkit_vocab *vocab, int32_t id, char *buffer, int64_t capacity,
    int64_t *needed, int64_t *count)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = word(vocab, id, buffer, capacity, needed, count);
    return rki_leave(vocab->tokenizer->context, __func__, status);
}

static int32_t find(const rnnkit_vocab *vocab, const char *token, int64_t length, int32_t *id)
{
    size_t bytes;
    RKI_TRY(rki_vocab_check_finished(vocab));
    RKI_TRY(rki_check_text(token, length, "word", &bytes));
    RKI_TRY(rki_check_pointer(id, "id"));
    int32_t place = rki_wordmap_find(&vocab->words, token, bytes);
    if (place < 0) {
        char shown[RKI_UTF8_SHOWN];
        return rki_fail(RNNKIT_E_NOT_FOUND, "'%s' is none of the vocabulary's %d tokens",
            rki_utf8_show(token, bytes, shown), (int)vocab->words.size);
    }
    *id = place;
    return RNNKIT_OK;
}

int32_t rnnkit_vocab_find(const rnnkit_vocab *vocab, const char *token, int64_t length, int32_t *id)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, find(vocab, token, length, id));
}
