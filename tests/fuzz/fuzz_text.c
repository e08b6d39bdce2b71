/* Any bytes as text and as a vocabulary file. The first byte chooses the tokenizer, the second one
 * where the text is cut in two; the rest must
 * - give the same tokens whole and cut,
 * - give the same tokens again when they are joined and split,
 * - count, encode and decode without a fault,
 * - and, read as a vocabulary, be refused or come back as the same ids.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rnnkit/rnnkit.h"
#include "text/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const all_options[] = {"invalid=replace", "lowercase=1 invalid=skip",
    "punctuation=keep invalid=replace", "normalize=nfc invalid=replace",
    "lowercase=1 normalize=nfkc invalid=skip", "unit=char invalid=replace",
    "unit=char normalize=nfkc lowercase=1 invalid=replace", "unit=byte", NULL};

enum { ALL_OPTIONS = sizeof all_options / sizeof *all_options };

static void must(int32_t status)
{
    if (status < 0) abort();
}

static void *room(int64_t count)
{
    void *block = malloc((size_t)count + 1);
    if (block == NULL) abort();
    return block;
}

/* Tokens, joined, and split again. */
static void check_joining(rnnkit_tokenizer *tokenizer, const char *text, int64_t length)
{
    int64_t size = 0, count = 0, joined = 0, size_again = 0, count_again = 0;
    int32_t status = rnnkit_tokenizer_split(tokenizer, text, length, NULL, 0, &size, &count);
    if (status == RNNKIT_E_ENCODING) return;
    char *row = room(size), *again = room(size);
    must(rnnkit_tokenizer_split(tokenizer, text, length, row, size, &size, &count));
    status = rnnkit_tokenizer_join(tokenizer, row, count, NULL, 0, &joined);
    if (status != RNNKIT_E_TOO_SMALL) abort();
    char *line = room(joined);
    must(rnnkit_tokenizer_join(tokenizer, row, count, line, joined, &joined));
    must(rnnkit_tokenizer_split(
        tokenizer, line, joined - 1, again, size, &size_again, &count_again));
    if (count != count_again || size != size_again || memcmp(row, again, (size_t)size) != 0)
        abort();
    free(row);
    free(again);
    free(line);
}

static void check_same(const rnnkit_vocab *a, const rnnkit_vocab *b)
{
    if (rki_vocab_ids(a) != rki_vocab_ids(b) || a->tokens != b->tokens) abort();
    for (int32_t id = 0; id < rki_vocab_ids(a); id++) {
        int64_t length, length_b;
        const char *word = rki_vocab_token(a, id, &length);
        const char *word_b = rki_vocab_token(b, id, &length_b);
        if (length != length_b || memcmp(word, word_b, (size_t)length) != 0) abort();
    }
}

static void check_coding(const rnnkit_vocab *vocab, const char *text, int64_t length)
{
    int64_t count = 0, size = 0;
    int32_t status = rnnkit_vocab_encode(vocab, text, length, NULL, 0, &count);
    if (status < 0 && status != RNNKIT_E_TOO_SMALL) return;
    int32_t *ids = room(count * (int64_t)sizeof *ids);
    must(rnnkit_vocab_encode(vocab, text, length, ids, count, &count));
    if (rnnkit_vocab_decode(vocab, ids, count, NULL, 0, &size) != RNNKIT_E_TOO_SMALL) abort();
    char *line = room(size);
    must(rnnkit_vocab_decode(vocab, ids, count, line, size, &size));
    free(line);
    free(ids);
}

static rnnkit_vocab *count_in_two(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t length, int64_t cut)
{
    rnnkit_vocab *vocab;
    must(rnnkit_vocab_create(tokenizer, NULL, &vocab));
    if (rnnkit_vocab_push(vocab, text, cut) == RNNKIT_OK &&
        rnnkit_vocab_push(vocab, text + cut, length - cut) == RNNKIT_OK &&
        rnnkit_vocab_finish(vocab) == RNNKIT_OK)
        return vocab;
    rnnkit_vocab_destroy(vocab);
    return NULL;
}

static void check_counting(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t length, int64_t cut)
{
    rnnkit_vocab *whole = count_in_two(tokenizer, text, length, 0);
    rnnkit_vocab *pieces = count_in_two(tokenizer, text, length, cut);
    if ((whole == NULL) != (pieces == NULL)) abort();
    if (whole == NULL) return;
    check_same(whole, pieces);
    check_coding(whole, text, length);
    rnnkit_vocab_destroy(whole);
    rnnkit_vocab_destroy(pieces);
}

static void check_file(rnnkit_tokenizer *tokenizer, const char *text, int64_t length)
{
    rki_memory memory = rki_default_memory();
    rnnkit_vocab *vocab, *again;
    char *lines;
    int64_t size;
    if (rki_vocab_read_text(tokenizer, text, length, &vocab) != RNNKIT_OK) return;
    must(rki_vocab_write_text(vocab, &memory, &lines, &size));
    must(rki_vocab_read_text(tokenizer, lines, size, &again));
    check_same(vocab, again);
    check_coding(vocab, text, length);
    rki_release(&memory, lines);
    rnnkit_vocab_destroy(vocab);
    rnnkit_vocab_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static rnnkit_context *context;
    static rnnkit_tokenizer *tokenizers[ALL_OPTIONS];
    if (context == NULL) {
        must(rnnkit_context_create("cpu", "threads=1", &context));
        for (int i = 0; i < ALL_OPTIONS; i++)
            must(rnnkit_tokenizer_create(context, all_options[i], &tokenizers[i]));
    }
    if (size < 2) return 0;
    rnnkit_tokenizer *tokenizer = tokenizers[bytes[0] % ALL_OPTIONS];
    const char *text = (const char *)bytes + 2;
    int64_t length = (int64_t)size - 2;
    /* Longer runs of marks than RKI_HOLD are normalised in parts, and not the same parts again. */
    if (tokenizer->settings.normalize == 0 || length < RKI_HOLD / 4)
        check_joining(tokenizer, text, length);
    check_counting(tokenizer, text, length, length * bytes[1] / 255);
    check_file(tokenizer, text, length);
    return 0;
}
