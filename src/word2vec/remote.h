/* Training on the context's device (backend/word2vec.h), where it offers that.
 *
 * A run keeps both matrices on the device; the text stays on the host and follows in chunks of
 * blocks. What is drawn is the same as on the CPU, but words are trained side by side and in no
 * certain order, so deterministic training stays on the CPU, as do windows that are too large for
 * the device; one line of log says so.
 */
#ifndef RKI_WORD2VEC_REMOTE_H
#define RKI_WORD2VEC_REMOTE_H

#include "word2vec/team.h"

typedef struct rki_w2v_remote {
    rki_word2vec_train call;
    int64_t chunk;   /* blocks of a call */
    int32_t *tokens; /* a chunk's, with those around it */
    float *rates;    /* [chunk] */
    double *tallies; /* [step][RKI_WORD2VEC_TALLY], on the host */
    void *keep, *limits, *aliases, *device_tallies;
    int ahead; /* the device's matrices were trained since they were fetched */
} rki_w2v_remote;

/* Says whether a run of these settings trains on the device; what its scratch takes. */
int rki_w2v_remote_offered(const rnnkit_word2vec *word2vec, size_t *scratch);

/* Sets team->remote and team->step up, and takes the matrices to the device. */
int32_t rki_w2v_remote_create(rnnkit_word2vec *word2vec, size_t scratch);
void rki_w2v_remote_destroy(rnnkit_word2vec *word2vec);

/* Trains blocks first .. first + count - 1, count <= team->step, and fills the tallies. */
int32_t rki_w2v_remote_train(rnnkit_word2vec *word2vec, int64_t first, int64_t count);

/* Brings the host's matrices up to date, during a run or at any other time. */
int32_t rki_w2v_remote_fetch(const rnnkit_word2vec *word2vec);

#endif
