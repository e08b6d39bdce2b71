/* Tokenizers for tests of vocabularies, and what these hold; a failure ends the running cmocka test. */
#ifndef TESTS_SUPPORT_VOCABULARIES_H
#define TESTS_SUPPORT_VOCABULARIES_H

#include "rnnkit/rnnkit.h"

/* Of lower-case words, of characters, of bytes, in text_context: the fixtures of a group of tests. */
extern rnnkit_tokenizer *vocab_words, *vocab_characters, *vocab_bytes;
int vocab_open(void **state);
int vocab_close(void **state);

/* Fails the test unless the vocabulary's text form is `expected`. */
void vocab_lines(const rnnkit_vocab *vocab, const char *expected);

/* The same for the vocabulary of a text. */
void vocab_lines_of(
    rnnkit_tokenizer *tokenizer, const char *options, const char *text, const char *expected);

#endif
