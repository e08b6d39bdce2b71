/* Tokenizers for tests of vocabularies. See vocabularies.h. */
#include "vocabularies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"

rnnkit_tokenizer *vocab_words, *vocab_characters, *vocab_bytes;

int vocab_open(void **state)
{
    text_open_context(state);
    vocab_words = text_tokenizer(text_context, "lowercase=1");
    vocab_characters = text_tokenizer(text_context, "unit=char");
    vocab_bytes = text_tokenizer(text_context, "unit=byte");
    return 0;
}

int vocab_close(void **state)
{
    rnnkit_tokenizer_destroy(vocab_words);
    rnnkit_tokenizer_destroy(vocab_characters);
    rnnkit_tokenizer_destroy(vocab_bytes);
    return text_close_context(state);
}

void vocab_lines(const rnnkit_vocab *vocab, const char *expected)
{
    int64_t needed;
    assert_int_equal(rnnkit_vocab_text(vocab, NULL, 0, &needed), RNNKIT_E_TOO_SMALL);
    char *text = malloc((size_t)needed);
    assert_non_null(text);
    text_ok(rnnkit_vocab_text(vocab, text, needed, &needed));
    assert_string_equal(text, expected);
    assert_int_equal(needed, strlen(expected) + 1);
    free(text);
}

void vocab_lines_of(
    rnnkit_tokenizer *tokenizer, const char *options, const char *text, const char *expected)
{
    rnnkit_vocab *vocab = text_vocab(tokenizer, options, text);
    vocab_lines(vocab, expected);
    rnnkit_vocab_destroy(vocab);
}
