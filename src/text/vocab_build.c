/* Building a vocabulary: counting tokens, then giving them ids.
 *
 * Ids go by count descending, then by bytes ascending: a total order, so that the same text gives
 * the same ids everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "text/argument.h"
#include "text/slab.h"
#include "text/vocab.h"

static int32_t count_token(void *user, const char *token, size_t length)
{
    rnnkit_vocab *vocab = user;
    int32_t place;
    RKI_TRY(rki_wordmap_add(&vocab->words, token, length, &place));
    vocab->words.words[place].count++;
    vocab->tokens++;
    return RNNKIT_OK;
}

static int32_t check_settings(const rnnkit_tokenizer *tokenizer, const rki_vocab_settings *settings)
{
    int bytes = tokenizer->settings.unit == RKI_UNIT_BYTE;
    int64_t least = (settings->boundaries ? 4 : 2) + (bytes ? 256 : 1);
    if (settings->max_size != 0 && settings->max_size < least)
        return rki_fail(RNNKIT_E_OPTION,
            "option max_size=%lld leaves no room for %s, expected 0 or at least %lld",
            (long long)settings->max_size, bytes ? "the 256 bytes" : "a word", (long long)least);
    return RNNKIT_OK;
}

/* Specials are there already; in unit byte all tokens that there can be follow. */
static int32_t begin(rnnkit_vocab *vocab)
{
    int32_t place;
    if (vocab->tokenizer->settings.unit == RKI_UNIT_BYTE)
        for (int byte = 0; byte < 256; byte++)
            RKI_TRY(rki_wordmap_add(&vocab->words, &(char){(char)byte}, 1, &place));
    return rki_feed_open(&vocab->feed, vocab->tokenizer, (rki_sink){count_token, vocab});
}

static int32_t create(rnnkit_tokenizer *tokenizer, const char *options, rnnkit_vocab **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    rki_vocab_settings settings;
    RKI_TRY(rki_options_parse(&rki_vocab_options_table, options, &settings));
    RKI_TRY(check_settings(tokenizer, &settings));
    rnnkit_vocab *vocab;
    RKI_TRY(rki_vocab_new(tokenizer, settings, &vocab));
    int32_t status = begin(vocab);
    if (status < 0)
        rki_vocab_release(vocab);
    else
        *out = vocab;
    return status;
}

int32_t rnnkit_vocab_create(rnnkit_tokenizer *tokenizer, const char *options, rnnkit_vocab **out)
{
    int32_t status = rki_check(tokenizer, RKI_KIND_TOKENIZER, "tokenizer");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(tokenizer->context, __func__, create(tokenizer, options, out));
}

static int32_t push(rnnkit_vocab *vocab, const char *text, int64_t length)
{
    size_t size;
    RKI_TRY(rki_feed_check(&vocab->feed, "vocabulary"));
    RKI_TRY(rki_check_text(text, length, "text", &size));
    return rki_feed_text(&vocab->feed, text, size);
}

int32_t rnnkit_vocab_push(rnnkit_vocab *vocab, const char *text, int64_t length)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, push(vocab, text, length));
}

/* What one of several threads counted. */
typedef struct counter {
    const rnnkit_vocab *vocab;
    rki_splitter splitter;
    rki_wordmap words;
} counter;

typedef struct counters {
    rnnkit_vocab *vocab;
    counter *each;
    int64_t count;
} counters;

static int32_t count_apart(void *user, const char *token, size_t length)
{
    counter *to = user;
    int32_t place;
    RKI_TRY(rki_wordmap_add(&to->words, token, length, &place));
    to->words.words[place].count++;
    return RNNKIT_OK;
}

static int32_t count_range(void *user, int64_t range, const char *text, size_t size, int64_t offset)
{
    counter *to = &((counters *)user)->each[range];
    rki_splitter_reset(&to->splitter);
    to->splitter.utf8.offset = offset;
    return rki_splitter_whole(&to->splitter, text, size);
}

/* Words are added up when the file is at its end. */
static int32_t nothing_to_collect(void *user, int64_t count)
{
    (void)user;
    (void)count;
    return RNNKIT_OK;
}

static int32_t end_word_begun(void *user)
{
    return rki_feed_flush(&((counters *)user)->vocab->feed);
}

static int32_t add_counts(rnnkit_vocab *vocab, const rki_wordmap *from)
{
    for (int32_t i = 0; i < from->size; i++) {
        int32_t place;
        RKI_TRY(rki_wordmap_add(
            &vocab->words, rki_wordmap_bytes(from, i), (size_t)from->words[i].length, &place));
        vocab->words.words[place].count += from->words[i].count;
        vocab->tokens += from->words[i].count;
    }
    return RNNKIT_OK;
}

static int32_t open_counters(counters *all)
{
    const rki_memory *memory = all->vocab->words.memory;
    void *block;
    RKI_TRY(rki_allocate(memory, all->count, sizeof(counter), "the threads' words", &block));
    all->each = block;
    for (int64_t i = 0; i < all->count; i++) {
        rki_wordmap_init(&all->each[i].words, memory);
        RKI_TRY(rki_splitter_init(
            &all->each[i].splitter, all->vocab->tokenizer, (rki_sink){count_apart, &all->each[i]}));
    }
    return RNNKIT_OK;
}

