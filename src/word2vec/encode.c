/* Text to rows. See encode.h. */
#include "word2vec/encode.h"

#include <string.h>

#include "base/file.h"

enum { END = -1 };

static int32_t add_row(rki_w2v_range *range, int32_t row)
{
    if (range->count == range->capacity) {
        void *block = range->rows;
        RKI_TRY(rki_grow(range->vocab->words.memory, &block, &range->capacity, range->count,
            range->count + 1, sizeof row, "encoded text"));
        range->rows = block;
    }
    range->rows[range->count++] = row;
    return RNNKIT_OK;
}

static int32_t take_token(void *user, const char *token, size_t length)
{
    rki_w2v_range *range = user;
    int32_t row = rki_vocab_id(range->vocab, token, length) - rki_vocab_specials(range->vocab);
    return row < 0 ? RNNKIT_OK : add_row(range, row);
}

/* Line by line: a line feed ends a word, so all words before it have come when it was pushed, but
 * for what normalisation holds back. */
static int32_t take_lines(rki_w2v_range *range, const char *text, size_t size)
{
    while (size > 0) {
        const char *feed = memchr(text, '\n', size);
        size_t length = feed == NULL ? size : (size_t)(feed - text) + 1;
        RKI_TRY(rki_splitter_push(&range->splitter, text, length));
        text += length;
        size -= length;
        if (feed == NULL) return RNNKIT_OK;
        if (range->splitter.normalizer != NULL) RKI_TRY(rki_splitter_end(&range->splitter));
        RKI_TRY(add_row(range, END));
    }
    return RNNKIT_OK;
}

static int32_t take_text(
    const rki_w2v_encoder *encoder, rki_w2v_range *range, const char *text, size_t size)
{
    return encoder->lines ? take_lines(range, text, size)
                          : rki_splitter_push(&range->splitter, text, size);
}

static int32_t take_range(void *user, int64_t number, const char *text, size_t size, int64_t offset)
{
    rki_w2v_encoder *encoder = user;
    rki_w2v_range *range = &encoder->ranges[number];
    rki_splitter_reset(&range->splitter);
    range->splitter.utf8.offset = offset;
    RKI_TRY(take_text(encoder, range, text, size));
    return rki_splitter_end(&range->splitter);
}

/* Appends what the ranges hold; of several ends of sentences in a row one stays. */
static int32_t collect(void *user, int64_t count)
{
    rki_w2v_encoder *encoder = user;
    for (int64_t i = 0; i < count; i++) {
        rki_w2v_range *range = &encoder->ranges[i];
        int64_t kept = 0;
        for (int64_t j = 0; j < range->count; j++) {
            int32_t row = range->rows[j];
            if (row == END && encoder->last == END) continue;
            range->rows[kept++] = encoder->last = row;
            encoder->words += row != END;
        }
        range->count = 0;
        RKI_TRY(rki_idstore_add(encoder->to, range->rows, kept));
    }
    return RNNKIT_OK;
}

static int32_t begin_file(void *user)
{
    return rki_w2v_encoder_end(user);
}

int32_t rki_w2v_encoder_init(rki_w2v_encoder *encoder, const rnnkit_vocab *vocab, int64_t threads,
    int lines, rki_idstore *to)
{
    const rnnkit_tokenizer *tokenizer = vocab->tokenizer;
    int words = tokenizer->settings.unit == RKI_UNIT_WORD;
    void *block;
    *encoder = (rki_w2v_encoder){.vocab = vocab, .to = to, .lines = lines, .last = END};
    rki_slab_init(&encoder->slab, tokenizer->context, words ? threads : 1,
        (rki_slab_work){take_range, collect, begin_file, encoder});
    RKI_TRY(rki_allocate(vocab->words.memory, encoder->slab.threads, sizeof(rki_w2v_range),
        "the threads' text", &block));
    encoder->ranges = block;
    for (int64_t i = 0; i < encoder->slab.threads; i++) {
        rki_w2v_range *range = &encoder->ranges[i];
        range->vocab = vocab;
        int32_t status =
            rki_splitter_init(&range->splitter, tokenizer, (rki_sink){take_token, range});
        if (status < 0) rki_w2v_encoder_release(encoder);
        RKI_TRY(status);
        range->ready = 1;
    }
    return RNNKIT_OK;
}

void rki_w2v_encoder_release(rki_w2v_encoder *encoder)
{
    if (encoder->ranges == NULL) return;
    const rki_memory *memory = encoder->vocab->words.memory;
    for (int64_t i = 0; i < encoder->slab.threads; i++) {
        if (encoder->ranges[i].ready) rki_splitter_release(&encoder->ranges[i].splitter);
        rki_release(memory, encoder->ranges[i].rows);
    }
    rki_release(memory, encoder->ranges);
    rki_slab_release(&encoder->slab);
    encoder->ranges = NULL;
}

/* In units char and byte, pieces go through one splitter as they come. */
static int32_t take_piece(rki_w2v_encoder *encoder, const char *text, size_t size)
{
    RKI_TRY(take_text(encoder, &encoder->ranges[0], text, size));
    return collect(encoder, 1);
}

static int whole_words(const rki_w2v_encoder *encoder)
{
    return encoder->vocab->tokenizer->settings.unit == RKI_UNIT_WORD;
}

int32_t rki_w2v_encoder_text(rki_w2v_encoder *encoder, const char *text, size_t size)
{
    return whole_words(encoder) ? rki_slab_push(&encoder->slab, text, size)
                                : take_piece(encoder, text, size);
}

int32_t rki_w2v_encoder_end(rki_w2v_encoder *encoder)
{
    if (whole_words(encoder))
        RKI_TRY(rki_slab_flush(&encoder->slab));
    else
        RKI_TRY(rki_splitter_end(&encoder->ranges[0].splitter));
    RKI_TRY(add_row(&encoder->ranges[0], END));
    return collect(encoder, 1);
}

/* A file that goes through one splitter. */
typedef struct file_feed {
    rki_w2v_encoder *encoder;
    int begun;
} file_feed;

static int32_t take_file_piece(void *user, const char *piece, size_t size)
{
    file_feed *file = user;
    int32_t status = rki_poll_cancel(file->encoder->slab.context);
    if (status != RNNKIT_OK) return status;
    if (!file->begun) RKI_TRY(rki_w2v_encoder_end(file->encoder));
    file->begun = 1;
    return take_piece(file->encoder, piece, size);
}

int32_t rki_w2v_encoder_file(rki_w2v_encoder *encoder, const char *path, int *begun)
{
    file_feed file = {encoder, 0};
    int32_t status = whole_words(encoder) ? rki_slab_file(&encoder->slab, path, &file.begun)
                                          : rki_read_pieces(path, take_file_piece, &file);
    *begun = file.begun;
    RKI_TRY(status);
    if (status == RNNKIT_STOPPED) rki_splitter_reset(&encoder->ranges[0].splitter);
    RKI_TRY(rki_w2v_encoder_end(encoder));
    return status;
}
