/* The word2vec object: matrices, text, and where training is.
 *
 * A word's row in the input matrix is its id in the vocabulary less the number of specials. Text is
 * held as these rows in a row, -1 behind each sentence, without the words that have none (encode.c).
 * Rows of the output matrix have an order of their own (rows.h).
 *
 * A run is `epochs` passes over the text. It goes block by block (sample.h): what is drawn depends
 * on the seed, the run, the epoch and the token's place alone, and the learning rate of a block on
 * its place, so that single-threaded and deterministic training give the same bits however they are
 * cut into steps.
 */
#ifndef RKI_WORD2VEC_WORD2VEC_H
#define RKI_WORD2VEC_WORD2VEC_H

#include <stdint.h>

#include "base/hash.h"
#include "base/object.h"
#include "base/options.h"
#include "rnnkit/word2vec.h"
#include "text/idstore.h"
#include "text/vocab.h"
#include "word2vec/encode.h"
#include "word2vec/kernels/kernels.h"
#include "word2vec/noise.h"

typedef enum rki_w2v_architecture { RKI_W2V_SKIPGRAM, RKI_W2V_CBOW } rki_w2v_architecture;
typedef enum rki_w2v_gradient { RKI_W2V_GRADIENT_MEAN, RKI_W2V_GRADIENT_WORD2VEC } rki_w2v_gradient;
typedef enum rki_w2v_formula { RKI_W2V_FORMULA_WORD2VEC, RKI_W2V_FORMULA_PAPER } rki_w2v_formula;
typedef enum rki_w2v_sentence { RKI_W2V_SENTENCE_LINE, RKI_W2V_SENTENCE_TEXT } rki_w2v_sentence;

typedef struct rki_w2v_settings {
    int64_t dimension, window, negative, epochs, seed, threads, memory;
    double power, sample, lr, min_lr;
    int32_t shrink, subsampling, architecture, cbow_gradient, sentence, deterministic;
    char folder[RKI_OPTION_TEXT_SIZE];
} rki_w2v_settings;

extern const rki_option_table rki_w2v_options_table;

typedef enum rki_w2v_phase {
    RKI_W2V_TEXT,   /* text is being pushed */
    RKI_W2V_RUN,    /* between the first step and the last */
    RKI_W2V_DONE,   /* all epochs are over */
    RKI_W2V_BROKEN, /* the text failed half-way */
    RKI_W2V_LOST    /* a value was not finite */
} rki_w2v_phase;

/* What a saved state says of its run. */
typedef struct rki_w2v_place {
    int64_t run, epoch, block; /* the next one to be trained */
    int64_t words;             /* trained on in this run */
    int64_t pairs;             /* of this epoch */
    double loss;               /* their sum */
    double last_loss;          /* the epoch before: mean; NaN: none */
    int64_t tokens;            /* the text's length with ends of sentences; 0: no text yet */
    uint64_t hash;             /* of the text */
} rki_w2v_place;

struct rki_w2v_team;

struct rnnkit_word2vec {
    rki_object object;
    rnnkit_vocab *vocab;
    rki_w2v_settings settings; /* seed and threads resolved */
    const rki_w2v_kernels *kernels;
    int64_t size, stride; /* rows, floats from one to the next */
    float *input, *output;
    int32_t *rows; /* [size]: where a word's row of the output matrix is */
    rki_w2v_noise noise;
    int32_t *keep; /* [size + 1]: limit of row i at i + 1; at 0 the end of a sentence's */
    rki_idstore text;
    int64_t text_words; /* without ends of sentences */
    rki_w2v_encoder encoder;
    rki_w2v_phase phase;
    int resumed; /* the place was read from a file, and its text has not come yet */
    rki_w2v_place place;
    struct rki_w2v_team *team; /* what threads work with; NULL outside a run */
};

static inline rnnkit_context *rki_w2v_context(const rnnkit_word2vec *word2vec)
{
    return word2vec->vocab->tokenizer->context;
}

static inline const rki_memory *rki_w2v_memory(const rnnkit_word2vec *word2vec)
{
    return &rki_w2v_context(word2vec)->memory;
}

/* The options, with what they leave open filled in. */
int32_t rki_w2v_settings_read(
    const rnnkit_context *context, const char *options, rki_w2v_settings *settings);

/* Replaces those that `options` names. */
int32_t rki_w2v_settings_change(
    const rnnkit_context *context, const char *options, rki_w2v_settings *settings);

/* The options that say how training goes: all but the machine's threads, memory and folder. */
int32_t rki_w2v_settings_course(
    const rki_w2v_settings *settings, const rki_memory *memory, char **text);

/* An object with all memory but its matrices' values. */
int32_t rki_w2v_new(rnnkit_vocab *vocab, const rki_w2v_settings *settings, rnnkit_word2vec **out);

void rki_w2v_release(rnnkit_word2vec *word2vec);

/* The learning rate at a place of the text. */
double rki_w2v_rate(const rnnkit_word2vec *word2vec, int64_t epoch, int64_t place);

#endif