static void close_counters(counters *all)
{
    for (int64_t i = 0; all->each != NULL && i < all->count; i++) {
        rki_splitter_release(&all->each[i].splitter);
        rki_wordmap_release(&all->each[i].words);
    }
    rki_release(all->vocab->words.memory, all->each);
}

/* Every thread counts its ranges of the text by itself. */
static int32_t push_file_shared(rnnkit_vocab *vocab, const char *path)
{
    rnnkit_context *context = vocab->tokenizer->context;
    counters all = {.vocab = vocab};
    rki_slab slab;
    rki_slab_init(&slab, context, context->threads,
        (rki_slab_work){count_range, nothing_to_collect, end_word_begun, &all});
    all.count = slab.threads;
    int32_t status = open_counters(&all);
    int begun = 0;
    if (status == RNNKIT_OK) status = rki_slab_file(&slab, path, &begun);
    int32_t added = RNNKIT_OK;
    if (status >= 0)
        for (int64_t i = 0; i < all.count && added == RNNKIT_OK; i++)
            added = add_counts(vocab, &all.each[i].words);
    rki_slab_release(&slab);
    close_counters(&all);
    if (added < 0) status = added;
    if (status < 0 && (begun || added < 0)) vocab->feed.state = RKI_FEED_BROKEN;
    return status;
}

static int32_t push_file(rnnkit_vocab *vocab, const char *path)
{
    RKI_TRY(rki_feed_check(&vocab->feed, "vocabulary"));
    RKI_TRY(rki_check_pointer(path, "path"));
    if (vocab->tokenizer->settings.unit != RKI_UNIT_WORD || vocab->tokenizer->context->threads == 1)
        return rki_feed_file(&vocab->feed, path);
    return push_file_shared(vocab, path);
}

int32_t rnnkit_vocab_push_file(rnnkit_vocab *vocab, const char *path)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, push_file(vocab, path));
}

/* Finishing. */

typedef struct counted {
    const char *bytes;
    int64_t length, count;
} counted;

static int by_count_and_bytes(const void *left, const void *right)
{
    const counted *a = left, *b = right;
    if (a->count != b->count) return a->count > b->count ? -1 : 1;
    int64_t common = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes, b->bytes, (size_t)common);
    if (order != 0) return order;
    return (a->length > b->length) - (a->length < b->length);
}

/* Adds specials and then the sorted words to the empty map `to`, as far as the options allow; what
 * they do not allow counts as <unk>. */
static int32_t assign_ids(
    const rnnkit_vocab *vocab, const counted *sorted, int32_t count, rki_wordmap *to)
{
    const rki_vocab_settings *settings = &vocab->settings;
    int bytes = vocab->tokenizer->settings.unit == RKI_UNIT_BYTE;
    int32_t place;
    for (int32_t id = 0; id < rki_vocab_specials(vocab); id++) {
        int64_t length;
        const char *name = rki_vocab_token(vocab, id, &length);
        RKI_TRY(rki_wordmap_add(to, name, (size_t)length, &place));
        to->words[place].count = vocab->words.words[id].count;
    }
    for (int32_t i = 0; i < count; i++) {
        int full = settings->max_size > 0 && to->size >= settings->max_size;
        if (full || (!bytes && sorted[i].count < settings->min_count)) {
            to->words[RNNKIT_UNK].count += sorted[i].count;
            continue;
        }
        RKI_TRY(rki_wordmap_add(to, sorted[i].bytes, (size_t)sorted[i].length, &place));
        to->words[place].count = sorted[i].count;
    }
    return RNNKIT_OK;
}

static int32_t sort_words(rnnkit_vocab *vocab)
{
    const rki_memory *memory = vocab->words.memory;
    int32_t specials = rki_vocab_specials(vocab), count = vocab->words.size - specials;
    void *block;
    RKI_TRY(rki_allocate(memory, count, sizeof(counted), "a list of words to sort", &block));
    counted *sorted = block;
    for (int32_t i = 0; i < count; i++) {
        sorted[i].bytes = rki_vocab_token(vocab, specials + i, &sorted[i].length);
        sorted[i].count = vocab->words.words[specials + i].count;
    }
    if (count > 0) qsort(sorted, (size_t)count, sizeof *sorted, by_count_and_bytes);
    rki_wordmap ordered;
    rki_wordmap_init(&ordered, memory);
    int32_t status = assign_ids(vocab, sorted, count, &ordered);
    rki_release(memory, sorted);
    if (status < 0) {
        rki_wordmap_release(&ordered);
        return status;
    }
    rki_wordmap_release(&vocab->words);
    vocab->words = ordered;
    return RNNKIT_OK;
}

static int32_t finish(rnnkit_vocab *vocab)
{
    RKI_TRY(rki_feed_check(&vocab->feed, "vocabulary"));
    RKI_TRY(rki_feed_flush(&vocab->feed));
    if (vocab->tokens == 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "the text has no token at all, expected at least one");
    RKI_TRY(sort_words(vocab));
    rki_feed_close(&vocab->feed);
    return RNNKIT_OK;
}

int32_t rnnkit_vocab_finish(rnnkit_vocab *vocab)
{
    int32_t status = rki_check(vocab, RKI_KIND_VOCAB, "vocab");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(vocab->tokenizer->context, __func__, finish(vocab));
}
