/* The text: files or standard input, as a stream of token ids. */
#ifndef SCRIPT_GENERATION_CORPUS_H
#define SCRIPT_GENERATION_CORPUS_H

#include <stdint.h>
#include <stdio.h>

#include <rnnkit/rnnkit.h>

#include "settings.h"

typedef struct corpus {
    FILE *spool; /* standard input, copied so that it can be read twice; NULL when not used */
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_tokens *tokens;
    int64_t count, unknown; /* tokens in all, and how many of them are <unk> */
    int64_t words;          /* of the vocabulary */
} corpus;

/* Reads the text twice: for its vocabulary, and for its ids. On failure too, corpus_close frees. */
int corpus_open(corpus *target, rnnkit_context *context, const settings *options);

/* Reads the text once, with the vocabulary of a model; takes over the handle `vocab`. */
int corpus_open_with(
    corpus *target, rnnkit_context *context, const settings *options, rnnkit_vocab *vocab);

void corpus_close(corpus *target);

/* A number that two texts share only by great chance: FNV-1a, 64 bits, over the ids. */
int corpus_fingerprint(const corpus *source, uint64_t *fingerprint);

#endif
