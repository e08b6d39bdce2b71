/* The network: words -> embedding -> dropout -> LSTM -> what it says at a review's last word ->
 * dropout -> linear -> softmax over the two labels. A Transformer's encoder may stand in the LSTM's
 * place (transformer.h).
 */
#ifndef SENTIMENT_NETWORK_H
#define SENTIMENT_NETWORK_H

#include <rnnkit/rnnkit.h>

#include "batches.h"
#include "settings.h"
#include "transformer.h"

typedef struct network {
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *rnn; /* or NULL: */
    transformer encoder;
    rnnkit_linear *linear;
    rnnkit_vocab *vocab;
    char labels[2][REVIEW_LABEL_SIZE];
    excerpt part;     /* what is read of a review */
    char pooling[32]; /* option of rnnkit_rnn_pool */
    double dropout;   /* at both ends */
} network;

/* Makes a network; the vocabulary is taken over, whatever comes. */
int network_create(network *target, rnnkit_context *context, const settings *options,
    rnnkit_vocab *vocab, const char labels[2][REVIEW_LABEL_SIZE]);

/* Opens what network_create made and the model's file kept; weights: as --weights says. */
int network_open(network *target, rnnkit_context *context, const char *path, const char *weights);
void network_close(network *target);

/* Mean cross-entropy of the batch, in nats. */
int network_loss(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **loss);

/* The probability of the positive label, for each row; the tape does not train. */
int network_predict(network *source, rnnkit_tape *tape, const batch *from, double *probabilities);

/* pretrain.c: word vectors as the embedding's start, learned from the reviews or read from a file;
 * *known: the words of the vocabulary that have one. */
int pretrain_reviews(network *target, const settings *options, const reviews *source,
    const size_t *chosen, size_t count);
int pretrain_file(network *target, rnnkit_context *context, const char *path, int64_t *known);

#endif
