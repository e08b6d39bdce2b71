/* A Transformer's encoder (Vaswani et al. 2017), put together from public layers, as PyTorch's
 * nn.TransformerEncoder has it, with its parameters' names:
 *
 *   x = word vectors + vectors of their places, which are learned
 *   each block: x = norm(x + dropout(attention(x))), x = norm(x + dropout(linear(relu(linear(x)))))
 *
 * What stands for a review is a weighted mean of what the last block says at its words, by an
 * additive attention whose query is always the same.
 */
#ifndef SENTIMENT_TRANSFORMER_H
#define SENTIMENT_TRANSFORMER_H

#include <rnnkit/rnnkit.h>

#include "batches.h"
#include "settings.h"

enum { TRANSFORMER_MOST_BLOCKS = 64 };

typedef struct transformer_block {
    rnnkit_multihead *attention;
    rnnkit_linear *up, *down;
    rnnkit_norm *norms[2];
} transformer_block;

typedef struct transformer {
    rnnkit_embedding *places;
    transformer_block blocks[TRANSFORMER_MOST_BLOCKS];
    int64_t count;
    rnnkit_attention *gather;
    double dropout; /* while it trains */
} transformer;

int transformer_create(transformer *target, rnnkit_model *model, const settings *options);

/* The encoder of a model that was opened. 1 when it is there and its widths are `width`, for
 * reviews of up to `longest` words. */
int transformer_find(transformer *target, rnnkit_model *model, int64_t width, int64_t longest);
void transformer_close(transformer *target);

/* x: [steps][rows][width]; *out: [1][rows][width]. */
int transformer_run(const transformer *source, rnnkit_tape *tape, const batch *from,
    rnnkit_tensor *x, rnnkit_tensor **out);

#endif
