/* The network (after Xu et al. 2015, with soft attention):
 *
 *   features -> linear -> ReLU, + an embedding of the position -> the memory, a vector for a place
 *   mean of the features -> the decoder's first state
 *   word before -> embedding -> LSTM that looks at the memory (Bahdanau 2015) -> linear -> next word
 *
 * Each feature is seen on the scale that it has in the training pictures: mean 0, deviation 1.
 */
#ifndef CAPTIONING_NETWORK_H
#define CAPTIONING_NETWORK_H

#include <rnnkit/rnnkit.h>

#include "captions.h"
#include "settings.h"

typedef struct network {
    rnnkit_model *model;
    rnnkit_linear *places; /* features to memory */
    rnnkit_embedding *positions, *words;
    rnnkit_decoder *decoder;
    rnnkit_linear *output;
    rnnkit_vocab *vocab;
    int64_t position_count, width; /* of a picture's features */
    float *scale; /* [2][width]: means and deviations, which the model keeps as a frozen table */
    double dropout;
} network;

enum { NETWORK_BOS = 2, NETWORK_EOS = 3 }; /* of a vocabulary with boundaries */

/* Makes a network; vocabulary and scale are taken over, whatever comes. */
int network_create(network *target, rnnkit_context *context, const settings *options,
    const gallery *pictures, rnnkit_vocab *vocab, float *scale);

/* Opens what network_create made and the model's file kept. */
int network_open(network *target, rnnkit_context *context, const char *path, const char *weights);

/* OUTCOME_FAILED after a message unless the pictures have features as the model was trained with. */
int network_check(const network *source, const char *path, const gallery *pictures);
void network_close(network *target);

/* Some pictures, as the network sees them. */
typedef struct view {
    rnnkit_tensor *memory, *start;
} view;

/* Room for what `batch` pictures need on the host. */
typedef struct view_room {
    float *picture, *features, *means;
    int32_t *positions;
} view_room;

int view_room_make(view_room *target, const gallery *pictures, int64_t batch);
void view_room_free(view_room *target);

/* Puts `count` pictures on the tape. */
int network_see(network *source, rnnkit_tape *tape, const gallery *pictures, const int64_t *which,
    int64_t count, view_room *room, view *out);

/* Mean cross-entropy of targets [steps][batch] after inputs [steps][batch], in nats a word. */
int network_loss(network *source, rnnkit_tape *tape, const view *seen, const int32_t *inputs,
    const int32_t *targets, int64_t steps, int64_t batch, rnnkit_tensor **loss);

#endif
