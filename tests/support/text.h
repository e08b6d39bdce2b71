/* Short ways to the text calls, for tests: a failure ends the running cmocka test with the
 * library's message. What is returned is to be freed with free(). */
#ifndef TESTS_SUPPORT_TEXT_H
#define TESTS_SUPPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "rnnkit/rnnkit.h"

/* Tokens in a row, each followed by a NUL, as rnnkit_tokenizer_split writes them. */
typedef struct token_row {
    char *bytes;
    int64_t size, count;
} token_row;

void text_ok(int32_t status);

/* Fails the test unless `status` is `expected` and the message holds `part`. */
void text_fails(int32_t status, int32_t expected, const char *part);

/* A context on the CPU, and its end: the fixtures of a group of tests. */
extern rnnkit_context *text_context;
int text_open_context(void **state);
int text_close_context(void **state);

/* Options of tokenizers of every kind; the first is NULL. */
enum { TEXT_KINDS = 11 };
extern const char *const text_kinds[TEXT_KINDS];

rnnkit_tokenizer *text_tokenizer(rnnkit_context *context, const char *options);

/* One of text_kinds with more options. */
rnnkit_tokenizer *text_tokenizer_with(
    rnnkit_context *context, const char *kind, const char *options);

token_row text_split(rnnkit_tokenizer *tokenizer, const char *text, int64_t length);

/* The joined text, *length bytes (may be NULL) and a NUL. */
char *text_join(rnnkit_tokenizer *tokenizer, const token_row *row, int64_t *length);

/* The tokens with a space between two of them. */
char *text_spaced(rnnkit_tokenizer *tokenizer, const char *text);

/* A finished vocabulary of the text. */
rnnkit_vocab *text_vocab(rnnkit_tokenizer *tokenizer, const char *options, const char *text);

/* A finished stream of the text. */
rnnkit_tokens *text_tokens(rnnkit_vocab *vocab, const char *options, const char *text);

/* Random numbers below `below`, the same in every run. */
uint64_t text_draw(uint64_t *state, uint64_t below);

/* `size` random bytes that look like text: words, marks, white space, characters of one to four
 * bytes, marks' names and, with `broken`, bytes that are not UTF-8. */
void text_random(uint64_t *state, int broken, char *out, size_t size);

#endif
