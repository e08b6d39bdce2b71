/* The network: source words -> embedding -> bidirectional encoder -> memory, which a decoder with
 * attention looks at while it writes target words (Bahdanau, Cho and Bengio 2015; Luong, Pham and
 * Manning 2015). The decoder's first state is made from where the encoder ended.
 *
 * The model's file carries the target's vocabulary as its own; the source's stands in an entry.
 */
#ifndef TRANSLATION_NETWORK_H
#define TRANSLATION_NETWORK_H

#include <rnnkit/rnnkit.h>

#include "pairs.h"
#include "settings.h"

typedef struct network {
    rnnkit_model *model;
    rnnkit_embedding *embeddings[SIDES];
    rnnkit_rnn *encoder;
    rnnkit_decoder *decoder;
    rnnkit_linear *output;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocabs[SIDES];
    int split, lowercase; /* what the tokenizer does: marks become words; letters small */
    int64_t longest;      /* words of a sentence that was learned from */
    double dropout;       /* while it trains */
} network;

/* Makes tokenizer and vocabularies out of the chosen lines. */
int network_read_words(network *target, rnnkit_context *context, const settings *options,
    const corpus *source, const size_t *chosen, size_t count);

/* Makes the layers, for these vocabularies. */
int network_create(network *target, rnnkit_context *context, const settings *options);

/* Opens what network_create made and the model's file kept; weights: as --weights says. */
int network_open(network *target, rnnkit_context *context, const char *path, const char *weights);
void network_close(network *target);

/* Puts the source on the tape: what a decoder looks at, and what it starts from. */
int network_encode(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **memory,
    rnnkit_tensor **start);

/* The mean loss of writing the batch's targets after reading `read`, on the tape that the source is
 * on. `options` are those of rnnkit_linear_cross_entropy_with_options. */
int network_loss(network *source, rnnkit_tape *tape, const batch *from, const int32_t *read,
    rnnkit_tensor *memory, rnnkit_tensor *start, const char *options, rnnkit_tensor **loss);

#endif
