/* A small language model over the public API, for tests that need one whole: embedding, two LSTM
 * layers, linear, and a vocabulary from a few lines of text. */
#ifndef TESTS_SUPPORT_SMALL_MODEL_H
#define TESTS_SUPPORT_SMALL_MODEL_H

#include "rnnkit/rnnkit.h"

enum { SMALL_WIDTH = 8, SMALL_HIDDEN = 12 };

typedef struct small_model {
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_tokens *tokens; /* the text that the vocabulary was made from */
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    int64_t words;
} small_model;

/* Ends the program, with `what` and the library's message, unless status is one of success. */
void must(int32_t status, const char *what);

/* The functions below return the first failure and give back what they took on the way, but for
 * small_model_create: what it made by then is in *out, to be destroyed. */
int32_t small_model_create(rnnkit_context *context, small_model *out);
void small_model_destroy(small_model *small);

/* One pass over the text with Adam, batches of 2 rows and 5 steps; *loss: the last one. */
int32_t small_model_train(rnnkit_context *context, small_model *small, double *loss);

/* Writes `count` ids drawn with the seed; -1 where the generator had ended. */
int32_t small_model_generate(small_model *small, int64_t seed, int32_t *ids, int64_t count);

/* All values of a parameter; to be freed. Ends the program on failure. */
float *parameter_values(const rnnkit_model *model, const char *name, int64_t *count);

#endif
